import asyncio
import email
import email.policy
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import FaultAlerted, fault_id
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import IntendedUse
from sonovan.reports.phrases import Language
from sonovan.storage.outbox import Delivery
from sonovan.stream_apps.alert.mail import Mail, MailServer
from sonovan.stream_apps.alert.webhook import webhook_body
from tests.clinical.records import NOON, SCREENING, finding
from tests.stream_apps.alert.receiver import free_port
from tests.stream_apps.alert.scene import Stage, revision

WORKER = mint_id(0)

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_700_000_000.0
ADDRESS = "duty@hospital.example"


class Running:
    """A mail server that runs, and what it has taken."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port

    def taken(self) -> EmailMessage:
        assert self.process.stdout is not None
        text = json.loads(self.process.stdout.readline())["text"]
        return email.message_from_string(text, policy=email.policy.default)  # type: ignore[return-value]

    def reached(self) -> None:
        """Return once a client is there, of a server that is mute."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "reached\n"


@contextmanager
def server(manners: str = "kind") -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stream_apps.alert.mail_server", manners],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Running(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate(timeout=30)


def an_alert() -> LesionAlerted:
    return Stage().take(revision(1, {}, findings=(finding(malignant=0.9, area_mm2=5.0, laterality="right"),)))[0]


def mail(port: int, use: IntendedUse = "research", language: Language = "en", timeout_s: float = 10.0) -> Mail:
    place = MailServer("127.0.0.1", port, "none", "sonovan@hospital.example", timeout_s)
    return Mail(place, ADDRESS, language, use, lambda: NOW)


def delivery(key: str = "key-1", rung: int = 0, alert: LesionAlerted | None = None) -> Delivery:
    return Delivery(key, "duty", "application/json", (alert or an_alert()).encode(), 0, rung)


def test_the_letter_says_what_it_is_about_why_and_what_to_do() -> None:
    alert = an_alert()
    with server() as running:
        asyncio.run(mail(running.port, "decision_support").post(delivery(alert=alert)))
        letter = running.taken()
    assert letter["Subject"] == "[sonovan] raised: suspicious, Right breast (unsigned)"
    assert (letter["To"], letter["From"]) == (ADDRESS, "sonovan@hospital.example")
    text = letter.get_content()
    assert text.startswith("UNSIGNED – NOT A RESULT\n")
    assert "probability of malignancy at or above the site's threshold, by software, no diagnosis (90 %)" in text
    assert f"sonovan alerts ack {alert.alert_id[:12]} --by YOUR-CODE" in text
    assert f"sonovan export report {SCREENING}" in text
    assert "nobody has answered" not in text


def test_what_is_withheld_from_a_webhook_is_withheld_from_a_mail() -> None:
    with server() as running:
        asyncio.run(mail(running.port, "research").post(delivery()))
        text = running.taken().get_content()
    assert "90 %" not in text
    assert "further reasons are withheld" in text


def test_every_attempt_and_rung_has_the_message_id_of_its_key() -> None:
    alert = an_alert()
    with server() as running:
        letters = []
        for key, rung in (("key-1", 0), ("key-1", 0), ("key-2", 1)):
            asyncio.run(mail(running.port).post(delivery(key, rung, alert)))
            letters.append(running.taken())
    first, again, later = letters
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert first["References"] == later["References"]
    assert "nobody has answered" in later.get_content()


def test_a_letter_in_chinese_arrives_as_it_is_written() -> None:
    with server() as running:
        asyncio.run(mail(running.port, language="zh").post(delivery()))
        letter = running.taken()
    assert letter["Subject"] == "[sonovan] 提醒：可疑，右侧乳腺（未签署）"
    assert "然后应答，以免再通知他人" in letter.get_content()


@pytest.mark.parametrize(("manners", "why"), [("full", "SMTPRecipientsRefused"), ("busy", "SMTPDataError 451")])
def test_a_mail_that_the_server_refuses_is_tried_again_and_nothing_of_it_is_told(manners: str, why: str) -> None:
    with server(manners) as running, pytest.raises(Transient) as caught:
        asyncio.run(mail(running.port).post(delivery()))
    assert str(caught.value) == f"the mail server does not take the mail ({why})"


@pytest.mark.parametrize("manners", ["silent", "mute"])
def test_a_server_that_does_not_answer_is_given_up_in_time(manners: str) -> None:
    with server(manners) as running, pytest.raises(Transient, match="TimeoutError"):
        asyncio.run(mail(running.port, timeout_s=0.5).post(delivery()))


def test_a_server_that_is_not_there_is_waited_for() -> None:
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        asyncio.run(mail(free_port()).post(delivery()))


def test_who_leaves_waits_for_no_server() -> None:
    async def leave(running: Running) -> None:
        task = asyncio.create_task(mail(running.port, timeout_s=60.0).post(delivery()))
        await asyncio.to_thread(running.reached)
        async with asyncio.timeout(5.0):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with server("mute") as running:
        asyncio.run(leave(running))


def test_a_fault_names_its_worker_its_figures_and_where_to_read_what_to_do() -> None:
    fault = FaultAlerted(
        fault_id=fault_id(WORKER, "lag"),
        stage="segment",
        instance=2,
        worker=WORKER,
        fault="lag",
        state="raised",
        because=(Because(code="oldest_unprocessed", value=400, unit="s"),),
        as_of=NOON,
    )
    with server() as running:
        asyncio.run(mail(running.port).post(Delivery("key-1", "ops", "application/json", fault.encode(), 0)))
        letter = running.taken()
    assert letter["Subject"] == "[sonovan] fault begins: segment-2, records wait too long: reports come late"
    assert "the oldest record waits for 400 s" in letter.get_content()
    assert "What to do: docs/runbook.md#lag" in letter.get_content()
    assert json.loads(webhook_body(fault, "research"))["words"]["zh"]["worker"] == "segment-2"
