"""What the centre finds, as rows of the catalogue: frames, revisions with all that they hold, sweeps."""

from collections.abc import Iterator
from typing import Any, Final

from sonovan.clinical.order import UNRELIABLE_SHARE
from sonovan.clinical.referral import DIAGNOSTIC_REFERRAL
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.lexicon import Scheme
from sonovan.contracts.results import Finding, ScreeningAssessed, SequenceAssessed, Sighting
from sonovan.storage.catalogue.changes import Row, listed, moment, text

_FRAME: Final = (
    "sequence_id", "frame_index", "van_id", "fingerprint", "screening_id", "organ", "laterality", "view", "position",
    "mode", "time_ms", "channels", "bits", "codec", "pixels_sha256", "quality", "assessable", "not_assessable_reason",
    "image_key", "image_sha256", "mask_key", "mask_sha256", "model_id", "weights_sha256", "provider",
)  # fmt: skip
_REPLAYED: Final = (
    "sequence_id", "frame_index", "van_id", "fingerprint", "screening_id", "quality", "assessable", "regions",
    "predicted_dice", "mask_key", "mask_sha256", "model_id", "provider",
)  # fmt: skip
_REPORT: Final = ("report_html_key", "report_html_sha256", "report_json_key", "report_json_sha256")
_SIGHTING: Final = (
    "sequence_id", "panel", "view", "position", "nipple_distance_mm", "duration_ms", "area_px", "area_mm2",
    "long_axis_mm", "short_axis_mm", "long_axis_px", "short_axis_px", "orientation_deg", "score_mean", "score_max",
    "track_score", "contrast", "cnr", "gcnr", "unconfirmed", "predicted_dice", "outline_unreliable", "image_key",
    "image_sha256", "mask_key", "mask_sha256",
)  # fmt: skip


def segmented(record: FrameSegmented) -> Row:
    """A row of `frame`."""
    row = {name: getattr(record, name) for name in _FRAME}
    dice = [each.predicted_dice for each in record.regions if each.predicted_dice is not None]
    row["acquired_on"] = None if record.acquired_on is None else record.acquired_on.isoformat()
    row["rows_px"], row["columns_px"] = record.rows, record.columns
    row["panels"] = listed(record.panels)
    row["regions"] = len(record.regions)
    row["predicted_dice"] = min(dice, default=None)
    row["outline_unreliable"] = any(each.outline_unreliable for each in record.regions)
    return row


def replayed(record: FrameSegmented) -> Row:
    """A row of `frame_replayed`."""
    whole = segmented(record)
    return {name: whole[name] for name in _REPLAYED}


def assessed(record: ScreeningAssessed) -> Iterator[tuple[str, Row]]:
    """Rows of `revision`, `screening`, `finding`, `sighting` and `adequacy`."""
    yield "revision", _revision(record)
    yield "screening", _newest(record)
    key = {name: getattr(record, name) for name in ("screening_id", "revision_number", "revision_id")}
    for ordinal, finding in enumerate(record.findings, start=1):
        yield "finding", {**key, "ordinal": ordinal, **_finding(finding)}
        for number, sighting in enumerate(finding.sightings, start=1):
            of = {"ordinal": ordinal, "sighting_ordinal": number, "finding_id": finding.finding_id}
            best = number - 1 == finding.best_ordinal
            yield "sighting", {**key, **of, "best": best, **_sighting(sighting)}
    for ordinal, side in enumerate(record.adequacy, start=1):
        told = side.model_dump(exclude={"reasons"})
        yield "adequacy", {**key, "ordinal": ordinal, **told, "reasons": text(side.reasons)}


def sequence_assessed(record: SequenceAssessed) -> Row:
    """A row of `sequence_result`."""
    names = ("sequence_id", "revision_id", "screening_id", "organ", "laterality", "frames", "assessable_frames")
    return {**{name: getattr(record, name) for name in names}, "findings": len(record.findings)}


def suspicion_of(record: ScreeningAssessed) -> float:
    """Of its most suspicious finding, as `clinical.order` puts findings in order; 0 without any."""
    found = [UNRELIABLE_SHARE if each.malignant is None else each.malignant for each in record.findings]
    return max(found, default=0.0)


