"""What a reader signs is whole and means one thing, and no text that a name fits stands in it."""

from typing import Any

import pytest
from pydantic import ValidationError

from sonovan.contracts.conclusions import BLOCKS, ScreeningConcluded, SweepLookedAt, WordRead
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.outcomes import OutcomeRecorded
from tests.clinical.records import SWEEP, sha
from tests.contracts.conclusions import FIRST, SECOND, concluded, contact, left_breast, left_lobe, lesion, outcome


def test_a_conclusion_and_an_outcome_travel_as_they_are() -> None:
    assert ScreeningConcluded.decode(concluded().encode()) == concluded()
    assert OutcomeRecorded.decode(outcome().encode()) == outcome()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"sides": ()}, "at least 1"),
        ({"sides": (left_breast(), left_breast("2", "routine_screening"))}, "a side stands twice"),
        ({"sides": (left_lobe(),)}, "on a side that is not concluded"),
        ({"findings": (lesion(), lesion(verdict="no_lesion"))}, "a finding stands twice"),
        ({"amends": SECOND, "conclusion_number": 2}, "says why"),
        ({"because": "misread", "conclusion_number": 2}, "says why"),
        ({"amends": SECOND, "because": "misread"}, "amends none"),
        ({"conclusion_number": 0}, "greater than or equal to 1"),
        ({"by": "Dr Wang"}, "pattern"),
        ({"because": "she called again"}, "Input should be"),
    ],
)
def test_a_conclusion_that_contradicts_itself_cannot_be_made(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        concluded(**fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"laterality": "isthmus"}, "no such side"),
        ({"categories": ()}, "a breast has its category"),
        ({"categories": left_lobe().categories}, "a scheme of its organ"),
        ({"categories": left_breast().categories * 2}, "each scheme has one"),
        ({"blocks": ("no_nodule",)}, "a text block is of its organ"),
        ({"blocks": ("simple_cysts", "simple_cysts")}, "stands once"),
        ({"recommended": {"action": "follow_up"}}, "after how many months"),
        ({"recommended": {"action": "mammography", "months": 6}}, "nothing else does"),
    ],
)
def test_a_side_has_what_its_organ_has(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        left_breast(**fields)


def test_a_lobe_without_a_category_says_that_there_is_no_nodule() -> None:
    with pytest.raises(ValidationError, match="no_nodule"):
        left_lobe(categories=())
    assert left_lobe(categories=(), blocks=("no_nodule",)).category("TI-RADS") is None


@pytest.mark.parametrize(
    "word",
    [
        {"term": "margin", "verdict": "confirmed", "words": ("spiculated",), "suggested": "indistinct"},
        {"term": "margin", "verdict": "confirmed", "words": ("spiculated",)},
        {"term": "margin", "verdict": "changed", "words": ("spiculated",)},
        {"term": "margin", "verdict": "entered", "words": ("spiculated",), "suggested": "indistinct"},
        {"term": "margin", "verdict": "undetermined", "words": ("spiculated",)},
        {"term": "margin", "verdict": "entered"},
    ],
)
def test_what_was_done_with_a_suggested_word_is_what_stands_there(word: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WordRead(**word)


@pytest.mark.parametrize(
    "fields",
    [
        {"words": (WordRead(term="margin", verdict="entered", words=("Wang",)),)},
        {"words": (WordRead(term="margin", verdict="undetermined", suggested="Wang"),)},
        {"words": (WordRead(term="composition", verdict="entered", words=("solid",)),)},
        {"words": (WordRead(term="margin", verdict="undetermined"),) * 2},
        {"finding_id": None},
        {"finding_id": None, "frame_id": f"{SWEEP}/000003", "verdict": "no_lesion"},
    ],
)
def test_a_findings_words_are_of_the_lexicon_and_one_of_the_readers_own_is_on_a_frame(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lesion(**fields)


def test_a_sweep_is_not_seen_more_than_whole() -> None:
    assert SweepLookedAt(sequence_id=SWEEP, frames=4, frames_seen=3).share == 0.75
    assert SweepLookedAt(sequence_id=SWEEP, frames=0, frames_seen=0).share == 0.0
    with pytest.raises(ValidationError):
        SweepLookedAt(sequence_id=SWEEP, frames=3, frames_seen=4)


def test_no_block_is_offered_twice() -> None:
    for blocks in BLOCKS.values():
        assert len(set(blocks)) == len(blocks)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"organ": None, "laterality": None}, "need the organ"),
        ({"laterality": "isthmus"}, "no such side"),
        ({"result": None}, "an examination has a result"),
        ({"kind": "attended"}, "nothing else has one"),
        ({"bi_rads": "4"}, "BI-RADS is of a mammography"),
        ({"kind": "fna", "bethesda": "II"}, "Bethesda"),
        ({"kind": "recorded_by_mistake", "result": None}, "names the outcome"),
        ({"amends": SECOND}, "says why"),
        ({"kind": "she moved away"}, "Input should be"),
    ],
)
def test_an_outcome_has_what_its_kind_has(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        outcome(**fields)


def test_an_outcome_that_never_was_names_it() -> None:
    gone = contact(SECOND, "recorded_by_mistake", outcome().happened_on, amends=FIRST, because="wrong_woman")
    assert gone.amends == FIRST


def test_a_record_of_a_later_version_with_a_sentence_is_read_without_it() -> None:
    longer = concluded().encode().replace(b'"role":"first"', b'"role":"first","remark":"Wang Xiaomei, lump"')
    assert "Wang" not in ScreeningConcluded.decode(longer).encode().decode()
    with pytest.raises(InvalidRecord):
        ScreeningConcluded.decode(longer.replace(b'"revision_id":"' + sha("three").encode(), b'"revision_id":"Wang'))
