"""A webhook takes nothing to another place than the operator set, and shows its secret to nobody."""

import hashlib
import hmac
import time

import pytest

from sonovan.contracts.errors import Fatal, Transient
from sonovan.stream_apps.alert.recipients import everybody
from sonovan.stream_apps.alert.webhook import signature
from tests.stream_apps.alert.receiver import Manners, Receiver, answer, chatter, drip, flood, free_port, hang
from tests.stream_apps.alert.test_recipients import HOOK, PAGER, send
from tests.stream_apps.alert.test_settings import SECRET, given
from tests.stream_apps.alert.test_webhook import NOW, post, refused


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_SECRET"):
        given(monkeypatch, webhook_url="https://a.example/")


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_SECRET"):
        given(monkeypatch, webhook_url="https://a.example/", webhook_secret="short")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "a.example",
            "ftp://s3cret",
            "https://",
            "https://s3cret x/",
            "http://[::1",
            "http://a:b/",
            "http://a..b/",
        ),
        *("http://a.example/s3cret", "http://127.0.0.1.a.example/", "http://10.0.0.1/", "http://localhost.a.example/"),
    ],
)
def test_what_is_no_web_address_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(Fatal) as caught:
        given(monkeypatch, webhook_url=url, webhook_secret=SECRET)
    assert str(caught.value).startswith("setting SONOVAN_ALERT_WEBHOOK_URL: ")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("hosts", ["a.example", "pager.example.org, a.example"])
def test_a_webhook_of_a_host_that_is_not_allowed_stops_the_start(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    settings = given(monkeypatch, webhook_hosts=hosts, **HOOK)
    with pytest.raises(Fatal, match="pager, whose host is not in SONOVAN_ALERT_WEBHOOK_HOSTS"):
        everybody(settings, PAGER, send, "research")


def test_the_webhook_of_the_environment_must_be_of_an_allowed_host_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_HOSTS"):
        given(monkeypatch, webhook_hosts="b.example", **HOOK)


def test_while_a_secret_is_changed_a_request_is_signed_with_both() -> None:
    later, before = b"a secret of now", b"a secret of before"
    first, *signs = signature((later, before), NOW, "key-1", b"body").split(",")
    assert first == f"t={NOW}"
    signed = f"{NOW}.key-1.body".encode()
    assert signs == [f"v1={hmac.new(each, signed, hashlib.sha256).hexdigest()}" for each in (later, before)]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Receiver() as elsewhere:
        assert refused(answer(status, Location=elsewhere.url)) == f"the webhook's receiver answers {status}"
    assert elsewhere.received == []


def test_a_200_of_which_more_comes_than_anyone_reads_is_not_told_yet() -> None:
    assert refused(flood) == "the webhook's receiver answers more than 64 KiB"


@pytest.mark.parametrize("manners", [hang, drip, chatter])
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
