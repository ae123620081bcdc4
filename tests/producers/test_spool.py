"""The spool: order, receipts, and what survives."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import closing_item, features_item, frame_id, level, mint_id, opened_item
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item
from sonovan.producers.spool import HELD, QUEUED, REJECTED, SENT, STORED, Spool

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "van" / "spool.sqlite") as opened:
        yield opened


def control(topic: Topic, item_id: str, screening: str, content: str = "a") -> Item:
    return Item(item_id, topic, screening.encode(), content.encode() * 50, content * 64, screening)


def frame(screening: str, sequence: str, index: int, content: str = "b", held: str | None = None) -> Item:
    headers = (("screening_id", screening.encode()),)
    return Item(
        frame_id(sequence, index), Topic.FRAME_CAPTURED, sequence.encode(), content.encode() * 500, content * 64,
        screening, sequence, index, headers, held,
    )  # fmt: skip


def items_of(screening: str, sequence: str, frames: int) -> list[Item]:
    return [
        control(Topic.SCREENING_OPENED, opened_item(screening), screening),
        control(Topic.FEATURES_RECORDED, features_item(screening, 1), screening),
        *(frame(screening, sequence, index) for index in range(frames)),
        control(Topic.SEQUENCE_CLOSED, closing_item(sequence, 1), screening),
        control(Topic.SCREENING_CLOSED, closing_item(screening, 1), screening),
    ]


def fill(spool: Spool, items: list[Item]) -> None:
    with spool.screening() as put:
        for item in items:
            put(item)


def answer(item: Item, kind: str = "stored", content: str | None = None, retryable: bool = False) -> VanAnswered:
    return VanAnswered.model_validate(
        {
            "van_id": "van-1", "kind": kind, "screening_id": item.screening_id, "item_id": item.item_id,
            "content_sha256": content or item.content_sha256, "retryable": retryable,
            "reason": "van_unknown" if kind == "rejected" else None,
        }
    )  # fmt: skip


def test_items_go_opening_features_closings_frames_by_level_closing(spool: Spool) -> None:
    screening, sequence = mint_id(), mint_id()
    fill(spool, items_of(screening, sequence, 20))
    order = spool.pending(100, 0)
    assert order[:3] == [opened_item(screening), features_item(screening, 1), closing_item(sequence, 1)]
    assert order[-1] == closing_item(screening, 1)
    indices = [int(name[-6:]) for name in order[3:-1]]
    assert indices == sorted(range(20), key=lambda index: (level(index), index))


def test_the_woman_who_came_first_is_sent_first(spool: Spool) -> None:
    first, second = mint_id(), mint_id()
    fill(spool, items_of(first, mint_id(), 2))
    fill(spool, items_of(second, mint_id(), 2))
    order = spool.pending(100, 0)
    assert order.index(closing_item(first, 1)) < order.index(opened_item(second))


def test_a_message_comes_back_as_it_was_put(spool: Spool) -> None:
    item = frame(mint_id(), mint_id(), 7)
    fill(spool, [item])
    message = spool.load(item.item_id)
    assert message is not None
    assert (message.topic, message.key, message.value, message.headers) == (
        item.topic, item.key, item.value, item.headers,
    )  # fmt: skip


def test_only_a_receipt_with_the_same_hash_lets_an_item_go(spool: Spool) -> None:
    item = frame(mint_id(), mint_id(), 0)
    fill(spool, [item])
    spool.mark_sent(item.item_id)
    assert spool.load(item.item_id) is not None
    assert not spool.take_answer(answer(item, content="c" * 64), 0, 1)
    assert spool.load(item.item_id) is not None
    assert spool.take_answer(answer(item), 0, 2)
    assert spool.load(item.item_id) is None
    assert spool.status().counts[STORED] == 1
    assert spool.positions() == {0: 2}


def test_an_item_sent_without_a_receipt_is_sent_again_later(tmp_path: Path) -> None:
    now = [1000.0]
    item = frame(mint_id(), mint_id(), 0)
    with Spool(tmp_path / "s.sqlite", clock=lambda: now[0]) as spool:
        fill(spool, [item])
        spool.mark_sent(item.item_id)
        assert spool.pending(1, resend_before=999) == []
        assert spool.pending(1, resend_before=1001) == [item.item_id]


def test_rejected_items_stay_and_only_passing_reasons_are_retried(spool: Spool) -> None:
    screening, sequence = mint_id(), mint_id()
    final, passing = frame(screening, sequence, 0), frame(screening, sequence, 1, "c")
    fill(spool, [final, passing])
    spool.take_answer(answer(final, "rejected"), 0, 1)
    spool.take_answer(answer(passing, "rejected", retryable=True), 0, 2)
    assert spool.pending(9, 0) == []
    assert spool.load(final.item_id) is not None
    assert [item.retryable for item in spool.rejected(screening)] == [False, True]
    assert spool.retry() == 1
    assert spool.pending(9, 0) == [passing.item_id]
    assert spool.purge() == 1
    assert spool.load(final.item_id) is None


def test_stored_after_rejected_is_stored_and_never_the_other_way(spool: Spool) -> None:
    item = frame(mint_id(), mint_id(), 0)
    fill(spool, [item])
    spool.take_answer(answer(item, "rejected", retryable=True), 0, 1)
    spool.take_answer(answer(item), 0, 2)
    spool.take_answer(answer(item, "rejected"), 0, 3)
    assert spool.status().counts[STORED] == 1


def test_the_same_item_again_is_harmless_and_other_bytes_are_refused(spool: Spool) -> None:
    item = frame(mint_id(), mint_id(), 0)
    fill(spool, [item])
    fill(spool, [item])
    assert spool.status().counts[QUEUED] == 1
    with pytest.raises(InvalidRecord) as caught:
        fill(spool, [frame(item.screening_id, str(item.sequence_id), 0, "c")])
    assert caught.value.reason == "item_contradicts_spool"
    spool.take_answer(answer(item), 0, 1)
    fill(spool, [item])
    assert spool.pending(9, 0) == []


def test_a_screening_is_seen_whole_or_not_at_all(spool: Spool) -> None:
    items = items_of(mint_id(), mint_id(), 3)

    def broken(at: int) -> None:
        with spool.screening() as put:
            for item in items[:at]:
                put(item)
            assert spool.pending(9, 0) == []
            raise KeyError

    with pytest.raises(KeyError):
        broken(3)
    with sqlite3.connect(spool.path) as database:
        assert database.execute("SELECT (SELECT count(*) FROM items) + (SELECT count(*) FROM bodies)").fetchone() == (
            0,
        )
    fill(spool, items)
    assert spool.status().counts[QUEUED] == len(items)


def test_held_frames_are_counted_and_not_sent(spool: Spool) -> None:
    screening = mint_id()
    fill(spool, [frame(screening, mint_id(), 0, held="burned_in_annotation")])
    assert spool.pending(9, 0) == []
    assert spool.status(screening).counts[HELD] == 1
    assert spool.status(screening).waiting == 0


def test_the_newest_revision_is_remembered(spool: Spool) -> None:
    screening = mint_id()

    def word(number: int, status: str) -> VanAnswered:
        return VanAnswered.model_validate(
            {
                "van_id": "van-1", "kind": "report", "screening_id": screening, "item_id": f"{screening}/report",
                "content_sha256": "a" * 64, "status": status, "revision_id": "a" * 64, "revision_number": number,
                "findings": number,
            }
        )  # fmt: skip

    for number, status in ((1, "preliminary"), (3, "complete"), (2, "incomplete")):
        spool.take_answer(word(number, status), 0, number)
    report = spool.report(screening)
    assert report is not None
    assert (report.revision_number, report.status) == (3, "complete")


def test_purge_forgets_only_what_is_done(spool: Spool) -> None:
    done, open_ = mint_id(), mint_id()
    finished, waiting = items_of(done, mint_id(), 1), items_of(open_, mint_id(), 1)
    fill(spool, finished)
    fill(spool, waiting)
    for number, item in enumerate([*finished, waiting[0]]):
        spool.take_answer(answer(item), 0, number + 1)
    assert spool.purge() == len(finished)
    assert spool.status().counts == {QUEUED: len(waiting) - 1, SENT: 0, STORED: 1, REJECTED: 0, HELD: 0}


_WRITER = """
import sys
from pathlib import Path
from sonovan.contracts.ids import mint_id
from sonovan.producers.spool import Spool
from tests.producers.test_spool import items_of, fill
if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
from sonovan.contracts.errors import Transient
try:
    with Spool(Path(sys.argv[1])) as spool:
        while True:
            screening = mint_id()
            fill(spool, items_of(screening, mint_id(), 20))
            print(screening, flush=True)
