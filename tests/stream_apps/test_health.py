import asyncio
import json
import os
from pathlib import Path

import aiohttp
import pytest

from sonovan.contracts.errors import Fatal
from sonovan.stream_apps.health import HEALTH_FILE, Health
from sonovan.stream_apps.progress import BROKER, Progress


async def answers(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        return answer.status, await answer.text()


def test_a_worker_answers_on_loopback_at_a_port_of_its_own_and_says_where(tmp_path: Path) -> None:
    async def metrics() -> str:
        return "sonovan_partitions 12\n"

    async def both() -> None:
        waiting = Progress(60.0)
        waiting.waits(BROKER, "the broker does not answer")
        first = Health(tmp_path / "1", waiting, metrics)
        second = Health(tmp_path / "2", Progress(60.0), metrics)
        addresses = [await each.start("127.0.0.1", 0) for each in (first, second)]
        assert len(set(addresses)) == 2
        assert all(address.startswith("http://127.0.0.1:") for address in addresses)
        told = json.loads((tmp_path / "1" / HEALTH_FILE).read_text())
        assert told == {"pid": os.getpid(), "address": addresses[0]}
        assert await answers(addresses[0], "/healthz") == (200, "alive\n")
        assert await answers(addresses[0], "/readyz") == (503, "the broker does not answer\n")
        waiting.has(BROKER)
        assert await answers(addresses[0], "/readyz") == (200, "ready\n")
        assert await answers(addresses[1], "/metrics") == (200, "sonovan_partitions 12\n")
        assert (await answers(addresses[0], "/tables"))[0] == 404
        await first.stop()
        await second.stop()
        assert not (tmp_path / "1" / HEALTH_FILE).exists()

    asyncio.run(both())


def test_a_port_that_is_taken_is_fatal_and_names_its_setting(tmp_path: Path) -> None:
    async def metrics() -> str:
        return ""

    async def clash() -> None:
        first, second = (Health(tmp_path / name, Progress(60.0), metrics) for name in ("1", "2"))
        port = int((await first.start("127.0.0.1", 0)).rpartition(":")[2])
        try:
            with pytest.raises(Fatal, match="SONOVAN_HEALTH_PORT"):
                await second.start("127.0.0.1", port)
        finally:
            await first.stop()

    asyncio.run(clash())


def test_work_that_nobody_finishes_is_not_live_and_a_wait_is_no_death(tmp_path: Path) -> None:
    now = {"s": 0.0}
    progress = Progress(60.0, ticks=lambda: now["s"])

    async def metrics() -> str:
        return ""

    async def both() -> None:
        health = Health(tmp_path, progress, metrics)
        address = await health.start("127.0.0.1", 0)
        now["s"] += 1000.0
        assert await answers(address, "/healthz") == (200, "alive\n")  # nothing to do
        progress.busy("in hand", True)
        now["s"] += 59.0
        assert await answers(address, "/healthz") == (200, "alive\n")
        now["s"] += 2.0
        stuck = (503, "has work and finished nothing of it for 61 s\n")
        assert [await answers(address, path) for path in ("/healthz", "/readyz")] == [stuck, stuck]
        progress.waits(BROKER, "the broker does not answer")
        assert await answers(address, "/healthz") == (200, "alive\n")  # starting again would help nothing
        assert await answers(address, "/readyz") == (503, "the broker does not answer\n")
        now["s"] += 1000.0
        progress.has(BROKER)
        assert await answers(address, "/healthz") == (200, "alive\n")
        progress.advanced()
        progress.busy("in hand", False)
        now["s"] += 1000.0
        assert await answers(address, "/healthz") == (200, "alive\n")
        await health.stop()

    asyncio.run(both())