def _shared(record: ScreeningAssessed) -> dict[str, Any]:
    return {
        "screening_id": record.screening_id,
        "revision_number": record.revision_number,
        "revision_id": record.revision_id,
        "van_id": record.van_id,
        "status": record.status,
        "as_of": moment(record.as_of),
        "examined_on": None if record.examined_on is None else record.examined_on.isoformat(),
        "frames": record.frames,
        "findings": len(record.findings),
        "silenced": record.silenced,
        "ended": record.ended,
        "model_id": record.model_id,
        "fingerprint": record.fingerprint,
    }


def _newest(record: ScreeningAssessed) -> Row:
    referred = any(each.rule == DIAGNOSTIC_REFERRAL for each in record.advice)
    return {**_shared(record), "suspicion": suspicion_of(record), "referred": referred}


def _revision(record: ScreeningAssessed) -> Row:
    return {
        **_shared(record),
        "frames_missing": sum(len(each.indices) + each.more for each in record.missing if each.indices is not None),
        "sequences_missing": sum(each.indices is None for each in record.missing),
        "frames_rejected": len(record.rejected),
        "amendments": listed(record.amendments),
        "withdrawn": listed(record.withdrawn),
        "missing": listed(record.missing),
        "categories": listed(record.categories),
        "advice": listed(record.advice),
        **{name: getattr(record, name) for name in _REPORT},
        "rules_version": record.rules_version,
        "programme": text(record.programme.model_dump(mode="json")),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    place, extent, risk, vessels = finding.location, finding.extent, finding.risk, finding.vessels
    low, high = finding.malignant_range or (None, None)
    schemes: tuple[Scheme, ...] = ("BI-RADS", "TI-RADS", "C-TIRADS")
    bi_rads, ti_rads, c_tirads = (finding.category(each) for each in schemes)
    diameters = ("transverse_mm", "depth_mm", "length_mm", "volume_ml")
    return {
        "finding_id": finding.finding_id,
        "organ": finding.organ,
        "laterality": finding.laterality,
        "sightings": len(finding.sightings),
        "frames": finding.frame_count,
        "malignant": finding.malignant,
        "malignant_low": low,
        "malignant_high": high,
        "outline_unreliable": finding.outline_unreliable,
        "unconfirmed": finding.unconfirmed,
        "hour": None if place is None else place.hour,
        "region": None if place is None else place.region,
        "nipple_distance_mm": None if place is None else place.nipple_distance_mm,
        **{name: None if extent is None else getattr(extent, name) for name in diameters},
        "blood_flow": None if vessels is None else vessels.flow,
        "risk": None if risk is None else risk.probability,
        "risk_low": None if risk is None else risk.ci95[0],
        "risk_high": None if risk is None else risk.ci95[1],
        "bi_rads": None if bi_rads is None else bi_rads.value,
        "ti_rads": None if ti_rads is None else ti_rads.value,
        "ti_rads_points": None if ti_rads is None else ti_rads.total,
        "ti_rads_at_least": None if ti_rads is None else ti_rads.at_least,
        "c_tirads": None if c_tirads is None else c_tirads.value,
        "descriptors": text({each.name: each.value for each in finding.descriptors}),
        "descriptor_probabilities": text({each.name: each.probability for each in finding.descriptors}),
        "categories": listed(finding.categories),
        "uncategorised": listed(finding.uncategorised),
        "joined": listed(finding.joined),
        "vessels": None if vessels is None else text(vessels.model_dump(mode="json")),
    }


def _sighting(sighting: Sighting) -> dict[str, Any]:
    course, outline, place = sighting.dynamics, sighting.outline, sighting.place
    return {
        **{name: getattr(sighting, name) for name in _SIGHTING},
        "frames": sighting.frame_count,
        "first_frame": sighting.frame_span[0],
        "last_frame": sighting.frame_span[1],
        "key_frame": split_frame_id(sighting.key_frame_id)[1],
        "key_region": sighting.key_ordinal,
        "box": text(sighting.box),
        "at_least": listed(sighting.at_least),
        "place": None if place is None else text(place.model_dump(mode="json")),
        "dynamics": None if course is None else text(course.model_dump(mode="json", exclude={"samples"})),
        "outline": None if outline is None else text(outline.model_dump(mode="json")),
    }
