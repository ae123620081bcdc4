"""What a cleaner lets out of a sequence: it fails closed, hides late text from its first frame, and asks in doubt."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.models.errors import UnusablePicture
from sonovan.models.text import FoundText, Line, open_finder
from sonovan.producers.privacy import Cleaner, ScreenLayout, clean, read_layouts
from sonovan.producers.privacy.clean import BLOCK
from sonovan.producers.sources import CapturedFrame, LostFrame, Source

ROWS, COLUMNS = 240, 320


def source(**more: object) -> Source:
    """A source that declares nothing unless a test says so."""
    plain = Source(
        path=Path("sweep"), organ="breast", laterality="left", view=None, position=None, frame_count=None,
        read=lambda: iter(()),
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]  # a test names the fields


def tissue(step: int = 0) -> np.ndarray:
    """A frame of tissue between black margins."""
    picture = np.zeros((ROWS, COLUMNS), np.uint8)
    noise = np.random.default_rng(0).rayleigh(40, (ROWS, COLUMNS)).clip(1, 255).astype(np.uint8)
    picture[40:230, 40:280] = np.roll(cv2.GaussianBlur(noise, (0, 0), 2), step, axis=1)[40:230, 40:280] + 8
    return picture


def named(picture: np.ndarray, x: int = 100, y: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a name, and the name's pixels."""
    shown = picture.copy()
    cv2.putText(shown, "WANG FANG", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 235, 1, cv2.LINE_AA)
    return shown, shown != picture


def shots(pictures: list[np.ndarray]) -> Iterator[CapturedFrame]:
    return (CapturedFrame(index, index * 40.0, picture, ()) for index, picture in enumerate(pictures))


class Finds:
    """A finder that finds what a test says, and counts."""

    def __init__(self, found: FoundText | None) -> None:
        self.found, self.looks = found, 0

    def find(self, _picture: np.ndarray) -> FoundText:
        self.looks += 1
        if self.found is None:
            raise UnusablePicture("not_finite", "no number")
        return self.found


LINE = Line(((100.0, 100.0), (160.0, 100.0), (160.0, 116.0), (100.0, 116.0)), 60, 16, 0.55)


def test_a_name_over_tissue_and_one_beside_it_are_black_and_tissue_stays() -> None:
    shown, ink = named(tissue())
    shown, beside = named(shown, 2, 20)
    cleaned = clean(shown, source(), open_finder())
    assert cleaned.held is None
    assert not cleaned.pixels[ink].any()
    assert not cleaned.pixels[beside].any()
    assert np.array_equal(cleaned.pixels[150:220, 60:270], tissue()[150:220, 60:270])
    assert cleaned.blackened_px >= np.count_nonzero((cleaned.pixels == 0) & (shown != 0))


