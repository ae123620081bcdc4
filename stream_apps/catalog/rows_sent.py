"""What vans send, as rows of the catalogue."""

from typing import Final

from sonovan.contracts.amendments import (
    ConsentAmended,
    ScreeningAmended,
    SeenMarked,
    SideAmended,
    TakenBack,
    WomanAmended,
)
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.van import ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.contracts.van_reports import VanReported
from sonovan.storage.catalogue.changes import Row, listed, moment, text

_SHOWN: Final = (
    "age_years", "sex", "palpable_lump", "nipple_discharge", "skin_or_nipple_change", "menopause", "brca",
    "tsh_miu_per_l",
)  # fmt: skip


def opened(record: ScreeningOpened) -> Row:
    """A row of `opening`."""
    return {
        "screening_id": record.screening_id,
        "van_id": record.van_id,
        "subject_key": record.subject_key,
        "slip_number": record.slip_number,
        "site_code": record.site_code,
        "opened_at": moment(record.opened_at),
        "consent_screening": record.consent.screening,
        "consent_ai": record.consent.ai,
        "consent_research": record.consent.research,
        "consent_sharing": record.consent.sharing,
        "consent_text": record.consent_text,
        "planned": listed(record.planned),
    }


def recorded(record: FeaturesRecorded) -> Row:
    """A row of `clinical_record`."""
    return {
        "screening_id": record.screening_id,
        "van_id": record.van_id,
        "features_number": record.features_number,
        "recorded_at": moment(record.recorded_at),
        **{name: getattr(record, name) for name in _SHOWN},
        "answers": text(record.answers.model_dump(mode="json")),
    }


def amended(record: ScreeningAmended) -> Row:
    """A row of `amendment`."""
    said = record.amendment
    withdrawn = said.withdrawn if isinstance(said, ConsentAmended) else ()
    woman = said if isinstance(said, WomanAmended) else None
    side = said if isinstance(said, SideAmended) else None
    return {
        "screening_id": record.screening_id,
        "van_id": record.van_id,
        "amendment_number": record.amendment_number,
        "kind": said.kind,
        "because": record.because,
        "operator": record.by,
        "amended_at": moment(record.amended_at),
        "taken_back_number": said.amendment_number if isinstance(said, TakenBack) else None,
        "subject_key": None if woman is None else woman.subject_key,
        "slip_number": None if woman is None else woman.slip_number,
        "laterality": None if side is None else side.laterality,
        "sequence_ids": None if side is None else text(side.sequence_ids),
        "withdraws_screening": "screening" in withdrawn,
        "withdraws_ai": "ai" in withdrawn,
        "withdraws_research": "research" in withdrawn,
        "withdraws_sharing": "sharing" in withdrawn,
        "mark": text(said.model_dump(mode="json")) if isinstance(said, SeenMarked) else None,
    }


def sequence_closed(record: SequenceClosed) -> Row:
    """A row of `sequence_closing`."""
    return {
        "sequence_id": record.sequence_id,
        "van_id": record.van_id,
        "closing_number": record.closing_number,
        "screening_id": record.screening_id,
        "frame_count": record.frame_count,
        "frames_digest": record.frames_digest,
        "organ": record.organ,
        "laterality": record.laterality,
        "view": record.view,
        "position": record.position,
        "frames_held": sum(each.frames for each in record.set_aside if not each.discarded),
        "frames_discarded": sum(each.frames for each in record.set_aside if each.discarded),
        "operator": record.operator,
        "closed_at": moment(record.closed_at),
    }


def screening_closed(record: ScreeningClosed) -> Row:
    """A row of `screening_closing`."""
    return {
        "screening_id": record.screening_id,
        "van_id": record.van_id,
        "closing_number": record.closing_number,
        "sequence_ids": text(record.sequence_ids),
        "quality_warnings": text(record.quality_warnings),
        "covered": None if record.covered is None else listed(record.covered),
        "excused": listed(record.excused),
        "stays": record.stays,
        "left_at": None if record.left_at is None else moment(record.left_at),
        "closed_at": moment(record.closed_at),
    }


def reported(record: VanReported) -> Row:
    """A row of `van_report`."""
    names = (
        "van_id", "waiting", "waiting_bytes", "oldest_s", "held", "rejected", "unfinished", "disk_free_bytes",
        "clock_ahead_s", "link_bits_per_s", "metered", "version",
    )  # fmt: skip
    return {**{name: getattr(record, name) for name in names}, "reported_at": moment(record.reported_at)}
