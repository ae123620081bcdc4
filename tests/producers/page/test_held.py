"""Held frames on the page: shown, fine, hidden, never sent."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.contracts.ids import mint_id, split_frame_id
from sonovan.models.text import FoundText, Line
from sonovan.producers.page.page import Page
from sonovan.producers.page.pictures import parts_mask, pixels_of, png
from sonovan.producers.sources import CapturedFrame, Pixels, Source
from sonovan.producers.sources.source import whole_panel
from sonovan.producers.spool import HELD
from tests.producers.files import grey
from tests.producers.page.pages import Desk, desk
from tests.producers.visits import SIGNER, VISIT

ROWS, COLUMNS = 48, 64
LINE = Line(((10.0, 10.0), (30.0, 10.0), (30.0, 18.0), (10.0, 18.0)), 20.0, 8.0, 0.55)


@dataclass
class Doubtful:
    """A finder that finds one doubtful line in every picture."""

    def find(self, picture: Pixels) -> FoundText:
        """As `Finder`."""
        return FoundText((), (LINE,))


def held(page: Page, frames: int = 3) -> list[str]:
    """A sweep of held frames; their ids."""
    source = Source(Path("x"), "breast", "left", None, None, frames, lambda: iter(()))
    screening = page.spool.open_screening(VISIT, SIGNER, [source])
    sequence = screening.begin(source, mint_id())
    panel = (whole_panel(ROWS, COLUMNS, None, "left"),)
    for index in range(frames):
        sequence.add(CapturedFrame(index, None, grey(ROWS, COLUMNS, index) | 1, panel, held="text_uncertain"))
    sequence.end()
    return [each.frame_id for each in page.spool.held()]


def shown(here: Desk, frame: str, kind: str = "picture") -> np.ndarray:
    sequence, index = split_frame_id(frame)
    answer = here.ask("GET", f"/held/{{sequence}}/{{index}}/{kind}", sequence=sequence, index=str(index))
    assert answer.content_type == "image/png"
    return np.asarray(cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_UNCHANGED))


def doubting(here: Desk) -> Desk:
    return Desk(replace(here.page, finder=Doubtful()))


def test_a_held_frame_is_shown_with_what_is_doubtful_outlined(tmp_path: Path) -> None:
    with desk(tmp_path) as plain:
        here = doubting(plain)
        assert "No frame is held back" in here.text("/held")
        frames = held(here.page)
        text = here.text("/held")
        assert text.count('name="frame"') == 3
        assert "There may be text in it" in text
        orange = (shown(here, frames[0]) == (0, 140, 255)).all(axis=2)
        assert orange.any()
        assert not orange[12:16, 14:26].any(), "what is outlined stays to be seen"
        assert (shown(here, frames[1], "small") == grey(ROWS, COLUMNS, 1) | 1).all()


def test_fine_sends_the_frame_as_it_is(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first, *rest = held(here.page)
        fields = (("said", "fine"), *(("frame", each) for each in (first, *rest)))
        assert here.ask("POST", "/held", fields).location == "/held"
        assert [each.frame_id for each in here.page.spool.held()] == rest
        message = here.page.spool.load(first)
        assert message is not None
        assert (pixels_of(message.value) == grey(ROWS, COLUMNS, 0) | 1).all()


def test_hide_takes_what_is_outlined_and_the_parts_that_were_chosen(tmp_path: Path) -> None:
    with desk(tmp_path) as plain:
        here = doubting(plain)
        first, *_ = held(here.page)
        here.ask("POST", "/held", (("said", "hide"), ("frame", first), ("part", "9"), ("part", "x"), ("part", "77")))
        message = here.page.spool.load(first)
        assert message is not None
        pixels = pixels_of(message.value)
    assert not pixels[11:17, 12:28].any()
    assert not pixels[32:, 43:].any()
    assert pixels[20:32, 22:40].all()


def test_hide_with_nothing_to_hide_does_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first, *_ = held(here.page)
        answer = here.ask("POST", "/held", (("said", "hide"), ("frame", first)))
        assert answer.status == 400
        assert here.page.spool.status().counts[HELD] == 3


def test_one_key_answers_for_all_that_are_shown(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        frames = held(here.page)
        here.ask("POST", "/held", (("said", "fine"), ("all", "yes"), *(("frame", each) for each in frames)))
        assert here.page.spool.held() == []
        again = held(here.page)
        here.ask("POST", "/held", (("said", "discard"), ("all", "yes"), *(("frame", each) for each in again)))
        assert here.page.spool.held() == []
        assert [here.page.spool.load(each) for each in again] == [None, None, None]
        assert set(frames) < set(here.page.spool.pending(100, 0.0))


@pytest.mark.parametrize(
    "fields", [(), (("said", "fine"),), (("said", "no"), ("frame", "x")), (("said", "fine"), ("frame", "x"))]
)
def test_what_is_not_held_is_not_touched(tmp_path: Path, fields: tuple[tuple[str, str], ...]) -> None:
    with desk(tmp_path) as here:
        held(here.page)
        assert here.ask("POST", "/held", fields).status == 400
        assert len(here.page.spool.held()) == 3


def test_a_frame_that_is_not_held_is_not_shown(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first, *_ = held(here.page)
        here.page.spool.release(first, SIGNER)
        sequence, _ = split_frame_id(first)
        for place in (
            {"sequence": sequence, "index": "0"},
            {"sequence": "../x", "index": "1"},
            {"sequence": "", "index": "x"},
        ):
            assert here.ask("GET", "/held/{sequence}/{index}/picture", **place).status == 400


def test_the_ninths_cover_the_picture_once() -> None:
    covered = sum(parts_mask((50, 71), [number]).astype(int) for number in range(1, 10))
    assert (covered == 1).all()
    assert not parts_mask((50, 71), [0, 10, -1]).any()


def test_sixteen_bits_are_shown_in_eight() -> None:
    picture = np.arange(0, 65_536, 256, dtype=np.uint16).reshape(16, 16)
    read = cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    assert (read == (picture >> 8)).all()
