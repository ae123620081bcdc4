"""Reading ahead gives the same items, bounded, and ends with whoever takes them."""

from collections.abc import Iterator
from threading import Event, active_count

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.ahead import read_ahead
from tests.waiting import until


def test_items_come_in_their_order() -> None:
    with read_ahead(iter(range(100)), lambda _item: 1, 7) as items:
        assert list(items) == list(range(100))


def test_no_more_is_read_ahead_than_there_is_room_for() -> None:
    read: list[int] = []

    def reading() -> Iterator[int]:
        for number in range(20):
            read.append(number)
            yield number

    with read_ahead(reading(), lambda _item: 10, 35) as items:
        until(lambda: len(read) == 4, "it reads as much as fits, and one more that waits for room")
        assert next(items) == 0
        until(lambda: len(read) == 5, "there is room for another one")
        assert list(items) == list(range(1, 20))


def test_an_item_that_is_larger_than_the_room_comes_all_the_same() -> None:
    with read_ahead(iter([100, 200]), lambda item: item, 10) as items:
        assert list(items) == [100, 200]


def test_what_reading_raises_comes_after_the_items_before_it() -> None:
    def breaking() -> Iterator[int]:
        yield 1
        raise InvalidRecord("frame_unreadable", "the second one")

    with read_ahead(breaking(), lambda _item: 1, 10) as items:
        assert next(items) == 1
        with pytest.raises(InvalidRecord, match="the second one"):
            next(items)


def test_reading_ends_where_nobody_takes_any_more() -> None:
    before, closed = active_count(), Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def taking() -> None:
        with read_ahead(endless(), lambda _item: 1, 10) as items:
            next(items)
            raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        taking()
    assert active_count() == before
    until(closed.is_set, "its source is closed")
