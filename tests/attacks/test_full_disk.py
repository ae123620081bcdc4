"""A disk that is nearly full at the centre: workers hold and say so, and Kafka ends cleanly before it would halt."""

import sys
from collections.abc import Iterator

import pytest

from sonovan.centre import HEALTH_FILE, Centre
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.deploy.identity import is_running
from sonovan.deploy.processes import start_app
from sonovan.deploy.restarts import Pace
from sonovan.deploy.services import StatusRow, stop_one
from sonovan.deploy.supervisor import Supervisor
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.services.test_supervisor import record_of, rows
from tests.waiting import until

pytestmark = pytest.mark.services

MORE_THAN_THERE_IS_MB = "1000000000"


@pytest.fixture
def holding(apart: Centre) -> Iterator[Centre]:
    """A worker of `alert` for which every disk has too little room."""
    folder = apart.state.apps / "alert"
    own = {
        "SONOVAN_DATA_DIR": str(folder),
        "SONOVAN_STATE": str(apart.path),
        "SONOVAN_ALERT_DATABASE_URL": sqlite_url(folder / "outbox.sqlite"),
        "SONOVAN_DISK_LOW_MB": MORE_THAN_THERE_IS_MB,
    }
    command = [sys.executable, "-m", "sonovan", "worker", "alert"]
    try:
        start_app(apart.state, "alert", command, apart.environment("alert") | own, health_file=folder / HEALTH_FILE)
        yield apart
    finally:
        stop_one(apart.state, "alert")


def test_a_worker_whose_disk_is_nearly_full_says_so_and_is_not_taken_for_dead(holding: Centre) -> None:
    def row() -> StatusRow:
        return rows(holding)["alert"]

    def holds() -> bool:
        return "MB are free at" in row().waiting and "partitions" not in row().waiting

    until(holds, "it waits for room alone", evidence=lambda: f"{row()}\n{row().log.read_text()}")
    assert (row().ready, row().healthy) == (False, True)


def test_a_broker_whose_disk_is_nearly_full_ends_cleanly_and_comes_back_on_its_data(apart: Centre) -> None:
    full: list[str] = []
    written = RejectedRetried.model_validate(
        {"rejection_id": "1" * 64, "screening_id": mint_id(), "retried_at": "2026-01-01T00:00:00Z"}
    ).encode()
    with BoundedProducer(apart.kafka("retrier")) as producer:
        producer.send(Topic.REJECTED_RETRIED, b"k", written).result(30)
    said: list[str] = []
    supervisor = Supervisor(apart.state, Pace(), say=said.append, full=lambda _: "".join(full) or None)
    first = record_of(apart, "kafka")
    full.append("the disk is nearly full")

    def gone() -> bool:
        supervisor.look()
        return not is_running(first) and rows(apart)["kafka"].past.next_at_s is not None

    until(gone, "the broker is ended", evidence=lambda: "\n".join(said))
    # Kafka writes it last of all. Its log is no witness: log4j ends at the same signal, and lines may be missing.
    assert (apart.path / "kafka" / "data" / ".kafka_cleanshutdown").is_file()
    assert rows(apart)["kafka"].past.last_exit == 143, "SIGTERM was enough"
    full.clear()

    def back() -> bool:
        supervisor.look()
        return rows(apart)["kafka"].healthy is True

    until(back, "the broker is back", evidence=lambda: "\n".join(said))
    assert written in [message.value for message in read_all(apart.kafka("retrier"), Topic.REJECTED_RETRIED)]
