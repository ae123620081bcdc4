"""What readers looked at and drew is kept once, however often it is sent."""

from pathlib import Path

import pytest

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.read import Drawing, Read, joined, seen_of
from sonovan.storage.outbox_engine import sqlite_url

HER, HERS, SWEEP = "her", "hers", "sweep"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    database = ConsoleDatabase(sqlite_url(tmp_path / "console.sqlite"))
    database.prepare()
    return Read(database)


def drawing(drawing_id: str, review_id: str, **other: object) -> Drawing:
    fields = {"reader": "dr-1", "screening_id": HER, "frame_id": "sweep/000001", "blind": True, "sent": False}
    return Drawing(**{**fields, **other}, drawing_id=drawing_id, review=f'{{"review_id": "{review_id}"}}')  # type: ignore[arg-type]


def test_ranges_that_touch_or_overlap_are_one() -> None:
    assert joined([(7, 9), (0, 2), (3, 3), (8, 12)]) == [(0, 3), (7, 12)]
    assert seen_of([0, 2, 5, 8, 20], [(0, 3), (7, 12)]) == 3


def test_what_was_looked_at_adds_up_by_reader(read: Read) -> None:
    read.look("dr-1", HER, {SWEEP: [(0, 4)]}, 1)
    read.look("dr-1", HER, {SWEEP: [(3, 8)]}, 2)
    read.look("dr-2", HER, {SWEEP: [(90, 91)]}, 3)
    assert read.looked("dr-1", HER) == {SWEEP: [(0, 8)]}
    assert read.looked("dr-2", HERS) == {}


def test_a_drawing_that_is_sent_again_is_the_one_that_is_kept(read: Read) -> None:
    first = read.keep(drawing("d1", "r1"))
    assert read.keep(drawing("d1", "another")) == first
    assert read.drawings("dr-1", HER) == []
    read.sent("d1")
    assert [each.drawing_id for each in read.drawings("dr-1", HER)] == ["d1"]


def test_drawings_come_in_the_order_of_their_reviews(read: Read) -> None:
    for drawing_id, review_id in (("x", "r2"), ("y", "r1"), ("z", "r3")):
        read.keep(drawing(drawing_id, review_id))
        read.sent(drawing_id)
    assert [each.drawing_id for each in read.drawings("dr-1", HER)] == ["y", "x", "z"]


def test_nothing_is_left_of_a_screening_that_was_erased(read: Read) -> None:
    read.look("dr-1", HER, {SWEEP: [(0, 4)]}, 1)
    read.keep(drawing("d1", "r1", sent=True))
    read.forget(HER)
    assert (read.looked("dr-1", HER), read.drawings("dr-1", HER)) == ({}, [])
