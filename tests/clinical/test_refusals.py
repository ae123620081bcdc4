"""A panel that was refused beside an accepted one is named, with its frames."""

from sonovan.clinical.refusals import refused_panels
from sonovan.contracts.frames import FrameSegmented, PanelRefusal
from sonovan.contracts.limits import MAX_LISTED
from tests.clinical.records import SWEEP, SWEEP_2, segmented


def refusing(index: int, panel: int = 1, reason: str = "not_breast_ultrasound", **other: object) -> FrameSegmented:
    return segmented(index, refusals=(PanelRefusal(panel=panel, reason=reason),), **other)  # type: ignore[arg-type]


def test_frames_are_gathered_by_sweep_panel_and_reason() -> None:
    results = [refusing(7), refusing(3), refusing(4, panel=0, reason="no_contact"), segmented(5)]
    results += [refusing(3, sequence_id=SWEEP_2)]
    told = [(each.sequence_id, each.panel, each.reason, each.indices, each.more) for each in refused_panels(results)]
    assert told == [
        (SWEEP, 0, "no_contact", (4,), 0),
        (SWEEP, 1, "not_breast_ultrasound", (3, 7), 0),
        (SWEEP_2, 1, "not_breast_ultrasound", (3,), 0),
    ]


def test_frames_that_are_not_assessable_at_all_are_adequacys_business() -> None:
    assert refused_panels([refusing(1, assessable=False, not_assessable_reason="not_breast_ultrasound")]) == ()


def test_many_frames_are_listed_in_part_and_counted_whole() -> None:
    (row,) = refused_panels(refusing(index) for index in range(MAX_LISTED + 5))
    assert (len(row.indices), row.indices[-1], row.more) == (MAX_LISTED, MAX_LISTED - 1, 5)
