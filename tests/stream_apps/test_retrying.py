import asyncio

import pytest

from sonovan.contracts.errors import Fatal, Transient
from sonovan.stream_apps.retrying import FIRST_S, LONGEST_S, retry


class World:
    """Not ready for the first `failures` times."""

    def __init__(self, failures: int, error: type[Exception] = Transient) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    async def act(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error("away")
        return "done"


def retried(world: World, jitter: float) -> tuple[str, list[float]]:
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)

    return asyncio.run(retry(world.act, sleep=sleep, jitter=lambda: jitter)), pauses


def test_what_is_transient_is_tried_until_it_works_with_growing_pauses() -> None:
    result, pauses = retried(World(failures=10), jitter=1.0)
    assert result == "done"
    assert pauses[:3] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    assert pauses[-1] == LONGEST_S


def test_jitter_shortens_a_pause_to_no_less_than_half() -> None:
    assert retried(World(failures=1), jitter=0.0)[1] == [FIRST_S / 2]


def test_what_is_fatal_is_not_tried_again() -> None:
    world = World(failures=1, error=Fatal)
    with pytest.raises(Fatal):
        retried(world, jitter=0.5)
    assert world.calls == 1
