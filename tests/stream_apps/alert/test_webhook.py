import asyncio
import hashlib
import hmac
import json
import time

import pytest

from sonovan.contracts.errors import Transient
from sonovan.contracts.results import LesionAlerted
from sonovan.stream_apps.alert.webhook import Webhook
from tests.stream_apps.alert.receiver import Manners, Receiver, answer, drip, free_port, hang
from tests.stream_apps.alert.scene import Ear, revision

SECRET = b"a secret of the site"
NOW = 1_700_000_000


def an_alert() -> LesionAlerted:
    (alert,) = Ear().hear(revision(1, {1: "suspicious"}))
    return alert


def post(url: str, key: str = "key-1", timeout_s: float = 5.0) -> None:
    asyncio.run(Webhook(url, SECRET, timeout_s, lambda: NOW, "research").post(key, an_alert()))


def refused(manners: Manners) -> str:
    with Receiver(manners) as receiver, pytest.raises(Transient) as caught:
        post(receiver.url, timeout_s=0.3)
    assert len(receiver.received) == 1
    return str(caught.value)


def test_the_receiver_can_verify_who_sent_it_and_that_it_is_whole() -> None:
    with Receiver() as receiver:
        post(receiver.url)
    (request,) = receiver.received
    parts = dict(part.split("=", 1) for part in request.headers["sonovan-signature"].split(","))
    signed = f"{parts['t']}.{request.key}.".encode() + request.body
    assert parts == {"t": str(NOW), "v1": hmac.new(SECRET, signed, hashlib.sha256).hexdigest()}


def test_the_body_is_the_alert_and_says_that_it_is_unsigned() -> None:
    with Receiver() as receiver:
        post(receiver.url)
    (request,) = receiver.received
    document = json.loads(request.body)
    assert document.pop("intended_use") == "research"
    assert document.pop("notice").startswith("unsigned, not a result")
    assert LesionAlerted.decode(json.dumps(document).encode()) == an_alert()
    assert request.headers["content-type"] == "application/json"


def test_every_attempt_carries_the_same_key_and_body() -> None:
    with Receiver() as receiver:
        post(receiver.url, "key-7")
        post(receiver.url, "key-7")
    first, second = receiver.received
    assert (first.key, first.body) == (second.key, second.body) == ("key-7", first.body)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_yes(status: int) -> None:
    with Receiver(answer(status)) as receiver:
        post(receiver.url)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
def test_any_other_answer_is_tried_again(status: int) -> None:
    assert refused(answer(status)) == f"the webhook's receiver answers {status}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Receiver() as elsewhere:
        assert refused(answer(status, Location=elsewhere.url)) == f"the webhook's receiver answers {status}"
    assert elsewhere.received == []


@pytest.mark.parametrize("manners", [hang, drip])
def test_a_slow_receiver_is_given_up_in_time(manners: Manners) -> None:
    began = time.monotonic()
    assert "does not answer" in refused(manners)
    assert time.monotonic() - began < 3


def test_nobody_there_is_transient_and_the_message_holds_nothing_of_the_url() -> None:
    port = free_port()
    with pytest.raises(Transient) as caught:
        post(f"http://user:s3cret@127.0.0.1:{port}/hook/s3cret")
    shown = f"{caught.value} {caught.value.__cause__}"
    assert "s3cret" not in shown
    assert str(port) not in shown


def test_a_name_that_nobody_knows_is_transient() -> None:
    with pytest.raises(Transient, match="does not answer"):
        post("https://nobody.invalid/")