except Transient as error:
    print("transient", error, flush=True)
"""


def writer(path: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), *more], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def check_whole(path: Path, finished: list[str]) -> None:
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with Spool(path) as spool:
        for screening in finished:
            assert spool.status(screening).counts[QUEUED] == 24
        with spool.screening():
            pass  # drops what was half composed
        assert spool.status().counts[QUEUED] % 24 == 0
        assert all(spool.load(name) is not None for name in spool.pending(10_000, 0))


@pytest.mark.parametrize("seed", range(4))
def test_kill_minus_nine_loses_nothing_that_was_spooled(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    process = writer(path)
    assert process.stdout is not None
    finished = [process.stdout.readline().strip() for _ in range(random.Random(seed).randint(1, 4))]
    os.kill(process.pid, signal.SIGKILL)
    finished += [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    check_whole(path, finished)


def test_a_full_disk_is_transient_names_the_folder_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    out, _ = writer(path, str(3_000_000)).communicate(timeout=60)
    *finished, last = out.splitlines()
    assert finished, "the limit must leave room for one screening"
    assert last.startswith("transient")
    assert str(tmp_path) in last
    check_whole(path, finished)


def test_a_damaged_file_is_fatal_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(Fatal):
        Spool(path)
    assert path.read_bytes().startswith(b"no database")


def test_a_folder_that_cannot_be_is_transient(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Transient) as caught:
        Spool(tmp_path / "file" / "spool.sqlite")
    assert str(tmp_path / "file") in str(caught.value)


def test_a_second_composer_waits_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    told, done = threading.Event(), threading.Event()

    def second() -> None:
        with Spool(path) as mine, mine.screening(told.set) as put:
            for item in items_of(mint_id(), mint_id(), 2):
                put(item)
        done.set()

    with Spool(path) as spool:
        with spool.screening() as put:
            thread = threading.Thread(target=second)
            thread.start()
            assert told.wait(30)
            for item in items_of(mint_id(), mint_id(), 2):
                put(item)
            assert not done.is_set()
        thread.join(30)
        assert spool.status().counts[QUEUED] == 12


def test_the_file_is_for_its_owner_alone(spool: Spool) -> None:
    assert spool.path.stat().st_mode & 0o077 == 0
    assert spool.path.parent.stat().st_mode & 0o077 == 0
