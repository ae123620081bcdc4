"""Whatever does not fit together is named, each by itself, and what fits names nothing."""

from collections.abc import Sequence
from typing import Any

import pytest

from sonovan.clinical.contradictions import contradictions
from sonovan.clinical.referral import DIAGNOSTIC_REFERRAL
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.conclusions import MAX_READ, CategoryRead, Contradicts, Recommended, SweepLookedAt, WordRead
from sonovan.contracts.derivation import Advice
from tests.clinical.records import SWEEP, adequacy, assessed, finding, sha
from tests.contracts.conclusions import concluded, left_breast, lesion

READ = assessed(
    revision_id=sha("read"), findings=(finding(1),), adequacy=(adequacy(), adequacy(laterality="right")),
)  # fmt: skip
RIGHT = left_breast("1", "routine_screening", laterality="right", blocks=("no_suspicious_finding",))


def codes(read: Any = READ, **fields: Any) -> list[str]:
    sides = fields.pop("sides", (left_breast(), RIGHT))
    found = contradictions(concluded(revision_id=sha("read"), sides=sides, **fields), read)
    return [each.code for each in found]


def left(value: str, action: str, *blocks: str) -> Sequence[Any]:
    months = 6 if action == "follow_up" else None
    recommended = Recommended(action=action, months=months)  # type: ignore[arg-type]
    return (left_breast(value, recommended=recommended, blocks=blocks), RIGHT)


def grown(side: Any) -> Comparison:
    one = Compared(change="seen_before", finding_id=sha("finding 1"), organ="breast", laterality=side, grown=True)
    return Comparison(months=12, findings=(one,))


def test_what_fits_names_nothing() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"sides": (left_breast(),)}, ["side_not_concluded"]),
        ({"sides": (RIGHT,), "findings": ()}, ["side_not_concluded", "finding_not_judged"]),
        ({"findings": ()}, ["finding_not_judged"]),
        ({"looked_at": (SweepLookedAt(sequence_id=SWEEP, frames=9, frames_seen=0),)}, ["sweep_not_opened"]),
        ({"sides": left("4A", "mammography")}, ["less_than_recommended"]),
        ({"sides": left("4A", "tissue_diagnosis", "no_suspicious_finding")}, ["blocks_contradict"]),
        ({"sides": left("4A", "tissue_diagnosis", "stable_to_earlier", "grown_since_earlier")}, ["blocks_contradict"]),
        ({"sides": left("4A", "tissue_diagnosis", "stable_to_earlier"), "comparison": grown("left")},
         ["blocks_contradict"]),
        ({"sides": left("4A", "tissue_diagnosis", "stable_to_earlier"), "comparison": grown("right")}, []),
        ({"sides": left("0", "scan_again"), "findings": (lesion(words=(), categories=()),)}, ["less_than_recommended"]),
        ({"sides": left("0", "further_imaging"), "findings": (lesion(words=(), categories=()),)}, []),
        ({"sides": left("2", "routine_screening", "solid_suspicious"),
          "findings": (lesion(words=(), categories=()),)}, ["blocks_contradict"]),
    ],
)  # fmt: skip
def test_each_contradiction_is_named(fields: dict[str, Any], named: list[str]) -> None:
    assert codes(**fields) == named


def test_a_side_signed_negative_with_a_finding_confirmed_suspicious_names_all_that_speaks_against_it() -> None:
    assert codes(sides=left("1", "routine_screening", "no_suspicious_finding")) == [
        "negative_with_lesion", "below_its_finding", "suspicious_word_below_4",
    ]  # fmt: skip


def test_a_conclusion_holds_what_does_not_fit_however_many_findings_nobody_judged() -> None:
    one = READ.findings[0]
    others = (one.model_copy(update={"finding_id": sha(f"not judged {number}")}) for number in range(MAX_READ + 50))
    many = READ.model_copy(update={"findings": (one, *others)})
    found = codes(many, sides=left("1", "routine_screening", "no_suspicious_finding"))
    assert len(found) == MAX_READ
    assert set(found) == {
        "finding_not_judged", "negative_with_lesion", "below_its_finding", "suspicious_word_below_4",
    }, "what else does not fit is never left out"  # fmt: skip


def test_a_finding_that_the_reader_takes_for_no_lesion_speaks_against_nothing() -> None:
    dismissed = lesion(verdict="no_lesion", categories=())
    assert codes(sides=left("1", "routine_screening", "no_suspicious_finding"), findings=(dismissed,)) == []


def test_a_newer_revision_than_the_one_that_was_read_is_named() -> None:
    newer = READ.model_copy(update={"revision_id": sha("newer")})
    assert codes(newer) == ["newer_revision"]


def test_a_side_that_was_not_seen_well_is_not_signed_negative_without_a_word_of_it() -> None:
    bad = READ.model_copy(update={"adequacy": (adequacy(), adequacy(laterality="right", level="inadequate"))})
    assert codes(bad) == ["not_seen_well_signed_negative"]
    told = left_breast("1", "routine_screening", laterality="right", blocks=("not_fully_seen",))
    assert codes(bad, sides=(left_breast(), told)) == []


