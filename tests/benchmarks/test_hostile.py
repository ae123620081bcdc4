"""The benchmark of hostile vans: what it sends is what it says, and a bound that breaks is named."""

from itertools import islice
from typing import Any

import pytest

from benchmarks.hostile import MEMORY_MIB, MORE_S, TIMES, broken
from benchmarks.hostile_van import WEIGHTS, HostileVan
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MAX_VALUE_BYTES
from sonovan.contracts.signatures import generate_key
from sonovan.producers.items import Signer

PRIVATE = generate_key()


def van(seed: int) -> HostileVan:
    return HostileVan(Signer("van-b", PRIVATE), ["van-a"], [(mint_id(1), mint_id(2))], seed)


def test_every_kind_of_attack_can_be_made_and_kafka_takes_each_message() -> None:
    attacker = van(3)
    made = [each for _ in range(2) for kind in WEIGHTS for each in attacker.attack(kind)]
    assert {each.kind for each in made} == set(WEIGHTS)
    assert max(len(each.value) for each in made) <= MAX_VALUE_BYTES


def test_a_seed_gives_the_same_attacks_in_the_same_order() -> None:
    first, again, other = ([each.kind for each in islice(van(seed).messages(), 100)] for seed in (1, 1, 2))
    assert first == again != other


ALONE = {"p50": 1.0, "p95": 2.0, "max": 3.0}
SLOWEST = {name: TIMES * alone + MORE_S[name] for name, alone in ALONE.items()}


def waits(frames: dict[str, float], reports: dict[str, float], lost: int = 0) -> dict[str, Any]:
    return {"lost": {"frames": lost, "reports": 0}, "frame_wait_s": frames, "report_wait_s": reports}


def results(**changes: Any) -> dict[str, Any]:
    sound: dict[str, Any] = {
        "peak_mib": {**MEMORY_MIB, "kafka": 9000.0},
        "restarts": {"segment": 0},
        "honest": waits(SLOWEST, SLOWEST),
        "honest_alone": waits(ALONE, ALONE),
        "stopped_by_share": [],
        "bounds": {"and_more_s": MORE_S},
    }
    return {**sound, **changes}


def test_what_stays_within_its_bounds_is_sound() -> None:
    assert broken(results()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peak_mib": {"assess": MEMORY_MIB["assess"] + 1}}, "assess took"),
        ({"restarts": {"alert": 1}}, "alert was started again"),
        ({"stopped_by_share": ["assess"]}, "assess stopped"),
        ({"honest": waits(SLOWEST, SLOWEST, lost=1)}, "1 frames lost"),
        ({"honest": waits({**SLOWEST, "max": 99.0}, SLOWEST)}, "frame_wait_s max"),
        ({"honest": waits(SLOWEST, {**SLOWEST, "p50": 99.0})}, "report_wait_s p50"),
        ({"honest": waits(SLOWEST, {})}, "report_wait_s"),
    ],
)
def test_a_bound_that_breaks_is_named(changes: dict[str, Any], words: str) -> None:
    (named,) = broken(results(**changes))
    assert words in named
