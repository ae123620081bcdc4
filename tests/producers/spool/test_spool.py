"""The spool: order, receipts, and what survives."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import closing_item, features_item, frame_id, mint_id, opened_item
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import FrameCaptured, ScreeningClosed
from sonovan.producers.items import Item
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import HELD, QUEUED, REJECTED, SENT, STORED, WITHHELD, Message, Spool
from sonovan.producers.vault import Vault
from tests.producers.visits import SIGNER, VISIT, vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "van" / "spool", vault_at(tmp_path / "van")) as opened:
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


def begun(spool: Spool) -> str:
    """A screening that the spool knows."""
    return spool.open_screening(VISIT, SIGNER).screening_id


def fill(spool: Spool, items: list[Item]) -> None:
    for item in items:
        spool.put(item)


def composed(spool: Spool, frames: int = 2) -> str:
    """A whole screening of one simulated sweep."""
    (source,) = simulated_sources("breast", 1, frames, 0)
    screening = spool.open_screening(VISIT, SIGNER, [source])
    compose_sequence(screening, source, mint_id())
    return screening.close().screening_id


def messages(spool: Spool) -> list[Message]:
    """Everything that waits, in its order."""
    loaded = [spool.load(item_id) for item_id in spool.pending(10_000, 0)]
    assert None not in loaded
    return [message for message in loaded if message is not None]


def receipt(message: Message) -> VanAnswered:
    """The centre has it."""
    envelope = open_envelope(message.value)
    record = TOPICS[Topic(message.topic)].value.decode(envelope.header)
    sha256 = record.pixels_sha256 if isinstance(record, FrameCaptured) else envelope.header_sha256
    return VanAnswered.model_validate(
        {"van_id": "van-1", "kind": "stored", "item_id": message.item_id, "content_sha256": sha256}
    )


def store_all(spool: Spool) -> int:
    """The centre has everything that waits; how much that was."""
    waiting = messages(spool)
    for offset, message in enumerate(waiting):
        spool.mark_sent(message.item_id)
        assert spool.take_answer(receipt(message), 0, offset + 1)
    return len(waiting)


def answer(item: Item, kind: str = "stored", content: str | None = None, retryable: bool = False) -> VanAnswered:
    return VanAnswered.model_validate(
        {
            "van_id": "van-1", "kind": kind, "screening_id": item.screening_id, "item_id": item.item_id,
            "content_sha256": content or item.content_sha256, "retryable": retryable,
            "reason": "van_unknown" if kind == "rejected" else None,
        }
    )  # fmt: skip


def report_of(screening: str, number: int, status: str) -> VanAnswered:
    return VanAnswered.model_validate(
        {
            "van_id": "van-1", "kind": "report", "screening_id": screening, "item_id": f"{screening}/report",
            "content_sha256": "a" * 64, "status": status, "revision_id": "a" * 64, "revision_number": number,
            "findings": number,
        }
    )  # fmt: skip


def test_a_message_comes_back_as_it_was_put(spool: Spool) -> None:
    item = frame(begun(spool), mint_id(), 7)
    fill(spool, [item])
    message = spool.load(item.item_id)
    assert message is not None
    assert (message.topic, message.key, message.value, message.headers) == (
        item.topic, item.key, item.value, item.headers,
    )  # fmt: skip


def test_only_a_receipt_with_the_same_hash_lets_an_item_go(spool: Spool) -> None:
    item = frame(begun(spool), mint_id(), 0)
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
    with Spool(tmp_path, vault_at(tmp_path), clock=lambda: now[0]) as spool:
        item = frame(begun(spool), mint_id(), 0)
        fill(spool, [item])
        spool.mark_sent(item.item_id)
        assert spool.pending(1, resend_before=999) == []
        assert spool.pending(1, resend_before=1001) == [item.item_id]
        now[0] -= 10 * 365 * 86400  # the clock was ten years ahead, and is set right
        assert spool.pending(1, resend_before=now[0]) == [item.item_id]


def test_rejected_items_stay_and_only_passing_reasons_are_retried(spool: Spool) -> None:
    screening, sequence = begun(spool), mint_id()
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
    item = frame(begun(spool), mint_id(), 0)
    fill(spool, [item])
    spool.take_answer(answer(item, "rejected", retryable=True), 0, 1)
    spool.take_answer(answer(item), 0, 2)
    spool.take_answer(answer(item, "rejected"), 0, 3)
    assert spool.status().counts[STORED] == 1


def test_the_same_item_again_is_harmless_and_other_bytes_are_refused(spool: Spool) -> None:
    item = frame(begun(spool), mint_id(), 0)
    fill(spool, [item])
    fill(spool, [item])
    assert spool.status().counts[QUEUED] == 1
    with pytest.raises(InvalidRecord) as caught:
        fill(spool, [frame(item.screening_id, str(item.sequence_id), 0, "c")])
    assert caught.value.reason == "item_contradicts_spool"
    spool.take_answer(answer(item), 0, 1)
    fill(spool, [item])
    assert spool.pending(9, 0) == []


def test_held_frames_are_counted_and_not_sent(spool: Spool) -> None:
    screening = begun(spool)
    fill(spool, [frame(screening, mint_id(), 0, held="burned_in_annotation")])
    assert spool.pending(9, 0) == []
    assert spool.status(screening).counts[HELD] == 1
    assert spool.status(screening).waiting == 0


def test_the_newest_revision_is_remembered(spool: Spool) -> None:
    screening = mint_id()

    for number, status in ((1, "preliminary"), (3, "complete"), (2, "incomplete")):
        spool.take_answer(report_of(screening, number, status), 0, number)
    report = spool.report(screening)
    assert report is not None
    assert (report.revision_number, report.status) == (3, "complete")


def test_purge_forgets_closed_screenings_that_are_stored_whole(spool: Spool) -> None:
    done = composed(spool)
    count = store_all(spool)
    waiting = composed(spool)
    unfinished = begun(spool)
    assert spool.purge() == count == 5
    assert spool.status().counts == {QUEUED: 5, SENT: 0, STORED: 0, REJECTED: 0, HELD: 0, WITHHELD: 0}
    assert [each.screening_id for each in spool.screenings()] == [done, waiting, unfinished]


def test_a_purged_screening_gets_further_sequences_and_a_higher_closing_but_no_old_sequence_goes_on(
    spool: Spool,
) -> None:
    name = composed(spool)
    store_all(spool)
    (before,) = spool.screenings()
    spool.purge()
    first, second = simulated_sources("breast", 2, 2, 0)
    screening = spool.resume_screening(name, SIGNER)
    compose_sequence(screening, second, mint_id())
    screening.close()
    (after,) = spool.screenings()
    assert (before.closing_number, after.closing_number, after.sequences) == (1, 2, 2)
    (sent_last,) = [each for each in messages(spool) if each.topic == Topic.SCREENING_CLOSED]
    closing = ScreeningClosed.decode(open_envelope(sent_last.value).header)
    assert len(closing.sequence_ids) == 2
    sequence = screening.begin(first, closing.sequence_ids[0])
    with pytest.raises(InvalidRecord, match="purged"):
        sequence.add(next(first.read()))


def test_what_is_kept_is_bounded_by_size_and_the_oldest_sent_goes_first(tmp_path: Path) -> None:
    now = [0.0]
    with Spool(tmp_path, vault_at(tmp_path), keep_bytes=1200, clock=lambda: now[0]) as spool:
        screening, sequence = begun(spool), mint_id()
        frames = [frame(screening, sequence, index) for index in range(4)]  # 500 bytes each
        fill(spool, frames)
        for offset, index in enumerate((2, 0, 1)):
            now[0] += 1
            spool.mark_sent(frames[index].item_id)
            spool.take_answer(answer(frames[index]), 0, offset)
        kept = [spool.load(item.item_id) is not None for item in frames]
        assert kept == [False, True, False, True]
        assert spool.load(frames[3].item_id) is not None, "what is not stored never goes"
        assert len(list((tmp_path / "items").iterdir())) == sum(kept)


def test_nothing_is_readable_on_the_disk_and_no_name_tells_anything(tmp_path: Path) -> None:
    visit = replace(VISIT, subject_key="5e" * 32, features={"age_years": 47})
    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        screening = spool.open_screening(visit, SIGNER).screening_id
        fill(spool, items_of(screening, mint_id(), 2))
        spool.take_answer(report_of(screening, 1, "complete"), 0, 1)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        on_disk = b"".join(path.read_bytes() for path in files)
    assert all(len(path.name) == 32 for path in files if path.parent.name == "items")
    assert not any(screening in str(path) for path in files)
    for secret in (b"5e" * 32, b"age_years", b"b" * 100, b"site-1", b'"findings"', b"complete"):
        assert secret not in on_disk, secret


def test_what_was_changed_on_the_disk_or_put_in_anothers_place_is_refused(spool: Spool) -> None:
    screening, sequence = begun(spool), mint_id()
    one, other = frame(screening, sequence, 0), frame(screening, sequence, 1, "c")
    fill(spool, [one])
    (first,) = (spool.folder / "items").iterdir()
    fill(spool, [other])
    (second,) = (path for path in (spool.folder / "items").iterdir() if path != first)
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(Fatal, match="changed or damaged"):
        spool.load(one.item_id)
    first.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(Fatal, match="changed or damaged"):
        spool.load(one.item_id)
    first.write_bytes(kept)
    assert spool.load(one.item_id) is not None
    first.unlink()
    with pytest.raises(Fatal, match="gone"):
        spool.load(one.item_id)


def test_another_vault_opens_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        item = frame(begun(spool), mint_id(), 0)
        fill(spool, [item])
    with Spool(tmp_path, Vault(tmp_path, b"x" * 32)) as spool, pytest.raises(Fatal):
        spool.load(item.item_id)


def test_a_damaged_file_is_fatal_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(Fatal):
        Spool(tmp_path, vault_at(tmp_path))
    assert path.read_bytes().startswith(b"no database")


def test_a_folder_that_cannot_be_is_transient(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Transient) as caught:
        Spool(tmp_path / "file" / "spool", vault_at(tmp_path))
    assert str(tmp_path / "file") in str(caught.value)


def test_every_file_is_for_its_owner_alone(spool: Spool) -> None:
    fill(spool, [frame(begun(spool), mint_id(), 0)])
    found = [spool.folder, *spool.folder.rglob("*")]
    assert len(found) > 4
    assert [path for path in found if path.is_dir() and path.stat().st_mode & 0o077] == []
    assert [path for path in found if path.parent.name == "items" and path.stat().st_mode & 0o077] == []
    assert (spool.folder / "spool.sqlite").stat().st_mode & 0o077 == 0


def test_two_spools_of_one_folder_compose_and_send_at_once(tmp_path: Path) -> None:
    """Two scanners and an uploader: 3 × 20 frames in threads with a connection each, while others are sent."""

    def compose_one() -> str:
        with Spool(tmp_path, vault_at(tmp_path)) as mine:
            return composed(mine, 20)

    with ThreadPoolExecutor(4) as pool, Spool(tmp_path, vault_at(tmp_path)) as spool:
        composing = [pool.submit(compose_one) for _ in range(3)]
        sent = 0
        while not all(each.done() for each in composing):
            sent += store_all(spool)
        names = {each.result() for each in composing}
        sent += store_all(spool)
        assert {each.screening_id for each in spool.screenings()} == names
        assert sent == spool.status().counts[STORED] == 3 * 23
        assert list((tmp_path / "items").iterdir()) == []


def test_only_one_uploads_and_another_waits(tmp_path: Path) -> None:
    told, began = threading.Event(), threading.Event()

    def second() -> None:
        with Spool(tmp_path, vault_at(tmp_path)) as mine, mine.uploading(told.set):
            began.set()

    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        with spool.uploading():
            thread = threading.Thread(target=second)
            thread.start()
            assert told.wait(30)
            assert not began.is_set()
        assert began.wait(30)
        thread.join(30)
