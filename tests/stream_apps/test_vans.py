import asyncio
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.limits import MAX_KEYS
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.van import VanEnrolled
from sonovan.stream_apps.progress import Progress
from sonovan.stream_apps.vans import VanFollower, VanRegistry
from tests.stream_apps.segment.frames import NOW, TestVan

VAN = TestVan()
RENEWED = TestVan(van_id=VAN.van_id)
REVOKED, BEFORE = NOW, NOW - timedelta(milliseconds=1)
SIGNED = {van.private_key: open_envelope(van.frame()) for van in (VAN, RENEWED)}
NOWHERE = BrokerSettings(bootstrap="127.0.0.1:9", username="segment", password=SecretStr("x"), connect_timeout_s=0.3)


def judged(registry: VanRegistry, van: TestVan, appended_at: datetime = NOW) -> str | None:
    """The reason for which the registry refuses what this key signed; None where it holds."""
    try:
        registry.verify(VAN.van_id, appended_at, SIGNED[van.private_key])
    except InvalidRecord as error:
        return error.reason
    return None


def registry_of(*records: VanEnrolled) -> VanRegistry:
    registry = VanRegistry()
    for record in records:
        registry.learn(record)
    return registry


def test_a_van_is_unknown_until_it_is_enrolled() -> None:
    assert judged(VanRegistry(), VAN) == "van_unknown"
    assert judged(registry_of(VAN.enrolled()), VAN) is None


def test_a_revoked_van_stays_known_and_is_judged_by_the_brokers_time() -> None:
    registry = registry_of(VAN.enrolled(revoked_at=REVOKED))
    assert (judged(registry, VAN, BEFORE), judged(registry, VAN, REVOKED)) == (None, "van_revoked")
    assert judged(registry, RENEWED) == "signature_invalid"
    assert registry.knows(VAN.van_id)


def test_the_last_record_of_a_van_alone_says_which_key_counted_when() -> None:
    van = VAN.enrolled(revoked_at=REVOKED).renewed(public_key(RENEWED.private_key), NOW + timedelta(days=1))
    registry = registry_of(VanEnrolled.decode(van.encode()))
    later = NOW + timedelta(days=2)
    assert [judged(registry, VAN, each) for each in (BEFORE, REVOKED, later)] == [None, "van_revoked", "van_revoked"]
    assert judged(registry, RENEWED, later) is None


def test_a_van_whose_key_was_lost_gets_another_and_the_lost_one_counts_no_longer() -> None:
    van = VAN.enrolled().renewed(public_key(RENEWED.private_key), NOW)
    registry = registry_of(van)
    assert [judged(registry, VAN, each) for each in (BEFORE, NOW)] == [None, "van_revoked"]


def test_a_record_holds_one_key_at_a_time_and_each_once() -> None:
    van = VAN.enrolled()
    with pytest.raises(ValidationError, match="not revoked"):
        VanEnrolled(van_id=VAN.van_id, keys=(*van.keys, *RENEWED.enrolled().keys))
    with pytest.raises(ValidationError, match="twice"):
        van.renewed(van.newest.public_key, NOW)


def test_the_oldest_key_of_a_full_history_falls_out() -> None:
    van = VAN.enrolled()
    for _ in range(MAX_KEYS):
        van = van.renewed(public_key(generate_key()), NOW)
    assert len(van.keys) == MAX_KEYS
    assert judged(registry_of(van), VAN, BEFORE) == "signature_invalid"


def test_waiting_for_a_van_ends_when_a_record_of_it_comes_or_when_time_is_up() -> None:
    async def everything() -> None:
        follower = VanFollower(NOWHERE, VanRegistry(), lambda error: None, Progress(60.0))
        assert not await follower.wait_for(VAN.van_id, 0, 0.01)
        waiting = asyncio.create_task(follower.wait_for(VAN.van_id, 0, 60))
        for _ in ("before a record that cannot be used", "and after it"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 0.05)
            await follower._learn(b"not a record")
        assert not waiting.done()
        await follower._learn(VAN.enrolled().encode())
        assert await asyncio.wait_for(waiting, 5)
        assert await follower.wait_for(VAN.van_id, 0, 0.01)
        assert not await follower.wait_for(VAN.van_id, follower.registry.taken, 0.01)

    asyncio.run(everything())


def test_without_a_broker_following_does_not_begin() -> None:
    async def everything() -> None:
        await VanFollower(NOWHERE, VanRegistry(), lambda error: None, Progress(60.0)).start()

    with pytest.raises(Transient, match=r"127\.0\.0\.1:9"):
        asyncio.run(everything())
