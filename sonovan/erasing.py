"""Screenings are erased: noted, published, and waited for until nothing is left of them."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.erasures import ErasureReason, ScreeningErased
from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Topic
from sonovan.noting import note
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.kept import is_gone
from sonovan.transport.producer import BoundedProducer

SEND_WITHIN_S: Final = 30.0
LOOK_EVERY_S: Final = 0.5


def publish(
    broker: BrokerSettings,
    state: Path,
    ids: Sequence[str],
    vans: Mapping[str, str],
    because: ErasureReason,
    operator: str,
) -> None:
    """Note in the audit that these screenings are erased, and say so to every stage; each is durable on return.

    vans: which van scanned each of them, as far as that is known; it is told as well.
    broker: of the account that may erase. Raises Transient where the note cannot be kept or the broker does not take
    it: what was published so far stays erased.
    """
    with BoundedProducer(broker) as producer:
        for each in ids:
            record = ScreeningErased(
                screening_id=each, because=because, by=operator, erased_at=datetime.now(UTC), van_id=vans.get(each)
            )
            note(state, "screening.erased", {"screening": each, "because": because}, by=operator)
            sent = producer.send(Topic.SCREENING_ERASED, each.encode(), record.encode())
            sent.result(SEND_WITHIN_S)


def wait_until_gone(database: Database, ids: Sequence[str], wait_s: float) -> None:
    """Wait until no row and no object of these screenings is left. Raises Transient where some is after `wait_s`."""
    give_up_at = time.monotonic() + wait_s
    while not is_gone(database, ids):
        if time.monotonic() > give_up_at:
            raise Transient(
                f"after {wait_s:g} s something of them is still there: it goes when the worker catalog runs; "
                "the same command looks again"
            )
        time.sleep(LOOK_EVERY_S)
