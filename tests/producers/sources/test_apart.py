"""What the van sends of overlapping declarations lies apart, as the centre demands."""

from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.van import Panel, lie_apart
from sonovan.producers.sources.apart import apart


def panel(left: int, top: int, width: int, height: int) -> Panel:
    return Panel(ordinal=0, left=left, top=top, width=width, height=height)


def boxes(panels: tuple[Panel, ...]) -> list[tuple[int, int, int, int]]:
    return [(each.left, each.top, each.width, each.height) for each in panels]


def test_neighbours_that_share_a_column_lose_it_once() -> None:
    assert boxes(apart([panel(0, 0, 321, 480), panel(320, 0, 320, 480)])) == [(0, 0, 321, 480), (321, 0, 319, 480)]


def test_what_stands_apart_stays_as_it_is_and_what_is_covered_is_left_out() -> None:
    assert boxes(apart([panel(0, 0, 320, 480), panel(320, 0, 320, 480)])) == [(0, 0, 320, 480), (320, 0, 320, 480)]
    assert boxes(apart([panel(0, 0, 320, 480), panel(10, 10, 300, 400)])) == [(0, 0, 320, 480)]


SIDES = st.integers(32, 400)


@given(st.lists(st.builds(panel, st.integers(0, 600), st.integers(0, 600), SIDES, SIDES), min_size=1, max_size=16))
def test_whatever_is_declared_lies_apart(declared: list[Panel]) -> None:
    found = apart(declared)
    assert lie_apart(found)
    assert [each.ordinal for each in found] == list(range(len(found)))
