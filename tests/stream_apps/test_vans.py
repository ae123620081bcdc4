import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.stream_apps.vans import VanFollower, VanRegistry
from tests.stream_apps.segment.frames import NOW, TestVan

VAN = TestVan()
NOWHERE = BrokerSettings(bootstrap="127.0.0.1:9", username="segment", password=SecretStr("x"), connect_timeout_s=0.3)


def reason(registry: VanRegistry) -> str:
    with pytest.raises(InvalidRecord) as caught:
        registry.key_of(VAN.van_id, NOW)
    return caught.value.reason


def test_a_van_is_unknown_until_it_is_enrolled() -> None:
    registry = VanRegistry()
    assert reason(registry) == "van_unknown"
    registry.learn(VAN.enrolled())
    assert registry.key_of(VAN.van_id, NOW) == VAN.enrolled().public_key


def test_a_revoked_van_stays_known_and_is_judged_by_the_brokers_time() -> None:
    registry = VanRegistry()
    registry.learn(VAN.enrolled(revoked_at=NOW))
    assert reason(registry) == "van_revoked"
    assert registry.knows(VAN.van_id)
    assert registry.key_of(VAN.van_id, NOW - timedelta(seconds=1))


def test_the_last_record_of_a_van_holds() -> None:
    registry = VanRegistry()
    registry.learn(VAN.enrolled(revoked_at=NOW))
    renewed = TestVan(van_id=VAN.van_id).enrolled()
    registry.learn(renewed)
    assert registry.key_of(VAN.van_id, NOW) == renewed.public_key


def test_waiting_for_a_van_ends_when_it_is_learned_or_when_time_is_up() -> None:
    async def everything() -> None:
        follower = VanFollower(NOWHERE, VanRegistry(), lambda error: None)
        assert not await follower.wait_for(VAN.van_id, 0.01)
        waiting = asyncio.create_task(follower.wait_for(VAN.van_id, 60))
        for _ in ("before a record that cannot be used", "and after it"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 0.05)
            await follower._learn(b"not a record")
        assert not waiting.done()
        await follower._learn(VAN.enrolled().encode())
        assert await asyncio.wait_for(waiting, 5)
        assert await follower.key_of(VAN.van_id, NOW) == VAN.enrolled().public_key

    asyncio.run(everything())


def test_without_a_broker_following_does_not_begin() -> None:
    async def everything() -> None:
        await VanFollower(NOWHERE, VanRegistry(), lambda error: None).start()

    with pytest.raises(Transient, match=r"127\.0\.0\.1:9"):
        asyncio.run(everything())
