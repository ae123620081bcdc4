"""When a worker holds, and what that does to the messages that it is given."""

import asyncio
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from sonovan.contracts.broker import BrokerSettings
from sonovan.stream_apps.alert.stage import open_stage
from sonovan.stream_apps.progress import DISK, Progress
from sonovan.stream_apps.settings import WorkerSettings
from sonovan.stream_apps.stage import Given
from sonovan.stream_apps.vans import VanRegistry
from sonovan.stream_apps.watching import look_at_disks
from tests.stream_apps.cases import CASES
from tests.stream_apps.memory import Delivered, Run
from tests.waiting import comes_true, turn

MORE_THAN_THERE_IS_MB = 10**12


def test_a_disk_that_is_nearly_full_is_named_and_another_is_not(tmp_path: Path) -> None:
    progress = Progress(60.0)
    look_at_disks(progress, (tmp_path, tmp_path / "not there"), MORE_THAN_THERE_IS_MB)
    (said,) = progress.waiting
    assert "the disk is nearly full" in said
    assert str(tmp_path) in said
    look_at_disks(progress, (tmp_path,), 0)
    assert progress.waiting == ()


def test_a_worker_on_a_full_disk_takes_and_acknowledges_nothing_until_there_is_room(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)

    async def held() -> None:
        worker, message = Run(case.world, case.open), case.world.open_messages()[0]
        worker.progress.waits(DISK, "the disk is nearly full")
        taking = asyncio.create_task(worker.handling.take(Delivered(case.world, message), message))
        for _ in range(20):
            await turn()
        assert case.world.effects == []
        assert not taking.done()
        worker.progress.has(DISK)
        await taking
        assert case.world.acknowledged
        await worker.end()

    asyncio.run(held())


def test_a_message_that_was_held_while_partitions_moved_is_left_to_its_next_owner(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)

    async def moved() -> None:
        worker, message = Run(case.world, case.open), case.world.open_messages()[0]
        worker.progress.waits(DISK, "the disk is nearly full")
        taking = asyncio.create_task(worker.handling.take(Delivered(case.world, message), message))
        await turn()
        await worker.handling.move()
        worker.progress.has(DISK)
        await taking
        assert case.world.effects == []
        await worker.end()

    asyncio.run(moved())


def test_an_alert_stage_says_that_it_waits_for_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken and not listened at: whoever comes is refused
        url = f"postgresql+psycopg://nobody:secret@127.0.0.1:{nobody.getsockname()[1]}/outbox"
        monkeypatch.setenv("SONOVAN_ALERT_DATABASE_URL", url)
        progress = Progress(60.0)
        given = Given(
            BrokerSettings(bootstrap="127.0.0.1:9", username="alert", password=SecretStr("not used here at all")),
            WorkerSettings(data_dir=tmp_path), None, VanRegistry(), None, _unsent, progress,  # type: ignore[arg-type]  # neither is used while it opens
        )  # fmt: skip

        async def opening() -> None:
            task = asyncio.create_task(open_stage(given))
            await comes_true(lambda: bool(progress.waiting), 30.0)
            task.cancel()

        asyncio.run(opening())
        (said,) = progress.waiting
        assert said.startswith("the outbox does not answer")
        assert "secret" not in said


async def _unsent(topic: str, key: bytes, value: bytes) -> int:
    raise AssertionError(topic)
