"""What a screening is to cover: both sides unless the operator says otherwise (issue: "adequate" needs coverage)."""

from dataclasses import replace

import pytest

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.van import PlannedRegion, ScreeningOpened
from sonovan.producers.items import Item
from sonovan.producers.plan import planned_regions
from sonovan.producers.screening import compose
from tests.producers.test_screening import source
from tests.producers.visits import SIGNER, VISIT


def opened(items: list[Item]) -> list[tuple[str, str | None]]:
    planned = ScreeningOpened.decode(open_envelope(items[0].value).header).planned
    return [(item.organ, item.side) for item in planned]


@pytest.mark.parametrize(
    ("words", "organ", "expected"),
    [
        (None, "breast", [("breast", "left"), ("breast", "right")]),
        (None, "thyroid", [("thyroid", "left"), ("thyroid", "right")]),
        (["left"], "breast", [("breast", "left")]),
        (["left", "right", "isthmus"], "thyroid", [("thyroid", "left"), ("thyroid", "right"), ("thyroid", "isthmus")]),
    ],
)
def test_the_plan_is_both_sides_unless_the_operator_says_otherwise(
    words: list[str] | None, organ: Organ, expected: list[tuple[str, str]]
) -> None:
    items: list[Item] = []
    one = replace(source(1), organ=organ)
    compose([one, one], replace(VISIT, planned=planned_regions(words, [organ, organ])), SIGNER, items.append)
    assert opened(items) == expected


def test_a_plan_may_name_regions() -> None:
    assert planned_regions(["left:axilla"], ["breast"]) == (
        PlannedRegion(organ="breast", side="left", region="axilla"),
    )


@pytest.mark.parametrize("word", ["isthmus", "both", "", "left:nowhere"])
def test_a_word_that_no_organ_has_is_refused(word: str) -> None:
    with pytest.raises(InvalidRecord, match="--plan"):
        planned_regions([word], ["breast"])