@pytest.mark.parametrize("reasons", [("not_seen",), ("not_seen", "excused_absent")])
def test_a_planned_side_of_which_no_picture_came_is_named_where_nothing_is_concluded_of_it(
    reasons: tuple[str, ...],
) -> None:
    row = adequacy(laterality="right", level="not_examined", frames=0, assessable_share=0.0, reasons=reasons)
    read = READ.model_copy(update={"adequacy": (adequacy(), row)})
    assert contradictions(concluded(revision_id=sha("read"), sides=(left_breast(),)), read) == (
        Contradicts(code="side_not_examined", organ="breast", laterality="right"),
    )
    assert codes(read) == ["not_seen_well_signed_negative"]


def test_a_side_of_which_one_region_was_seen_was_examined() -> None:
    axilla = adequacy(laterality="right", region="axilla", level="not_examined", frames=0, reasons=("not_seen",))
    read = READ.model_copy(update={"adequacy": (*READ.adequacy, axilla)})
    assert codes(read, sides=(left_breast(),)) == ["side_not_concluded"]


def test_her_own_signs_call_for_more_than_her_next_visit() -> None:
    signs = READ.model_copy(update={"advice": (Advice(rule=DIAGNOSTIC_REFERRAL, organ="breast", laterality="right"),)})
    assert codes(signs) == ["own_signs_without_referral"]
    seen = left_breast("1", "specialist", laterality="right", blocks=("lump_without_correlate",))
    assert codes(signs, sides=(left_breast(), seen)) == []


def test_a_level_that_differs_from_what_the_words_come_to_is_named_with_its_finding() -> None:
    nodule = finding(2, organ="thyroid", laterality="left")
    read = READ.model_copy(update={"findings": (finding(1), nodule)})
    level = CategoryRead(scheme="TI-RADS", value="TR3", derived="TR4", points=4)
    mine = lesion(
        finding_id=nodule.finding_id, organ="thyroid", words=(WordRead(term="margin", verdict="undetermined"),),
        categories=(level,),
    )  # fmt: skip
    lobe = left_breast(
        "1", organ="thyroid", categories=(level,), blocks=(), recommended=Recommended(action="fna"),
    )  # fmt: skip
    made = concluded(revision_id=sha("read"), sides=(left_breast(), RIGHT, lobe), findings=(lesion(), mine))
    assert contradictions(made, read) == (
        Contradicts(code="not_as_derived", organ="thyroid", laterality="left", number=2),
    )


def lobe(action: str, *nodules: tuple[dict[str, str], float | None], chosen: dict[str, str] | None = None) -> list[str]:
    """What is named of a left lobe with these nodules: their categories by scheme, and their size in mm."""
    found = [finding(2 + at, organ="thyroid", laterality="left", long_axis_mm=None) for at in range(len(nodules))]
    read = READ.model_copy(update={"findings": (finding(1), *found)})
    mine = [
        lesion(
            finding_id=each.finding_id, organ="thyroid", largest_mm=size, words=(),
            categories=tuple(CategoryRead(scheme=scheme, value=value) for scheme, value in said.items()),
        )
        for each, (said, size) in zip(found, nodules, strict=True)
    ]  # fmt: skip
    worst = chosen or nodules[-1][0]
    side = left_breast(
        "1", organ="thyroid", blocks=(),
        categories=tuple(CategoryRead(scheme=scheme, value=value) for scheme, value in worst.items()),
        recommended=Recommended(action=action, months=12 if action == "follow_up" else None),
    )  # fmt: skip
    made = concluded(revision_id=sha("read"), sides=(left_breast(), RIGHT, side), findings=(lesion(), *mine))
    named = contradictions(made, read)
    assert {(each.organ, each.laterality) for each in named} <= {("thyroid", "left")}
    return [each.code for each in named]


@pytest.mark.parametrize("action", ["routine_screening", "follow_up", "fna"])
def test_a_proven_nodule_is_not_signed_with_less_than_treatment_without_a_word(action: str) -> None:
    proven = {"TI-RADS": "TR5", "C-TIRADS": "6"}
    assert lobe(action, (proven, 4.5)) == ["less_than_recommended"]
    assert lobe(action, chosen=proven) == ["less_than_recommended"], "of the lobe alone"
    assert lobe("treatment", (proven, 4.5)) == []


BENIGN, SUSPICIOUS = {"TI-RADS": "TR2"}, {"TI-RADS": "TR5", "C-TIRADS": "4C"}


def test_a_nodule_that_its_size_sends_to_aspiration_is_not_sent_home_without_a_word() -> None:
    assert lobe("routine_screening", ({"TI-RADS": "TR4"}, 16.0)) == ["less_than_recommended"]


def test_a_nodule_whose_size_would_decide_and_is_missing_is_named() -> None:
    for action in ("routine_screening", "follow_up"):
        assert lobe(action, (BENIGN, None), (SUSPICIOUS, None)) == ["nodule_undecided"]
    assert lobe("fna", (BENIGN, None), (SUSPICIOUS, None)) == []
    assert lobe("routine_screening", (BENIGN, None)) == []
