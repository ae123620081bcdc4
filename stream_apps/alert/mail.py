"""One alert to one address by SMTP, under the same Message-ID in every attempt. No name stands in it."""

import asyncio
import hashlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final, Literal

from sonovan.clinical.alert_rules import withhold_alert
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.results import IntendedUse
from sonovan.reports.alerts import alert_letter
from sonovan.reports.faults import fault_letter
from sonovan.reports.phrases import Language
from sonovan.storage.outbox import Delivery
from sonovan.stream_apps.alert.messages import kept

UNFOLDED: Final = SMTP.clone(max_line_length=400)
"""A subject stays on one line: where it is folded, some mail programs show a blank before it."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail leaves. security: `starttls` on a plain port, `tls` from the first byte, `none` on this machine alone.

    timeout_s: for the whole of an attempt. user, password: None where the server asks for none.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    timeout_s: float
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class Mail:
    """One address. Whatever the server answers, the mail is tried again until it has taken it."""

    def __init__(
        self,
        server: MailServer,
        address: str,
        language: Language,
        intended_use: IntendedUse,
        now: Callable[[], float],
    ) -> None:
        """now: unix seconds, for the mail's date."""
        self._server, self._address, self._language = server, address, language
        self._intended_use, self._now = intended_use, now

    async def post(self, delivery: Delivery) -> None:
        """Send once. Raises Fatal for a body that is no alert, Transient where the server has not taken the mail.

        No message holds an address or what the server says: it may repeat one.
        """
        letter = self._letter(kept(delivery.body), delivery)
        opened, given_up = list[smtplib.SMTP](), threading.Event()
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await _in_thread(lambda: self._send(letter, opened, given_up))
        except (smtplib.SMTPException, OSError) as error:  # a timeout is an OSError
            code = getattr(error, "smtp_code", None)
            told = type(error).__name__ if code is None else f"{type(error).__name__} {code}"
            raise Transient(f"the mail server does not take the mail ({told})") from None
        finally:
            given_up.set()
            for each in opened:
                # The thread may wait for the server: without its connection it ends at once.
                connection = each.sock
                if connection is not None:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)

    def _letter(self, told: LesionAlerted | FaultAlerted, delivery: Delivery) -> EmailMessage:
        if isinstance(told, FaultAlerted):
            thread, (subject, text) = told.fault_id, fault_letter(told, self._language)
        else:
            shown = withhold_alert(told, self._intended_use)
            thread = told.alert_id
            subject, text = alert_letter(shown, self._intended_use, self._language, delivery.rung)
        domain = self._server.sender.rpartition("@")[2]
        letter = EmailMessage(policy=UNFOLDED)
        letter["From"], letter["To"], letter["Subject"] = self._server.sender, self._address, subject
        letter["Date"] = formatdate(self._now())
        letter["Message-ID"] = f"<{hashlib.sha256(delivery.key.encode()).hexdigest()[:40]}@{domain}>"
        letter["References"] = f"<{thread[:40]}@{domain}>"  # a mail program shows what follows beneath it
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text, cte="quoted-printable")  # not every server takes eight bits
        return letter

    def _send(self, letter: EmailMessage, opened: list[smtplib.SMTP], given_up: threading.Event) -> None:
        server = self._server
        domain = server.sender.rpartition("@")[2]
        context = ssl.create_default_context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, domain, timeout=server.timeout_s, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, domain, timeout=server.timeout_s)
        opened.append(smtp)
        if given_up.is_set():
            smtp.close()
            return
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
        smtp.send_message(letter)
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()  # the server has the mail


async def _in_thread(work: Callable[[], None]) -> None:
    """Run in a thread that holds up nobody who leaves: asyncio's own are waited for when the process ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="mail", daemon=True).start()
    await done
