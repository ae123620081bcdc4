"""The listener for vans of a real broker: TLS alone, vans alone, and another certificate while a van sends."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from sonovan.centre import Centre
from sonovan.certificates import described
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.topics import Topic
from sonovan.deploy.authority import Authority
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.waiting import until

pytestmark = pytest.mark.services

FRAMES = Topic.FRAME_CAPTURED.value
SHORT_S = 2.0


@pytest.fixture(scope="module")
def van(centre: Centre) -> BrokerSettings:
    return centre.enrol_van("tls-1")


def send(settings: BrokerSettings, value: bytes = b"frame") -> None:
    with BoundedProducer(settings.model_copy(update={"connect_timeout_s": SHORT_S})) as producer:
        producer.send(FRAMES, settings.username.encode(), value).result(30)


def certificates(centre: Centre, *words: str) -> None:
    assert run(build(), ["certificates", *words, "--state", str(centre.path)]) == 0


def test_a_vans_account_is_none_inside_and_no_other_is_one_on_the_listener_for_vans(
    centre: Centre, van: BrokerSettings
) -> None:
    send(van)
    with pytest.raises(Fatal, match="refuses this account"):
        send(van.model_copy(update={"bootstrap": centre.services.kafka_bootstrap, "ca": None}))
    for account in ("admin", "segment"):
        with pytest.raises(Fatal, match="refuses this account"):
            send(centre.kafka(account).model_copy(update={"bootstrap": van.bootstrap, "ca": van.ca}))


def test_the_listener_for_vans_answers_nobody_without_tls(centre: Centre, van: BrokerSettings) -> None:
    with pytest.raises(Transient, match="not available"):
        send(van.model_copy(update={"ca": None}))


def test_a_van_takes_no_certificate_of_another_authority(van: BrokerSettings, tmp_path: Path) -> None:
    foreign = Authority(tmp_path)
    foreign.ensure(("127.0.0.1",))
    with pytest.raises(Transient, match=r"no authority that this van trusts.*sonovan van trust"):
        send(van.model_copy(update={"ca": foreign.trusted()}))


def test_another_certificate_and_authority_while_a_van_sends_lose_nothing(centre: Centre, van: BrokerSettings) -> None:
    """On one connection that stays, and on one after another."""
    ended, sent = Event(), dict[str, int]()

    def keep_sending(name: str, sending: Callable[[bytes], None]) -> None:
        while not ended.is_set():
            sending(b"%s-%d" % (name.encode(), sent.get(name, 0)))
            sent[name] = sent.get(name, 0) + 1

    def more() -> None:
        before = dict(sent)
        until(lambda: all(sent.get(name, 0) > before.get(name, 0) for name in ("stays", "comes")), "both send")

    first = described(centre.path)
    with ThreadPoolExecutor(2) as pool, BoundedProducer(van) as producer:
        stays = pool.submit(
            keep_sending, "stays", lambda value: producer.send(FRAMES, b"tls-1", value).result(30) and None
        )
        comes = pool.submit(keep_sending, "comes", lambda value: send(van, value))
        try:
            more()
            certificates(centre, "rotate")
            more()
            certificates(centre, "rotate", "--authority")
            more()
        finally:
            ended.set()
        stays.result(60)
        comes.result(60)
    assert described(centre.path)[-1].sha256 != first[-1].sha256
    again = centre.enrol_van("tls-1")
    certificates(centre, "retire")
    send(again)
    with pytest.raises(Transient, match="sonovan van trust"):
        send(van)
    stored = {message.value for message in read_all(centre.kafka("reader"), FRAMES)}
    assert {b"%s-%d" % (name.encode(), number) for name in sent for number in range(sent[name])} <= stored


def test_revoking_ends_an_open_connection_within_ten_seconds(centre: Centre) -> None:
    settings = centre.enrol_van("tls-gone")
    with BoundedProducer(settings) as producer:
        producer.send(FRAMES, b"tls-gone", b"before").result(30)
        began = time.monotonic()
        centre.revoke_van("tls-gone")

        def refused() -> bool:
            try:
                producer.send(FRAMES, b"tls-gone", b"after").result(5)
            except Fatal:
                return True
            return False

        until(refused, "the open connection is refused", deadline_s=10)
        assert time.monotonic() - began < 10
    with pytest.raises(Fatal, match="refuses this account"):
        send(settings)
