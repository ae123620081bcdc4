"""Metrics on a port of their own, on loopback unless somebody says otherwise."""

from http.client import RemoteDisconnected
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from sonovan.contracts.errors import Fatal, Transient
from sonovan.measuring import exposed


def test_metrics_are_answered_and_nothing_else() -> None:
    with exposed(lambda: "sonovan_ready{} 1\n", 0, "metrics_port") as address:
        assert address.startswith("http://127.0.0.1:")
        with urlopen(address, timeout=5) as answer:
            assert (answer.read(), answer.headers["Content-Type"]) == (
                b"sonovan_ready{} 1\n",
                "text/plain; version=0.0.4; charset=utf-8",
            )
        with pytest.raises(HTTPError, match="404"):
            urlopen(address.replace("/metrics", "/"), timeout=5)
        port = int(address.rpartition(":")[2].partition("/")[0])
        with pytest.raises(Fatal, match="metrics_port"), exposed(str, port, "metrics_port"):
            pass


def test_what_cannot_be_measured_now_is_a_refusal_that_says_nothing() -> None:
    def failing() -> str:
        raise Transient("the spool of Zhang Wei is away")

    with exposed(failing, 0, "metrics_port") as address, pytest.raises(HTTPError) as caught:
        urlopen(address, timeout=5)
    assert caught.value.code == 503
    assert b"Zhang" not in caught.value.read()


def test_of_a_defect_the_kind_alone_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def failing() -> str:
        raise ValueError("Zhang Wei")

    with exposed(failing, 0, "metrics_port") as address, pytest.raises(RemoteDisconnected):
        urlopen(address, timeout=5)
    told = capfd.readouterr().err
    assert "ValueError" in told
    assert "Zhang" not in told
