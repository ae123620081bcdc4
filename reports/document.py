"""The report as one JSON document: what the page shows, and what other programs read."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from pydantic import Field

from sonovan.clinical.advice import withhold
from sonovan.contracts.derivation import Advice, Category, Programme
from sonovan.contracts.record import Day, Fingerprint, Id, Moment, Part, Sha256, Token, VanId
from sonovan.contracts.results import (
    Adequacy,
    Finding,
    IntendedUse,
    MissingFrames,
    RefusedPanel,
    RejectedFrame,
    ScreeningAssessed,
    Status,
    WithdrawnFinding,
)
from sonovan.contracts.words import ModelName
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words

UNSIGNED: Final = "unsigned_not_a_result"
NO_REGION: Final = "no_region_outlined"


class Notice(Part):
    """What whoever opens the report must read, by its code and in every language: `unsigned_not_a_result`, the intended
    use, and `no_region_outlined` where nothing was outlined."""

    code: Token
    words: dict[Language, str]


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
    examined_on: Day | None = Field(default=None, description="None where no file names the day")
    frames: int = Field(ge=0)
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
    rules_version: Token
    programme: Programme


def report_document(assessed: ScreeningAssessed, *, intended_use: IntendedUse) -> dict[str, Any]:
    """The report of one revision as JSON values, from the record alone: the same record gives the same document.

    Categories and advice are withheld unless `intended_use` is `decision_support`. Fits `docs/schemas/report.json`.
    """
    shown = withhold(assessed, intended_use)
    report = ScreeningReport(
        notices=tuple(_notices(intended_use, outlined=bool(shown.findings))),
        intended_use=intended_use,
        screening_id=shown.screening_id,
        van_id=shown.van_id,
        revision_id=shown.revision_id,
        revision_number=shown.revision_number,
        status=shown.status,
        as_of=shown.as_of,
        examined_on=shown.examined_on,
        frames=shown.frames,
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
        rules_version=shown.rules_version,
        programme=shown.programme,
    )
    return report.model_dump(mode="json")


def unsigned_notice(words: Words) -> str:
    """What stands over every output: a machine made it, and no reader has signed it."""
    return words.text("unsigned_notice", unsigned=words.text("unsigned"), meaning=words.text("unsigned_meaning"))


def _notices(use: IntendedUse, *, outlined: bool) -> Iterator[Notice]:
    spoken = {language: Words(language) for language in LANGUAGES}
    yield Notice(code=UNSIGNED, words={language: unsigned_notice(words) for language, words in spoken.items()})
    yield Notice(code=use, words={language: words.intended_use_notice(use) for language, words in spoken.items()})
    if not outlined:
        yield Notice(code=NO_REGION, words={language: words.text("no_region") for language, words in spoken.items()})
