"""The benchmark of hostile vans: what it sends is what it says, and a bound that breaks is named."""

from itertools import islice
from typing import Any

import pytest

from benchmarks.hostile import FRAME_WAIT_S, MEMORY_MIB, REPORT_WAIT_S, broken
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


def results(**changes: Any) -> dict[str, Any]:
    waits = {"lost": {"frames": 0, "reports": 0}, "frame_wait_s": FRAME_WAIT_S, "report_wait_s": REPORT_WAIT_S}
    sound: dict[str, Any] = {
        "peak_mib": {**MEMORY_MIB, "kafka": 9000.0},
        "restarts": {"segment": 0},
        "honest": waits,
        "honest_alone": waits,
        "stopped_by_share": [],
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
        ({"honest": {**results()["honest"], "lost": {"frames": 1, "reports": 0}}}, "1 frames lost"),
        ({"honest": {**results()["honest"], "frame_wait_s": {**FRAME_WAIT_S, "max": 99.0}}}, "frame_wait_s max"),
        ({"honest": {**results()["honest"], "report_wait_s": {}}}, "report_wait_s"),
    ],
)
def test_a_bound_that_breaks_is_named(changes: dict[str, Any], words: str) -> None:
    (named,) = broken(results(**changes))
    assert words in named
