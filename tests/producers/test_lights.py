"""The two lights, row by row: what keeps each red, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from sonovan.contracts.van import PlannedRegion
from sonovan.producers.lights import Arriving, VanState, WomanState, she_may_leave, van_may_leave

LEFT, RIGHT = (PlannedRegion(organ="breast", side=side) for side in ("left", "right"))
LUMP = PlannedRegion(organ="breast", side="left", region="2h")
LOBE, ISTHMUS = (PlannedRegion(organ="thyroid", side=side) for side in ("left", "isthmus"))
DONE = WomanState(planned=(LEFT, RIGHT), ticked=(LEFT, RIGHT), frames={("breast", "left"): 3, ("breast", "right"): 1})
SENT = VanState()


def told(light: Any) -> tuple[list[tuple[str, object]], list[tuple[str, object]]]:
    return [(each.code, each.value) for each in light.reasons], [(each.code, each.value) for each in light.notes]


@pytest.mark.parametrize(
    ("changes", "reasons", "notes"),
    [
        ({}, [], []),
        ({"planned": (), "ticked": ()}, [("nothing_planned", None)], []),
        ({"ticked": (LEFT,)}, [("region_not_scanned", "breast.right")], []),
        ({"ticked": (LEFT,), "excused": (RIGHT,)}, [], []),
        ({"planned": (LEFT, RIGHT, LUMP)}, [("region_not_scanned", "breast.left.2h")], []),
        ({"frames": {("breast", "left"): 3}}, [("ticked_without_frames", "breast.right")], []),
        ({"frames": {("breast", "left"): 3, ("breast", "right"): 0}}, [("ticked_without_frames", "breast.right")], []),
        ({"frames": {}}, [("ticked_without_frames", "breast.left"), ("ticked_without_frames", "breast.right")], []),
        ({"frames": {("thyroid", "left"): 1, ("thyroid", "right"): 1}},
         [("ticked_without_frames", "breast.left"), ("ticked_without_frames", "breast.right")], []),
        ({"planned": (LOBE, ISTHMUS), "ticked": (LOBE, ISTHMUS), "frames": {("thyroid", None): 1}}, [], []),
        ({"ticked": (), "excused": (LEFT, RIGHT), "frames": {}}, [], []),
        ({"ticked": (LEFT, RIGHT, LOBE)}, [], []),
        ({"held": 2}, [], [("frames_to_look_at", 2)]),
        ({"arriving": Arriving(receiving=1)}, [("objects_receiving", 1)], []),
        ({"arriving": Arriving(composing=2)}, [("objects_composing", 2)], []),
        ({"arriving": Arriving(waiting=3)}, [("objects_waiting", 3)], []),
        ({"arriving": Arriving(never_came=4)}, [("objects_never_came", 4)], []),
    ],
)  # fmt: skip
def test_she_may_leave(
    changes: dict[str, Any], reasons: list[tuple[str, object]], notes: list[tuple[str, object]]
) -> None:
    light = she_may_leave(replace(DONE, **changes))
    assert told(light) == (reasons, notes)
    assert light.green == (not reasons)


@pytest.mark.parametrize(
    ("changes", "reasons", "notes"),
    [
        ({}, [], []),
        ({"unsent": 5}, [("items_unsent", 5)], []),
        ({"unsent": 5, "exported": 5}, [], [("items_on_disk", 5)]),
        ({"unsent": 5, "exported": 2}, [("items_unsent", 3)], [("items_on_disk", 2)]),
        ({"unsent": 5, "doubted": 4}, [("items_unsent", 5)], [("items_doubted", 4)]),
        ({"withheld": 3}, [], [("items_withheld", 3)]),
        ({"exported": 2}, [], []),
        ({"retryable": 1}, [("items_to_retry", 1)], []),
        ({"refused": 1}, [], [("items_refused", 1)]),
        ({"unfinished": 1}, [("screenings_unfinished", 1)], []),
        ({"held": 1}, [("frames_to_look_at", 1)], []),
        ({"expected": 1}, [], [("women_expected", 1)]),
        ({"silent_min": 2}, [], [("centre_silent", 2)]),
        ({"silent_min": 2, "cannot_send": True}, [], [("cannot_send", None)]),
        ({"damaged": 2}, [], [("items_damaged", 2)]),
        ({"silent_min": 3, "certificate_refused": True}, [], [("certificate_refused", None)]),
        ({"clock_off_min": 9}, [], []),
        ({"clock_off_min": 1440, "unsent": 1}, [("items_unsent", 1)], [("clock_off", 1440)]),
        ({"arriving": Arriving(1, 2, 3, 4)},
         [("objects_receiving", 1), ("objects_composing", 2), ("objects_waiting", 3), ("objects_never_came", 4)], []),
    ],
)  # fmt: skip
def test_the_van_may_leave(
    changes: dict[str, Any], reasons: list[tuple[str, object]], notes: list[tuple[str, object]]
) -> None:
    light = van_may_leave(replace(SENT, **changes))
    assert told(light) == (reasons, notes)
    assert light.green == (not reasons)
