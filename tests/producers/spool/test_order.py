"""The order in which what waits is sent, and what may go at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.ids import closing_item, features_item, level, mint_id, opened_item
from sonovan.contracts.topics import Topic
from sonovan.producers.spool import QUEUED, SENT, Spool
from sonovan.producers.spool.queue import MOST_HERE, QUEUED_IN_ORDER, QUEUED_OF_ONE, SENT_BEFORE, STILL_HERE
from sonovan.producers.spool.states import EARLY, EARLY_LEVELS, LATE
from tests.producers.spool.test_spool import begun, fill, items_of, messages
from tests.producers.visits import vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "van" / "spool", vault_at(tmp_path / "van")) as opened:
        yield opened


def test_items_go_opening_features_closings_then_frames_by_level(spool: Spool) -> None:
    screening, sequence = begun(spool), mint_id()
    fill(spool, items_of(screening, sequence, 20))
    order = spool.pending(100, 0)
    control_items = [opened_item(screening), features_item(screening, 1), closing_item(sequence, 1)]
    assert order[:4] == [*control_items, closing_item(screening, 1)]
    indices = [int(name[-6:]) for name in order[4:]]
    assert indices == sorted(range(20), key=lambda index: (level(index), index))


def closed(spool: Spool, frames: int) -> str:
    """A screening that was closed: the woman has left."""
    screening = begun(spool)
    fill(spool, items_of(screening, mint_id(), frames))
    with spool._db.transaction():
        spool._db.write("UPDATE screenings SET changed = 0 WHERE screening_id = ?", screening)
    return screening


def frames_in_order(spool: Spool, *screenings: str) -> list[tuple[int, int]]:
    """Of every frame that waits: whose of these it is, and its level."""
    loaded = [message for message in messages(spool) if message.topic == Topic.FRAME_CAPTURED]
    owners = [dict(message.headers)["screening_id"].decode() for message in loaded]
    return [
        (screenings.index(owner), level(int(each.item_id[-6:]))) for owner, each in zip(owners, loaded, strict=True)
    ]


def test_records_without_pixels_of_every_woman_go_before_any_frame(spool: Spool) -> None:
    first, second = closed(spool, 2), closed(spool, 2)
    order = spool.pending(100, 0)
    assert order.index(closing_item(first, 1)) < order.index(opened_item(second)) < 8
    assert [each for each in order[:8] if each[:-1].endswith("/00000")] == []


def test_early_frames_of_who_is_still_here_go_first_and_late_ones_in_turn(spool: Spool) -> None:
    gone = [closed(spool, 17), closed(spool, 17)]
    here = [begun(spool), begun(spool)]
    for screening in here:
        fill(spool, items_of(screening, mint_id(), 17))
    owners = list(dict.fromkeys((who, at >= EARLY_LEVELS) for who, at in frames_in_order(spool, *gone, *here)))
    early, late = [(who, False) for who in (3, 2, 0, 1)], [(who, True) for who in range(4)]
    assert owners == early + late


def test_early_frames_of_who_stays_although_her_screening_is_closed_go_first_until_she_left(spool: Spool) -> None:
    gone, stays = closed(spool, 17), closed(spool, 17)
    spool.set_staying(stays, True)
    assert owners(spool)[0] == stays
    spool.set_staying(stays, False)
    assert owners(spool)[0] == gone


def owners(spool: Spool) -> list[str]:
    """Of whom frames of the first levels wait, in the order of sending."""
    items = [spool.load(each) for each in spool.pending(2000, 0, levels=EARLY_LEVELS)]
    frames = [each for each in items if each is not None and each.topic == Topic.FRAME_CAPTURED]
    return list(dict.fromkeys(dict(each.headers)["screening_id"].decode() for each in frames))


def test_who_is_scanned_again_goes_before_any_number_of_women_who_were_closed_and_never_marked_as_left(
    spool: Spool,
) -> None:
    scanned = begun(spool)
    fill(spool, items_of(scanned, mint_id(), 5))
    stay = [closed(spool, 5) for _ in range(MOST_HERE + 1)]
    for each in stay:
        spool.set_staying(each, True)
    newest_first = stay[::-1]
    assert owners(spool) == [scanned, *newest_first[: MOST_HERE - 1], *stay[:2]]


def test_who_was_never_marked_as_left_counts_as_gone_after_two_hours_whichever_way_the_clock_was_set(
    tmp_path: Path,
) -> None:
    now = [1_000_000.0]
    with Spool(tmp_path / "spool", vault_at(tmp_path), clock=lambda: now[0]) as spool:
        gone, forgotten = closed(spool, 5), closed(spool, 5)
        spool.set_staying(forgotten, True)
        for later_s, stays in ((7199.0, True), (-7199.0, True), (7201.0, False), (-7201.0, False)):
            now[0] = 1_000_000.0 + later_s
            assert spool.is_staying(forgotten) is stays, later_s
            assert owners(spool) == ([forgotten, gone] if stays else [gone, forgotten]), later_s
        spool.set_staying(gone, False)
        assert spool._db.read("SELECT * FROM couch") == [], "nobody is remembered for ever"


def test_frames_of_later_levels_wait_where_the_link_lets_no_more_go(spool: Spool) -> None:
    screening = closed(spool, 33)
    assert len(spool.pending(100, 0, levels=0)) == 4
    for item_id in spool.pending(6, 0):
        spool.mark_sent(item_id)
    levels = {level(int(each[-6:])) for each in spool.pending(100, 0, levels=2)}
    assert levels == {0, 1}
    later = float("inf")
    sent_again = [each for each in spool.pending(100, later, levels=1) if "closed" not in each and "/0" in each]
    assert {level(int(each[-6:])) for each in sent_again} == {0}
    assert len(spool.pending(100, 0)) == 37 - 6
    assert spool.status(screening).counts[SENT] == 6


def test_the_first_of_what_waits_are_the_same_however_many_are_asked_for(spool: Spool) -> None:
    closed(spool, 20)
    fill(spool, items_of(begun(spool), mint_id(), 20))
    everything = spool.pending(100, 0)
    assert len(everything) == len(set(everything)) == 48
    assert [spool.pending(limit, 0) for limit in range(1, 49)] == [everything[:limit] for limit in range(1, 49)]


def test_what_is_next_is_found_by_an_index_however_much_waits(spool: Spool) -> None:
    """Sorting all that waits for each item that is sent costs more than the item, on a busy day."""
    for query, values in (
        (QUEUED_IN_ORDER, (QUEUED, LATE, 5, 1)),
        (QUEUED_OF_ONE, (QUEUED, EARLY, 7, 5, 1)),
        (SENT_BEFORE, (SENT, 1.0, SENT, 2.0)),
        (STILL_HERE, (8,)),
    ):
        plan = [row[3] for row in spool._db.read(f"EXPLAIN QUERY PLAN {query}", *values)]
        assert not [step for step in plan if step.startswith("SCAN") or "ORDER BY" in step], plan
