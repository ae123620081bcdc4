import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.stage import alert_stage
from tests.stream_apps.alert.scene import RULES, TO_WEBHOOK, Seen, revision
from tests.stream_apps.memory import Run, World

NOW = 1_700_000_000.0


class Desk:
    """An alert worker with a real outbox."""

    def __init__(self, folder: Path) -> None:
        self.world, self.outbox = World(), Outbox(sqlite_url(folder / "outbox.sqlite"))
        stage = alert_stage(self.outbox, RULES, TO_WEBHOOK, self.world.registry.verify, now=lambda: NOW)
        self.worker = Run(self.world, lambda _world, _tables: stage)

    async def take(self, *values: bytes) -> None:
        await self.worker.take([self.world.append(Topic.SCREENING_ASSESSED, value, partition=3) for value in values])

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
    asyncio.run(desk.take(revision(1, {1: "suspicious"}).encode()))
    assert [state for _, state in desk.owed()] == ["raised"]


def test_nobody_is_told_of_a_screening_that_was_erased_whatever_comes_late(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first, later = revision(1, {1: "suspicious"}), revision(2, {1: "suspicious", 2: "suspicious"})
    at = datetime.fromtimestamp(NOW, UTC)
    asked = ScreeningErased(screening_id=first.screening_id, because="she_asked", by="op-7", erased_at=at)

    async def erased_between() -> None:
        await desk.take(first.encode())
        assert desk.outbox.owed()
        await desk.worker.take([desk.world.append(Topic.SCREENING_ERASED, asked.encode(), partition=3)])
        await desk.take(first.encode(), later.encode())

    asyncio.run(erased_between())
    assert desk.owed() == []


@pytest.mark.parametrize("value", [b"", b"{", b'{"schema":"screening.assessed/9.0"}', b"\xff"])
def test_what_cannot_be_read_is_rejected_kept_and_acknowledged(tmp_path: Path, value: bytes) -> None:
    desk = Desk(tmp_path)
    asyncio.run(desk.take(value))
    ((topic, _, sent),) = desk.world.sent
    record = RecordRejected.decode(sent)
    assert (topic, record.stage, record.partition, record.offset) == (Topic.RECORD_REJECTED, "alert", 3, 0)
    assert desk.world.store.get(Bucket.QUARANTINE, record.quarantine_key) == value
    assert desk.owed() == []


LESIONS = st.dictionaries(st.integers(1, 2), st.sampled_from(["suspicious", "harmless", "gone"]))


@settings(max_examples=25, deadline=None)
@given(
    history=st.lists(LESIONS, min_size=1, max_size=5),
    jumps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5)), max_size=3),
)
def test_redelivery_tells_nobody_anything_new(history: list[dict[int, Seen]], jumps: list[tuple[int, int]]) -> None:
    """jumps: (where, how many): after `where` revisions, the last ones come again."""
    revisions = [revision(number, lesions).encode() for number, lesions in enumerate(history, start=1)]

    order = list(revisions)
    for where, back in jumps:
        end = min(where + 1, len(revisions))
        at = len(order) - 1 - order[::-1].index(revisions[end - 1]) + 1
        order[at:at] = revisions[max(end - back, 0) : end]
    with tempfile.TemporaryDirectory() as once, tempfile.TemporaryDirectory() as often:
        calm, stormy = Desk(Path(once)), Desk(Path(often))
        asyncio.run(calm.take(*revisions))
        asyncio.run(stormy.take(*order))
        assert stormy.owed() == calm.owed()
