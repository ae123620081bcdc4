"""Which screenings are drawn blind, and on which frames."""

from sonovan.console.blind import frames_to_draw, is_sampled, still_to_draw
from sonovan.contracts.ids import mint_id
from sonovan.storage.catalogue.cine import Cine, ListedFrame, Sweep, Track

SWEEP = "0192f0c1-2345-7abc-8def-000000000001"


def frame(index: int, *, assessable: bool = True, mode: str = "grey") -> ListedFrame:
    return ListedFrame(index, 4, 4, (), mode, None, 0.9, assessable, None)


def cine(*frames: ListedFrame) -> Cine:
    sweep = Sweep(SWEEP, "breast", "left", None, None, frames)
    return Cine("her", "site-1", "van-1", "", None, None, None, None, None, (sweep,))


def track(first: int, last: int, key: int) -> Track:
    return Track(SWEEP, 1, "f", first, last, key, "breast", "left", False, False)


def test_about_the_share_that_is_asked_for_is_sampled_and_always_the_same() -> None:
    names = [mint_id(number, lambda size, number=number: bytes([number % 256] * size)) for number in range(2000)]  # type: ignore[misc]
    chosen = [name for name in names if is_sampled(name, 0.1)]
    assert 120 < len(chosen) < 280
    assert chosen == [name for name in names if is_sampled(name, 0.1)]
    assert set(chosen) <= {name for name in names if is_sampled(name, 0.2)}
    assert not any(is_sampled(name, 0.0) for name in names)
    assert all(is_sampled(name, 1.0) for name in names)


def test_a_key_frame_is_drawn_beside_one_on_which_no_finding_stands() -> None:
    chosen = frames_to_draw(cine(*(frame(index) for index in range(20))), [track(5, 15, 10)])
    assert len(chosen) == 2
    assert f"{SWEEP}/000010" in chosen
    (calm,) = set(chosen) - {f"{SWEEP}/000010"}
    assert not 5 <= int(calm[-6:]) <= 15


def test_frames_that_cannot_be_assessed_or_are_coloured_are_not_drawn_blind() -> None:
    assert frames_to_draw(cine(frame(0, assessable=False), frame(1, mode="doppler")), []) == ()
    assert frames_to_draw(cine(frame(0, assessable=False), frame(1)), []) == (f"{SWEEP}/000001",)


def test_whoever_drew_as_many_as_were_asked_for_has_drawn_enough() -> None:
    assert still_to_draw(("a", "b"), set()) == ("a", "b")
    assert still_to_draw(("a", "b"), {"b"}) == ("a",)
    assert still_to_draw(("c", "d"), {"a", "b"}) == ()
    assert still_to_draw((), set()) == ()
