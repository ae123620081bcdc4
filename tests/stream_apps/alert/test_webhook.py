import asyncio
import hashlib
import hmac
import json

import pytest

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.errors import Transient
from sonovan.contracts.results import IntendedUse
from sonovan.storage.outbox import Delivery
from sonovan.stream_apps.alert.webhook import Webhook, webhook_body
from tests.clinical.records import SCREENING
from tests.stream_apps.alert.receiver import Manners, Receiver, answer
from tests.stream_apps.alert.scene import Stage, revision

SECRET = b"a secret of the site"
NOW = 1_700_000_000


def an_alert() -> LesionAlerted:
    (alert,) = Stage().take(revision(1, {1: "suspicious"}))
    return alert


def post(url: str, key: str = "key-1", timeout_s: float = 5.0) -> None:
    delivery = Delivery(key, "webhook", "application/json", an_alert().encode(), 0)
    asyncio.run(Webhook(url, (SECRET,), timeout_s, lambda: NOW, "research").post(delivery))


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


def test_the_body_is_the_alert_with_words_in_both_languages_and_says_that_it_is_unsigned() -> None:
    with Receiver() as receiver:
        post(receiver.url)
    (request,) = receiver.received
    document = json.loads(request.body)
    assert document.pop("intended_use") == "research"
    assert document.pop("notice") == "unsigned_not_a_result"
    words = document.pop("words")
    assert LesionAlerted.decode(json.dumps(document).encode()) == an_alert()
    assert words["en"] == {
        "notice": "UNSIGNED – NOT A RESULT",
        "state": "raised",
        "severity": "in its turn",
        "about": "Left breast",
        "because": [
            "outlined on 5 frames",
            "76.0 mm² on the key frame",
            "mean region score 0.90 (no probability of cancer)",
        ],
        "to_do": (
            f"Look at the report: sonovan export report {SCREENING}\n"
            "Then answer, so that nobody else is called: "
            f"sonovan alerts ack {an_alert().alert_id[:12]} --by YOUR-CODE"
        ),
    }
    assert words["zh"].keys() == words["en"].keys()
    assert words["zh"]["about"] == "左侧乳腺"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("use", ["research", "measurement"])
def test_a_reason_that_may_not_be_shown_is_neither_in_the_record_nor_in_the_words(use: IntendedUse) -> None:
    secret = Because(code="malignant_probability", value=0.734, unit="1")
    alert = an_alert().model_copy(update={"because": (*an_alert().because, secret)})
    body = webhook_body(alert, use)
    assert b"malignan" not in body
    assert b"734" not in body
    assert json.loads(body)["withheld"] is True
    assert len(json.loads(body)["because"]) == len(an_alert().because)
    assert b"0.734" in webhook_body(alert, "decision_support")


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


@pytest.mark.parametrize(
    ("status", "header", "wait_s"),
    [
        (429, "120", 120.0),
        (503, "Tue, 14 Nov 2023 22:15:20 GMT", 120.0),
        (503, "Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        (429, "999999999999", 3600.0),
        (429, "soon", None),
        (500, "120", None),
    ],
)
def test_a_pause_that_the_receiver_asks_for_is_passed_on(status: int, header: str, wait_s: float | None) -> None:
    with Receiver(answer(status, **{"Retry-After": header})) as receiver, pytest.raises(Transient) as caught:
        post(receiver.url)
    assert getattr(caught.value, "wait_s", None) == wait_s


def test_a_name_that_nobody_knows_is_transient() -> None:
    with pytest.raises(Transient, match="does not answer"):
        post("https://nobody.invalid/")
