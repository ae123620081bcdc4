"""A preview says where to look again, and nothing else; it gives way, and keeps nothing."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sonovan.models.errors import UnusablePicture, WrongWeights
from sonovan.producers.gateway.preview import LATE, SCREENINGS, Preview
from sonovan.producers.sources import CapturedFrame, Source
from sonovan.producers.sources.source import whole_panel
from tests.waiting import until

SQUARE = ((1.0, 1.0), (5.0, 1.0), (5.0, 5.0))
SWEEP = Source(Path("x"), "breast", "left", None, None, 40, lambda: iter(()))
NEXT = replace(SWEEP, laterality="right")


class Bright:
    """A network that outlines whatever is bright, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def segment(self, pixels: Any, organ: str, panels: Sequence[Any] = (), spacing_mm: Sequence[Any] = ()) -> Any:
        level = int(pixels[0, 0])
        self.shown.append(level)
        if level == 13:
            raise UnusablePicture("shape", "x")
        return SimpleNamespace(regions=(SimpleNamespace(polygon=SQUARE),) if level > 100 else ())


def shot(index: int, level: int, held: str | None = None) -> CapturedFrame:
    panel = whole_panel(48, 64, None, "left")
    return CapturedFrame(index, None, np.full((48, 64), level, np.uint8), (panel,), held=held)


@contextmanager
def running(preview: Preview) -> Iterator[None]:
    thread = Thread(target=preview.run)
    thread.start()
    try:
        yield
    finally:
        preview.stop()
        thread.join()


def looked(preview: Preview, number: int) -> None:
    until(lambda: preview.looks >= number, "a look")


def previewing(network: Bright, **options: Any) -> Preview:
    return Preview(lambda: network, clock=lambda: 5.0, **options)


def test_only_the_newest_frame_is_looked_at_and_only_what_is_outlined_is_shown() -> None:
    network = Bright()
    preview = previewing(network)
    for index, level in enumerate((10, 20, 200)):
        preview.offer("one", SWEEP, shot(index, level))
    with running(preview):
        looked(preview, 1)
        found = preview.of("one").outlined
        assert network.shown == [200]
        assert found is not None
        assert (found.organ, found.side, found.frame_index, found.polygons, found.at) == (
            "breast",
            "left",
            2,
            (SQUARE,),
            5.0,
        )
        preview.offer("one", SWEEP, shot(3, 50))
        looked(preview, 2)
        assert preview.of("one").outlined is found, "a frame without an outline takes nothing away"
        assert preview.of("two").outlined is None


def test_a_frame_that_cannot_be_used_or_is_held_is_passed_over() -> None:
    network = Bright()
    preview = previewing(network)
    with running(preview):
        preview.offer("one", SWEEP, shot(0, 13))
        until(lambda: network.shown == [13], "the frame is passed over")
        preview.offer("one", SWEEP, shot(1, 200, held="text_uncertain"))
        preview.offer("two", SWEEP, shot(1, 30))
        looked(preview, 1)
    assert network.shown == [13, 30]


def test_it_gives_way_while_objects_wait() -> None:
    network, busy, asked = Bright(), Event(), Event()
    busy.set()

    def behind() -> bool:
        asked.set()
        return busy.is_set()

    preview = previewing(network, behind=behind)
    preview.offer("one", SWEEP, shot(0, 200))
    with running(preview):
        assert asked.wait(30)
        assert network.shown == []
        busy.clear()
        looked(preview, 1)


@pytest.mark.parametrize(
    ("index", "level", "last", "source", "ended"),
    [
        (39, 200, 39, SWEEP, True),
        (39 - LATE + 1, 200, 39, SWEEP, True),
        (39 - LATE, 200, 39, SWEEP, False),
        (39, 50, 39, SWEEP, False),
        (39, 200, 39, NEXT, False),
        (0, 200, 0, SWEEP, False),
    ],
    ids=["last frame", "late", "too early", "nothing outlined", "another sweep", "a still"],
)
def test_a_sweep_ends_on_it_where_one_of_its_last_frames_is_outlined(
    index: int, level: int, last: int, source: Source, ended: bool
) -> None:
    preview = previewing(Bright())
    preview.offer("one", SWEEP, shot(index, level))
    preview.ended("one", source, last)
    with running(preview):
        looked(preview, 1)
        assert preview.of("one").ended_on_it == ended
        preview.offer("one", NEXT, shot(0, 50))
        looked(preview, 2)
        assert not preview.of("one").ended_on_it, "the next sweep has begun"


