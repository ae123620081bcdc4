"""A van with a valid key sends small frames, each at the cost of a forward pass: other vans have their turns."""

from typing import Final

import pytest

from benchmarks.hostile_records import OwnRecords
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from tests.journeys.account import wait_for
from tests.journeys.van import Van, sweep
from tests.journeys.world import World
from tests.waiting import DEADLINE_S, until

pytestmark = pytest.mark.services

FLOOD: Final = 80
"""Frames of another sequence each, in any partition: twelve are worked on, eight wait (`conftest.ATTACKED`), and the
others are deferred."""


def results(world: World, van: Van) -> int:
    """How many results of this van's frames there are."""
    frames = {one.frame_id for one in world.records(Topic.FRAME_SEGMENTED, FrameSegmented) if one.van_id == van.van_id}
    return len(frames)


def test_frames_behind_a_flood_of_small_frames_have_their_results_long_before_the_flood_is_through(
    world: World,
) -> None:
    honest, flooding = Van(world), Van(world)
    own, screening_id = OwnRecords(flooding.signer), mint_id()
    made = [own.frame(own.smallest, screening_id=screening_id) for _ in range(FLOOD)]
    screening = honest.screening(sweep(4))
    flooding.send_values([(topic, key.encode(), value, ()) for topic, key, value in made])
    honest.send(screening.items)
    world.until(lambda: results(world, honest) == 4, "the honest van's frames have their results")
    through = results(world, flooding)
    assert through < FLOOD / 2, f"{through} of the flood came first"
    wait_for(world, screening, "complete")
    until(
        lambda: results(world, flooding) == FLOOD,
        "every frame of the flood has its result",
        deadline_s=3 * DEADLINE_S,
        evidence=lambda: f"{results(world, flooding)} have it\n{world.log_tails()}",
    )
