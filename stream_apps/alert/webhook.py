"""One alert to one receiver over HTTP, signed, the same in every attempt."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp

from sonovan.clinical.alert_rules import withhold_alert
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.results import IntendedUse
from sonovan.reports.alerts import every_language, notice_code
from sonovan.reports.faults import fault_in_every_language
from sonovan.storage.outbox import Delivery
from sonovan.stream_apps.alert.asked import NotBefore, retry_after_s
from sonovan.stream_apps.alert.messages import kept

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer's body that are read, and thrown away."""
SIGNATURE_HEADER: Final = "Sonovan-Signature"
KEY_HEADER: Final = "Idempotency-Key"


def webhook_body(kept: LesionAlerted | FaultAlerted, intended_use: IntendedUse) -> bytes:
    """The JSON that a receiver gets: the record as this intended use may show it, and words for people.

    notice: the code of what stands over every output. words: by language, the notice, what the alert is about, and
    its reasons.
    """
    if isinstance(kept, FaultAlerted):
        document = {**json.loads(kept.encode()), "words": fault_in_every_language(kept)}
        return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    shown = withhold_alert(kept, intended_use)
    document = {
        **json.loads(shown.encode()),
        "intended_use": intended_use,
        "notice": notice_code(shown),
        "words": every_language(shown),
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()


def signature(secrets: Sequence[bytes], timestamp: int, key: str, body: bytes) -> str:
    """`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `<timestamp>.<key>.<body>`, a `v1` for each secret.

    A receiver refuses an old timestamp, and takes a key that it knows for a second attempt.
    """
    signed = f"{timestamp}.{key}.".encode() + body
    return ",".join(
        [f"t={timestamp}", *(f"v1={hmac.new(each, signed, hashlib.sha256).hexdigest()}" for each in secrets)]
    )


class Webhook:
    """A receiver that answers 2xx, to its end, once it has the alert; everything else is tried again."""

    def __init__(
        self, url: str, secrets: Sequence[bytes], timeout_s: float, now: Callable[[], float], intended_use: IntendedUse
    ) -> None:
        """url: nothing of it is ever logged. secrets: each signs. timeout_s: for the whole of an attempt."""
        self._url, self._secrets, self._now, self._intended_use = url, secrets, now, intended_use
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def post(self, delivery: Delivery) -> None:
        """Post once; a redirect is not followed. The delivery's key goes along as `Idempotency-Key`.

        Raises Fatal for a body that is no alert, Transient where there was no 2xx answer in time; no message holds a
        part of the URL, which may be secret. NotBefore where a 429 or 503 asks for a pause (`Retry-After`).
        """
        body = webhook_body(kept(delivery.body), self._intended_use)
        headers = {
            "Content-Type": "application/json",
            KEY_HEADER: delivery.key,
            SIGNATURE_HEADER: signature(self._secrets, int(self._now()), delivery.key, body),
        }
        try:
            # One session for one attempt: alerts are rare, and no cookie or dead connection outlives it.
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status, asked = answer.status, answer.headers.get("Retry-After", "")
                if 200 <= status < 300 and not await _ended(answer):
                    raise Transient(f"the webhook's receiver answers more than {LONGEST_ANSWER >> 10} KiB")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Transient(f"the webhook's receiver does not answer ({type(error).__name__})") from None
        if not 200 <= status < 300:
            told = f"the webhook's receiver answers {status}"
            wait_s = retry_after_s(asked, self._now()) if status in (429, 503) else None
            raise Transient(told) if wait_s is None else NotBefore(told, wait_s)


async def _ended(answer: aiohttp.ClientResponse) -> bool:
    """Whether the answer's body has an end within LONGEST_ANSWER: a receiver that still speaks may yet fail."""
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > LONGEST_ANSWER:
            return False
    return True
