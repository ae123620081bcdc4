"""The report as one JSON document: what the page shows, and what other programs read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from sonovan.clinical.advice import withhold
from sonovan.contracts.amendments import AmendmentInForce, AmendmentNumber, ends, silences
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.derivation import Advice, Category, Programme
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.promotions import PromotionInForce
from sonovan.contracts.record import Day, Fingerprint, FrameId, Id, Moment, ObjectKey, Part, Sha256, Token, VanId
from sonovan.contracts.results import (
    Adequacy,
    Finding,
    IntendedUse,
    MissingFrames,
    ReaderFrame,
    RefusedPanel,
    RejectedFrame,
    ScreeningAssessed,
    Status,
    WithdrawnFinding,
)
from sonovan.contracts.words import ModelName, SlipNumber
from sonovan.reports.amended import amended_words
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.revised import promoted_words, reviewed_words
from sonovan.reports.words import Words

UNSIGNED: Final = "unsigned_not_a_result"
ANOTHER_NETWORK: Final = "read_again_by_another_network"
OUTLINED_BY_READER: Final = "outlined_by_a_reader"
NO_REGION: Final = "no_region_outlined"
NOT_COMPARED: Final = "not_compared_with_earlier"

Identity = Literal["slip_number", "age", "examined_on"]
"""What tells whose report it is; a report has it only where the site says so."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a report says besides its revision, which is kept for ever and holds nothing of who a woman is.

    recorded: the clinical record; None where none has arrived. shows: what the site lets its reports show.
    """

    recorded: ClinicalRecord | None = None
    slip_number: str | None = None
    shows: frozenset[Identity] = frozenset()


NOTHING_TOLD: Final = Visit()


class Notice(Part):
    """What whoever opens the report must read, by its code and in every language: `unsigned_not_a_result`, the intended
    use, what was amended (`amended_side`, `amended_void` …), `read_again_by_another_network` where an earlier revision
    rests on another network's results, `outlined_by_a_reader` where outlines are a reader's, and `no_region_outlined`
    where nothing was outlined."""

    code: Token
    words: dict[Language, str]


class MarkedFrame(Part):
    """A frame that the operator marked, as it is stored: plain, nothing is drawn into it. None where it is not here."""

    amendment_number: AmendmentNumber
    frame_id: FrameId
    image_key: ObjectKey | None = None
    image_sha256: Sha256 | None = None


class ScreeningReport(Part):
    """One revision of a screening, as it may be shown under its intended use.

    Lengths are in mm where the scale is known, else None; boxes and `_px` are in pixels of the stored frame.
    """

    report_schema: Literal["sonovan.report/1.0"] = "sonovan.report/1.0"
    signed: Literal[False] = Field(default=False, description="no reader has signed: not a result")
    notices: tuple[Notice, ...]
    intended_use: IntendedUse
    screening_id: Id
    van_id: VanId
    revision_id: Sha256
    revision_number: int = Field(ge=1)
    status: Status
    as_of: Moment
    shows: tuple[Identity, ...] = Field(default=(), description="what the site lets its reports show")
    examined_on: Day | None = Field(default=None, description="None where no file names the day, or it is not shown")
    slip_number: SlipNumber | None = None
    recorded: ClinicalRecord | None = Field(
        default=None, description="what she told before the scan; without her age where that is not shown"
    )
    frames: int = Field(ge=0)
    amendments: tuple[AmendmentInForce, ...] = ()
    marked: tuple[MarkedFrame, ...] = ()
    adequacy: tuple[Adequacy, ...]
    findings: tuple[Finding, ...] = Field(description="most suspicious first, then largest; counted from 1")
    categories: tuple[Category, ...]
    advice: tuple[Advice, ...]
    withdrawn: tuple[WithdrawnFinding, ...]
    missing: tuple[MissingFrames, ...]
    rejected: tuple[RejectedFrame, ...]
    refused_panels: tuple[RefusedPanel, ...] = ()
    model_id: ModelName
    weights_sha256: Sha256
    fingerprint: Fingerprint
    promoted: PromotionInForce | None = Field(default=None, description="None where the first network counts")
    reviewed: tuple[ReaderFrame, ...] = Field(default=(), description="frames whose outlines are a reader's")
    rules_version: Token
    programme: Programme

    @property
    def silenced(self) -> bool:
        """Whether nothing is said of the pictures (`sonovan.contracts.amendments.silences`)."""
        return silences(self.amendments)

    @property
    def ended(self) -> bool:
        """Whether nothing is said of her at all (`sonovan.contracts.amendments.ends`)."""
        return ends(self.amendments)


def numbers_of(report: ScreeningReport) -> dict[str, int]:
    """By finding id, the number of each finding in the report."""
    return {each.finding_id: number for number, each in enumerate(report.findings, start=1)}


def report_document(
    assessed: ScreeningAssessed,
    *,
    intended_use: IntendedUse,
    visit: Visit = NOTHING_TOLD,
    results: Mapping[str, FrameSegmented] | None = None,
) -> dict[str, Any]:
    """The report of one revision as JSON values, from the records alone: the same records give the same document.

    Categories and advice are withheld unless `intended_use` is `decision_support`. results: by frame id, for where the
    frames that the operator marked are stored. Fits `docs/schemas/report.json`.
    """
    shown = withhold(assessed, intended_use)
    report = ScreeningReport(
        notices=tuple(_notices(intended_use, shown)),
        intended_use=intended_use,
        screening_id=shown.screening_id,
        van_id=shown.van_id,
        revision_id=shown.revision_id,
        revision_number=shown.revision_number,
        status=shown.status,
        as_of=shown.as_of,
        shows=tuple(sorted(visit.shows)),
        examined_on=shown.examined_on if "examined_on" in visit.shows else None,
        slip_number=visit.slip_number if "slip_number" in visit.shows else None,
        recorded=_recorded(visit),
        frames=shown.frames,
        amendments=shown.amendments,
        marked=tuple(_marked(shown, results or {})),
        adequacy=shown.adequacy,
        findings=shown.findings,
        categories=shown.categories,
        advice=shown.advice,
        withdrawn=shown.withdrawn,
        missing=shown.missing,
        rejected=shown.rejected,
        refused_panels=shown.refused_panels,
        model_id=shown.model_id,
        weights_sha256=shown.weights_sha256,
        fingerprint=shown.fingerprint,
        promoted=shown.promoted,
        reviewed=shown.reviewed,
        rules_version=shown.rules_version,
        programme=shown.programme,
    )
    return report.model_dump(mode="json")


def _marked(shown: ScreeningAssessed, results: Mapping[str, FrameSegmented]) -> Iterator[MarkedFrame]:
    """The frames of the marks in force; none where nothing is said of the pictures."""
    for made in () if shown.silenced else shown.amendments:
        if made.mark is not None and made.mark.frame_id is not None:
            frame = results.get(made.mark.frame_id)
            stored = {} if frame is None else {"image_key": frame.image_key, "image_sha256": frame.image_sha256}
            yield MarkedFrame(amendment_number=made.amendment_number, frame_id=made.mark.frame_id, **stored)


def _recorded(visit: Visit) -> ClinicalRecord | None:
    if visit.recorded is None or "age" in visit.shows:
        return visit.recorded
    return visit.recorded.model_copy(update={"age_years": None})


def unsigned_notice(words: Words) -> str:
    """What stands over every output: a machine made it, and no reader has signed it."""
    return words.text("unsigned_notice", unsigned=words.text("unsigned"), meaning=words.text("unsigned_meaning"))


def _notices(use: IntendedUse, shown: ScreeningAssessed) -> Iterator[Notice]:
    spoken = {language: Words(language) for language in LANGUAGES}
    yield Notice(code=UNSIGNED, words={language: unsigned_notice(words) for language, words in spoken.items()})
    for made in shown.amendments:
        said = {language: amended_words(made, words) for language, words in spoken.items()}
        yield Notice(code=f"amended_{made.kind}", words=said)
    yield Notice(code=use, words={language: words.intended_use_notice(use) for language, words in spoken.items()})
    if shown.silenced:
        return
    if shown.promoted is not None:
        told = {language: promoted_words(shown.promoted, shown.model_id, words) for language, words in spoken.items()}
        yield Notice(code=ANOTHER_NETWORK, words=told)
    if shown.reviewed:
        told = {language: reviewed_words(shown.reviewed, words) for language, words in spoken.items()}
        yield Notice(code=OUTLINED_BY_READER, words=told)
    if not shown.findings:
        yield Notice(code=NO_REGION, words={language: words.text("no_region") for language, words in spoken.items()})
    yield Notice(code=NOT_COMPARED, words={language: words.text("earlier_none") for language, words in spoken.items()})
