import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Topic
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.storage.outbox import Decide, Outbox, Version
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.handle import Handler
from sonovan.stream_apps.rejecting import Coordinates
from tests.stream_apps.alert.scene import RULE, Seen, revision

NOW = 1_700_000_000.0


class Event:
    """As much of a Faust event as the handler uses."""

    def __init__(self) -> None:
        self.acked = False

    def ack(self) -> bool:
        self.acked = True
        return True


class Log:
    """A producer whose broker keeps everything at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    @property
    def producer(self) -> "Log":
        return self

    async def send(self, topic: str, key: bytes, value: bytes, **_: object) -> "asyncio.Future[SimpleNamespace]":
        self.sent.append((topic, key, value))
        kept: asyncio.Future[SimpleNamespace] = asyncio.get_running_loop().create_future()
        kept.set_result(SimpleNamespace(offset=len(self.sent) - 1))
        return kept


class Desk:
    """A handler with a real outbox and store in a folder."""

    def __init__(self, folder: Path, outbox: Outbox | None = None) -> None:
        self.log, self.store = Log(), FolderStore(folder / "store")
        self.outbox = outbox or Outbox(sqlite_url(folder / "outbox.sqlite"))
        self.handler = Handler(self.log, self.store, self.outbox, RULE, ("webhook",), lambda: NOW)

    async def take(self, value: bytes | None) -> bool:
        """Whether the event was acknowledged."""
        event = Event()
        at = Coordinates(Topic.SCREENING_ASSESSED, 3, 7, datetime.fromtimestamp(NOW, UTC))
        await self.handler.handle(event, at, value)
        return event.acked

    def owed(self) -> list[tuple[str, str]]:
        """(key, state) of everything owed, in the order in which it would leave."""
        found: list[tuple[str, str]] = []
        now = datetime.fromtimestamp(NOW + 1, UTC)
        while batch := self.outbox.claim("webhook", now, timedelta(days=1)):
            found += [(each.key, LesionAlerted.decode(each.body).state) for each in batch]
            for each in batch:
                self.outbox.delivered(each.key, now)
        return found


def test_a_revision_is_acknowledged_once_its_alert_is_owed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert asyncio.run(desk.take(revision(1, {1: "suspicious"}).encode()))
    assert [state for _, state in desk.owed()] == ["raised"]


@pytest.mark.parametrize("value", [None, b"", b"{", b'{"schema":"screening.assessed/9.0"}', b"\xff"])
def test_what_cannot_be_read_is_rejected_kept_and_acknowledged(tmp_path: Path, value: bytes | None) -> None:
    desk = Desk(tmp_path)
    assert asyncio.run(desk.take(value))
    ((topic, _, sent),) = desk.log.sent
    record = RecordRejected.decode(sent)
    assert (topic, record.stage, record.partition, record.offset) == (Topic.RECORD_REJECTED, "alert", 3, 7)
    assert desk.store.get(Bucket.QUARANTINE, record.quarantine_key) == (value or b"")
    assert desk.owed() == []


class Away(Outbox):
    """A database that is away while partitions move."""

    desk: Desk
    away = 2

    def take(self, version: Version, decide: Decide, now: datetime) -> int:
        self.away -= 1
        if self.away == 0:
            asyncio.run(self.desk.handler.forget())
        if self.away >= 0:
            raise Transient("the outbox does not answer")
        return super().take(version, decide, now)


def test_what_was_in_flight_while_partitions_moved_is_not_acknowledged(tmp_path: Path) -> None:
    outbox = Away(sqlite_url(tmp_path / "outbox.sqlite"))
    desk = outbox.desk = Desk(tmp_path, outbox)
    value = revision(1, {1: "suspicious"}).encode()
    assert not asyncio.run(desk.take(value))
    assert asyncio.run(desk.take(value))
    assert [state for _, state in desk.owed()] == ["raised"]


LESIONS = st.dictionaries(st.integers(1, 2), st.sampled_from(["suspicious", "harmless", "gone"]))


@settings(max_examples=25, deadline=None)
@given(
    history=st.lists(LESIONS, min_size=1, max_size=5),
    jumps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5)), max_size=3),
)
def test_redelivery_tells_nobody_anything_new(history: list[dict[int, Seen]], jumps: list[tuple[int, int]]) -> None:
    """jumps: (where, how many): after `where` revisions, the last ones come again."""
    revisions = [revision(number, lesions).encode() for number, lesions in enumerate(history, start=1)]

    async def hear(desk: Desk, values: list[bytes]) -> None:
        for value in values:
            assert await desk.take(value)

    order = list(revisions)
    for where, back in jumps:
        end = min(where + 1, len(revisions))
        at = len(order) - 1 - order[::-1].index(revisions[end - 1]) + 1
        order[at:at] = revisions[max(end - back, 0) : end]
    with tempfile.TemporaryDirectory() as once, tempfile.TemporaryDirectory() as often:
        calm, stormy = Desk(Path(once)), Desk(Path(often))
        asyncio.run(hear(calm, revisions))
        asyncio.run(hear(stormy, order))
        assert stormy.owed() == calm.owed()
