"""Twenty seconds of the stream that `make bench-hostile` runs for ten minutes: nothing ends, grows or starves."""

import pytest

from benchmarks.hostile import Plan, run
from tests.journeys.world import World

pytestmark = pytest.mark.services

BUSY_S = {"p50": 240.0, "p95": 240.0, "max": 240.0}
"""Other tests share the machine: here this only tells "late" from "never"; how late is the benchmark's question."""

PLAN = Plan(
    seconds=20.0,
    reference_s=4.0,
    honest=1,
    hostile=2,
    frames=8,
    fps=4.0,
    every_s=5.0,
    bytes_per_s=512 * 1024,
    seed=2,
    more_s=BUSY_S,
)


def test_beside_hostile_vans_no_worker_grows_or_ends_and_an_honest_van_loses_nothing(world: World) -> None:
    results = run(world.centre, PLAN)
    assert results["broken"] == [], f"{results}\n{world.log_tails()}"
    assert results["rejected"].keys() >= {"envelope_corrupt", "signature_invalid", "consent_refused", "record_invalid"}
