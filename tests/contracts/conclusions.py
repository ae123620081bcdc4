"""Small true conclusions and outcomes for tests."""

from datetime import UTC, date, datetime
from typing import Any, Final

from sonovan.contracts.conclusions import (
    CategoryRead,
    FindingRead,
    Recommended,
    ScreeningConcluded,
    SideConcluded,
    SweepLookedAt,
    WordRead,
)
from sonovan.contracts.ids import mint_id
from sonovan.contracts.outcomes import OutcomeRecorded
from tests.clinical.records import SCREENING, SWEEP, VAN, sha

EVENING: Final = datetime(2025, 3, 4, 19, 30, tzinfo=UTC)
FIRST: Final = mint_id(10_000, bytes)
SECOND: Final = mint_id(20_000, bytes)
THIRD: Final = mint_id(30_000, bytes)


def left_breast(value: str = "4A", action: str = "tissue_diagnosis", **other: Any) -> SideConcluded:
    fields: dict[str, Any] = {
        "organ": "breast",
        "laterality": "left",
        "categories": (CategoryRead(scheme="BI-RADS", value=value, edition="2013"),),
        "blocks": ("solid_suspicious",),
        "recommended": Recommended(action=action),
    }
    return SideConcluded(**{**fields, **other})


def left_lobe(**other: Any) -> SideConcluded:
    fields: dict[str, Any] = {
        "organ": "thyroid",
        "laterality": "left",
        "categories": (CategoryRead(scheme="TI-RADS", value="TR3", edition="2017", derived="TR3", points=3),),
        "blocks": ("nodule_to_follow",),
        "recommended": Recommended(action="follow_up", months=12),
    }
    return SideConcluded(**{**fields, **other})


def lesion(**other: Any) -> FindingRead:
    fields: dict[str, Any] = {
        "finding_id": sha("finding 1"),
        "organ": "breast",
        "laterality": "left",
        "verdict": "lesion",
        "words": (
            WordRead(term="margin", verdict="changed", words=("spiculated",), suggested="indistinct"),
            WordRead(term="orientation", verdict="confirmed", words=("not_parallel",), suggested="not_parallel"),
            WordRead(term="posterior_features", verdict="undetermined"),
        ),
        "categories": (CategoryRead(scheme="BI-RADS", value="4A"),),
    }
    return FindingRead(**{**fields, **other})


def concluded(conclusion_id: str = FIRST, **other: Any) -> ScreeningConcluded:
    fields: dict[str, Any] = {
        "conclusion_id": conclusion_id,
        "screening_id": SCREENING,
        "van_id": VAN,
        "conclusion_number": 1,
        "role": "first",
        "revision_id": sha("three"),
        "revision_number": 3,
        "rules_version": "1.14",
        "sides": (left_breast(), left_lobe()),
        "findings": (lesion(),),
        "looked_at": (SweepLookedAt(sequence_id=SWEEP, frames=5, frames_seen=4),),
        "by": "dr-1",
        "opened_at": EVENING,
        "signed_at": EVENING,
    }
    return ScreeningConcluded(**{**fields, **other})


def outcome(outcome_id: str = FIRST, **other: Any) -> OutcomeRecorded:
    fields: dict[str, Any] = {
        "outcome_id": outcome_id,
        "screening_id": SCREENING,
        "kind": "core_biopsy",
        "happened_on": date(2025, 3, 20),
        "organ": "breast",
        "laterality": "left",
        "result": "malignant",
        "by": "dr-1",
        "recorded_at": EVENING,
    }
    return OutcomeRecorded(**{**fields, **other})


def contact(outcome_id: str, kind: str, day: date, **other: Any) -> OutcomeRecorded:
    fields: dict[str, Any] = {"organ": None, "laterality": None, "result": None}
    return outcome(outcome_id, kind=kind, happened_on=day, **{**fields, **other})
