"""A van that its centre refuses, or whose spool is damaged in one place, goes on scanning."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from benchmarks.answering import Answering
from sonovan.centre import Centre
from sonovan.contracts.broker import BrokerSettings
from sonovan.producers.gateway.gateway import Gateway
from sonovan.producers.gateway.settings import ListenerOptions
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.items import Signer
from sonovan.producers.reporting import LinkSeen
from sonovan.producers.spool import ITEM_DAMAGED, QUEUED, STORED, Spool
from sonovan.producers.upload import Uploader, all_settled
from tests.producers.spool.test_damaged import damage, frame_with_file
from tests.producers.visits import vault_at
from tests.services.test_van_upload import enrolled, spooled
from tests.waiting import until

pytestmark = pytest.mark.services


@contextmanager
def serving(folder: Path, spool: Spool, signer: Signer, kafka: BrokerSettings, told: list[str]) -> Iterator[LinkSeen]:
    """A gateway that uploads, until the block ends; what it saw of the link."""
    gateway = Gateway(
        signer.van_id,
        vault_at(folder),
        spool,
        signer,
        ListenerOptions(port=0),
        lambda source: source,
        told.append,
        Watch(),
    )
    failed, listening = list[BaseException](), list[int]()

    def run() -> None:
        try:
            gateway.run(2**20, lambda: kafka, listening.append)
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        until(lambda: listening or failed, "it listens", deadline_s=60)
        yield gateway.reporter.link
        assert thread.is_alive(), failed
    finally:
        gateway.stop()
        thread.join()
    assert failed == []


def test_an_account_that_is_refused_ends_no_scanning(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "refused-1")
    told: list[str] = []
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        wrong = kafka.model_copy(update={"password": SecretStr("another")})
        with serving(tmp_path, spool, signer, wrong, told) as link:
            spooled(spool, signer, 2)
            until(lambda: link.cannot_send, "the account is refused", deadline_s=60)
        assert len([each for each in told if "nothing is sent" in each]) == 1
        assert spool.status().counts[QUEUED] == 5


def test_a_damaged_item_stops_nothing_else(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "damaged-1")
    with (
        Spool(tmp_path / "spool", vault_at(tmp_path)) as spool,
        Answering(centre, "damaged-1", lambda answer: answer),
    ):
        spooled(spool, signer, 4)
        name, body = frame_with_file(spool)
        damage(body, gone=False)
        Uploader(spool, kafka, "damaged-1").run(lambda: all_settled(spool, None), give_up_s=60)
        assert spool.status().counts[STORED] == 6
        assert [(each.item_id, each.reason) for each in spool.rejected()] == [(name, ITEM_DAMAGED)]
