"""What people decide, as rows of the catalogue: conclusions, outcomes, and what was done with alerts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sonovan.clinical.conclusions import calls_back, most_pressing, recommends, worry, worst_of
from sonovan.contracts.alerts import AlertHandled, Closed, HandedOver
from sonovan.contracts.conclusions import CategoryRead, FindingRead, ScreeningConcluded, SideConcluded
from sonovan.contracts.lexicon import Scheme
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.storage.catalogue.changes import Place, Row, listed, moment, text

_CONCLUSION: Final = (
    "conclusion_id", "screening_id", "conclusion_number", "role", "amends", "because", "van_id", "revision_id",
    "revision_number", "rules_version", "claim",
)  # fmt: skip
_OUTCOME: Final = (
    "outcome_id", "screening_id", "kind", "organ", "laterality", "finding_id", "result", "bi_rads", "bethesda",
    "amends", "because",
)  # fmt: skip
_SCHEMES: Final[dict[str, Scheme]] = {"bi_rads": "BI-RADS", "ti_rads": "TI-RADS", "c_tirads": "C-TIRADS"}


def concluded(record: ScreeningConcluded) -> Iterator[tuple[str, Row]]:
    """Rows of `conclusion`, `concluded_side` and `finding_read`."""
    action = most_pressing(record)
    yield (
        "conclusion",
        {
            **{name: getattr(record, name) for name in _CONCLUSION},
            "reader": record.by,
            "opened_at": None if record.opened_at is None else moment(record.opened_at),
            "signed_at": moment(record.signed_at),
            "sides": len(record.sides),
            "frames": sum(each.frames for each in record.looked_at),
            "frames_seen": sum(each.frames_seen for each in record.looked_at),
            "looked_at": listed(record.looked_at),
            **{column: worst_of(record, scheme) for column, scheme in _SCHEMES.items()},
            "action": action,
            "calls_back": calls_back(action),
            "recommends": recommends(record),
            "worry": worry(record),
            "record": record.encode().decode(),
        },
    )
    key = {"conclusion_id": record.conclusion_id, "screening_id": record.screening_id}
    for ordinal, side in enumerate(record.sides, start=1):
        yield "concluded_side", {**key, "ordinal": ordinal, **_side(side)}
    for ordinal, finding in enumerate(record.findings, start=1):
        yield "finding_read", {**key, "ordinal": ordinal, **_finding(finding)}


def became(record: OutcomeRecorded) -> Row:
    """A row of `outcome`."""
    return {
        **{name: getattr(record, name) for name in _OUTCOME},
        "happened_on": record.happened_on.isoformat(),
        "operator": record.by,
        "recorded_at": moment(record.recorded_at),
    }


def handled(record: AlertHandled, place: Place) -> Row:
    """A row of `alert_step`."""
    return {
        "alert_id": record.alert_id,
        "message_partition": place.partition,
        "message_offset": place.offset,
        "screening_id": record.screening_id,
        "raised_in": record.raised_in,
        "step": record.step.kind,
        "handed_to": record.step.to if isinstance(record.step, HandedOver) else None,
        "because": record.step.because if isinstance(record.step, Closed) else None,
        "operator": record.by,
        "handled_at": moment(record.handled_at),
    }


def _side(side: SideConcluded) -> dict[str, Any]:
    return {
        "organ": side.organ,
        "laterality": side.laterality,
        **_values(side.categories),
        "blocks": text(side.blocks),
        "action": side.recommended.action,
        "months": side.recommended.months,
        "calls_back": calls_back(side.recommended.action),
    }


def _finding(finding: FindingRead) -> dict[str, Any]:
    said = Counter(each.verdict for each in finding.words)
    words = {each.term: each.model_dump(mode="json", exclude={"term"}) for each in finding.words}
    points = next((each.points for each in finding.categories if each.scheme == "TI-RADS"), None)
    return {
        **{name: getattr(finding, name) for name in ("organ", "laterality", "finding_id", "verdict", "frame_id")},
        "position": finding.position,
        "largest_mm": finding.largest_mm,
        "words": text(words),
        **{verdict: said[verdict] for verdict in ("confirmed", "changed", "entered", "undetermined")},
        **_values(finding.categories),
        "ti_rads_points": points,
    }


def _values(categories: Iterable[CategoryRead]) -> dict[str, str | None]:
    by_scheme = {each.scheme: each.value for each in categories}
    return {column: by_scheme.get(scheme) for column, scheme in _SCHEMES.items()}
