"""Partitions that move while `assess` has work in flight: what the spine's eleven journeys rarely meet."""

import pytest

from tests.journeys.account import assert_sound, newest, wait_for
from tests.journeys.van import Screening, Van, sweep
from tests.journeys.world import World

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]

JOINS = 12


def test_what_assess_had_in_flight_while_partitions_moved_is_taken_again(world: World) -> None:
    world.work()
    van = Van(world)
    screenings = [van.screening(sweep(8)) for _ in range(6)]  # over several partitions: some move, some stay
    for screening in screenings:
        van.send(screening.items[:-1])
    world.until(lambda: all(said(world, each) == ("preliminary", 8) for each in screenings), "all frames are heard")
    with world.without("minio"):
        for screening in screenings:
            van.send(screening.items[-1:])
        world.until(lambda: "not ready, trying again" in world.log("assess"), "assess cannot store a report")
        world.start("assess", JOINS)
        assert world.stop("assess", JOINS) < 10
        assert all(said(world, each) == ("preliminary", 8) for each in screenings)
    for screening in screenings:
        wait_for(world, screening, "complete")
    assert_sound(world, *screenings)


def said(world: World, screening: Screening) -> tuple[str, int] | None:
    """Status and frames of the newest revision."""
    revision = newest(world, screening)
    return None if revision is None else (revision.status, revision.frames)