@pytest.mark.parametrize(
    ("later", "one_plane"),
    [
        (None, True),
        (replace(SWEEP), False),
        (replace(SWEEP, view="radial"), False),
        (replace(SWEEP, position="2h"), False),
        (replace(SWEEP, laterality="right"), True),
        (replace(SWEEP, organ="thyroid"), True),
    ],
    ids=["nothing later", "another sweep", "another view", "a place", "the other side", "another organ"],
)
def test_what_was_outlined_in_one_plane_is_asked_for_in_another(later: Source | None, one_plane: bool) -> None:
    preview = previewing(Bright())
    preview.offer("one", SWEEP, shot(0, 200))
    with running(preview):
        looked(preview, 1)
        assert preview.of("one").one_plane
        if later is not None:
            preview.offer("one", later, shot(0, 50))
            looked(preview, 2)
    assert preview.of("one").one_plane == one_plane


def test_a_sweep_of_another_place_is_no_other_plane_of_this_one() -> None:
    preview = previewing(Bright())
    with running(preview):
        for number, position in enumerate(("2h", "8h"), 1):
            preview.offer("one", replace(SWEEP, position=position), shot(0, 200))
            looked(preview, number)
            assert preview.of("one").one_plane
        preview.offer("one", replace(SWEEP, position="2h"), shot(0, 50))
        assert not preview.of("one").one_plane


def test_another_sweep_of_the_same_view_is_no_other_plane_and_a_third_one_asks_no_more() -> None:
    preview, radial = previewing(Bright()), replace(SWEEP, view="radial")
    with running(preview):
        for number, source in enumerate(
            (radial, replace(radial), replace(SWEEP, view="antiradial"), replace(radial)), 1
        ):
            preview.offer("one", source, shot(0, 200))
            looked(preview, number)
            assert preview.of("one").one_plane == (number < 3)
        assert not preview.of("two").one_plane


def test_a_laptop_without_the_network_says_so_and_one_that_was_told_not_to_is_off() -> None:
    def missing() -> Any:
        raise WrongWeights("no file")

    preview = Preview(missing)
    assert preview.of("one").state == "starting"
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with running(preview):  # in a thread of its own, which lowers its own priority alone
        until(lambda: preview.of("one").state == "no_weights", "it says so")
    preview.offer("one", SWEEP, shot(0, 200))
    assert (preview.of("one").state, Preview().of("one").state) == ("no_weights", "off")
    Preview().run()
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_who_agrees_no_longer_is_not_looked_at_and_what_was_seen_is_gone() -> None:
    network, silenced = Bright(), set[str]()
    preview = previewing(network, silenced=silenced.__contains__)
    preview.offer("one", SWEEP, shot(0, 200))
    with running(preview):
        looked(preview, 1)
        silenced.add("one")
        preview.offer("one", SWEEP, shot(1, 200))
        preview.offer("two", SWEEP, shot(1, 201))
        looked(preview, 2)
    assert network.shown == [200, 201]
    assert (preview.of("one").outlined, preview.of("one").state) == (None, "silenced")


def test_little_is_remembered() -> None:
    preview = previewing(Bright())
    for number in range(SCREENINGS + 1):
        preview.offer(f"{number}", SWEEP, shot(0, 200))
        preview.ended(f"{number}", SWEEP, 0)
    assert len(preview._seen) == SCREENINGS


def test_an_error_of_the_network_ends_the_preview_alone_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Bright):
        def segment(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("a runtime that was not made for this")

    preview = previewing(Broken())
    preview.offer("one", SWEEP, shot(0, 200))
    with running(preview):
        until(lambda: preview.of("one").state == "failed", "it says so")
        preview.offer("one", SWEEP, shot(1, 200))
    assert (preview.looks, preview.of("one").outlined) == (0, None)
    assert "scanning goes on without it" in caplog.text
    off = Preview(lambda: 1 // 0)  # type: ignore[arg-type, return-value]  # a network that cannot be opened at all
    with running(off):
        until(lambda: off.of("one").state == "failed", "it says so, too")