def test_faint_text_beside_the_ultrasound_is_black_though_no_network_sees_it() -> None:
    shown = tissue()
    cv2.putText(shown, "WANG", (2, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 9, 1)
    cleaned = clean(shown, source(), Finds(FoundText((), ())))
    assert not cleaned.pixels[:30].any()


def test_measuring_crosses_stay() -> None:
    shown = tissue()
    for x, y in ((120, 150), (200, 150)):
        cv2.line(shown, (x - 6, y), (x + 6, y), 255, 1)
        cv2.line(shown, (x, y - 6), (x, y + 6), 255, 1)
    cleaned = clean(shown, source(), open_finder())
    assert np.array_equal(cleaned.pixels[140:160, 110:210], shown[140:160, 110:210])


def test_what_the_file_declares_holds_whatever_is_found() -> None:
    finder = Finds(FoundText((), ()))
    cleaned = clean(tissue(), source(declared=((60, 60, 100, 100),)), finder)
    assert not cleaned.pixels[:60].any()
    assert np.array_equal(cleaned.pixels[60:160, 60:160], tissue()[60:160, 60:160])
    assert clean(tissue(), source(burned_in=True), finder, doubt="fine").held == "burned_in_annotation"
    assert clean(tissue(), source(uncertain=True), finder, doubt="fine").held == "regions_uncertain"


def test_a_picture_that_cannot_be_judged_is_black_and_held() -> None:
    cleaned = clean(tissue(), source(), Finds(None), doubt="fine")
    assert cleaned.held == "text_uncertain"
    assert not cleaned.pixels.any()


def test_a_doubtful_line_is_held_and_the_operator_says_what_becomes_of_it() -> None:
    finder = Finds(FoundText((), (LINE,)))
    held = clean(tissue(), source(), finder)
    assert (held.held, held.doubtful) == ("text_uncertain", (LINE,))
    fine = clean(tissue(), source(), finder, doubt="fine")
    assert fine.held is None
    assert np.array_equal(fine.pixels[100:116, 100:160], tissue()[100:116, 100:160])
    hidden = clean(tissue(), source(), finder, doubt="hide")
    assert hidden.held is None
    assert not hidden.pixels[101:115, 101:159].any()


def test_a_doubtful_line_where_all_is_black_anyway_holds_nothing() -> None:
    beside = Line(((2.0, 2.0), (30.0, 2.0), (30.0, 14.0), (2.0, 14.0)), 28, 12, 0.55)
    assert clean(tissue(), source(), Finds(FoundText((), (beside,)))).held is None


def test_a_picture_that_is_mostly_text_is_held() -> None:
    wide = Line(((40.0, 40.0), (280.0, 40.0), (280.0, 140.0), (40.0, 140.0)), 240, 100, 0.99)
    assert clean(tissue(), source(), Finds(FoundText((wide,), ()))).held == "text_uncertain"


def test_a_known_screen_says_what_is_shown() -> None:
    layout = ScreenLayout(rows=ROWS, columns=COLUMNS, keep=((50, 50, 100, 100),), hide=((60, 60, 10, 10),), model="TE7")
    nothing = Finds(FoundText((), ()))
    cleaned = clean(tissue(), source(model="TE7"), nothing, layouts=[layout])
    assert not cleaned.pixels[:50].any()
    assert not cleaned.pixels[60:70, 60:70].any()
    assert cleaned.pixels[75:140, 75:140].all()
    assert clean(tissue(), source(model="other"), nothing, layouts=[layout]).pixels[200, 200]


def test_a_file_of_layouts_is_read_and_a_wrong_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "layouts.json"
    path.write_text(json.dumps([{"rows": 240, "columns": 320, "keep": [[0, 0, 320, 240]]}]))
    assert read_layouts(path)[0].keep == ((0, 0, 320, 240),)
    for wrong in ([{"rows": 240, "columns": 320, "keep": [[0, 0, 321, 240]]}], [{"rows": 240, "columns": 320}], {}):
        path.write_text(json.dumps(wrong))
        with pytest.raises(InvalidRecord, match=r"layouts\.json"):
            read_layouts(path)


def test_a_still_screen_is_looked_at_twice_in_a_block_and_not_in_every_frame() -> None:
    finder = Finds(FoundText((), ()))
    cleaner = Cleaner(source(), finder)
    given = list(cleaner.shots(shots([tissue(step % 4) for step in range(2 * BLOCK)])))
    assert len(given) == 2 * BLOCK
    assert finder.looks == 3  # the first frame, and the last of each block
    assert [shot.frame_index for shot, _ in given] == list(range(2 * BLOCK))


@pytest.mark.parametrize("first", [1, 5, BLOCK - 1, BLOCK])
def test_text_that_comes_up_later_is_hidden_from_its_first_frame(first: int) -> None:
    pictures = [tissue(step % 4) for step in range(BLOCK + 4)]
    ink = named(pictures[0])[1]
    pictures[first:] = [named(picture)[0] for picture in pictures[first:]]
    for shot, cleaned in Cleaner(source(), open_finder()).shots(shots(pictures)):
        if shot.frame_index >= first:
            assert cleaned is not None
            assert float((cleaned.pixels[ink] == 0).mean()) > 0.95, shot.frame_index


def test_text_that_changes_too_little_to_be_noticed_is_hidden_in_its_whole_block() -> None:
    """The first look finds nothing, the last one a line: every frame between them loses it."""

    class Late(Finds):
        def find(self, picture: np.ndarray) -> FoundText:
            super().find(picture)
            return FoundText((LINE,), ()) if self.looks > 1 else FoundText((), ())

    given = list(Cleaner(source(), Late(FoundText((), ()))).shots(shots([tissue(step % 4) for step in range(6)])))
    assert all(cleaned is not None and not cleaned.pixels[101:115, 101:159].any() for _, cleaned in given)


def test_a_lost_frame_stays_in_its_place() -> None:
    sequence = [*shots([tissue(), tissue(1)]), LostFrame(2, "truncated", "gone"), CapturedFrame(3, 1.0, tissue(2), ())]
    given = list(Cleaner(source(), Finds(FoundText((), ()))).shots(sequence))
    assert [(shot.frame_index, cleaned is None) for shot, cleaned in given] == [
        (0, False), (1, False), (2, True), (3, False),
    ]  # fmt: skip


def test_frames_before_an_error_of_reading_are_given() -> None:
    def broken() -> Iterator[CapturedFrame]:
        yield from shots([tissue(), tissue(1)])
        raise InvalidRecord("cut_short", "the file ends here")

    given = Cleaner(source(), Finds(FoundText((), ()))).shots(broken())
    assert [next(given)[0].frame_index, next(given)[0].frame_index] == [0, 1]
    with pytest.raises(InvalidRecord, match="ends here"):
        next(given)
