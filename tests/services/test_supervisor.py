"""Kafka, MinIO and a worker are killed for real, and come back without a hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.centre import Centre, down, status, up
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.deploy.identity import ProcessRecord, is_running
from sonovan.deploy.launches import log_path, read_record
from sonovan.deploy.services import SUPERVISOR, StatusRow, kill_one
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.deploy.test_supervisor import living_in
from tests.services.test_up import sonovan
from tests.waiting import until

pytestmark = pytest.mark.services

NAMES = ("kafka", "minio", "alert")


@pytest.fixture(scope="module")
def started(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A supervised centre with one app, of this module alone."""
    path = tmp_path_factory.mktemp("supervised") / "state"
    try:
        yield bring_up(path)
    finally:
        down(path)


def bring_up(path: Path) -> Centre:
    return up(path, apps=("alert",), app_environment={}, supervised=True)


def rows(centre: Centre) -> dict[str, StatusRow]:
    return {row.name: row for row in status(centre.path)}


def record_of(centre: Centre, name: str) -> ProcessRecord:
    record = read_record(centre.state, name)
    assert record is not None
    return record


def log(centre: Centre) -> str:
    return log_path(centre.state, SUPERVISOR).read_text()


def test_each_that_is_killed_comes_back_on_its_data_and_status_tells(started: Centre) -> None:
    written = RejectedRetried.model_validate(
        {"rejection_id": "0" * 64, "screening_id": mint_id(), "retried_at": "2026-01-01T00:00:00Z"}
    ).encode()
    with BoundedProducer(started.kafka("retrier")) as producer:
        producer.send(Topic.REJECTED_RETRIED, b"k", written).result(30)
    before = rows(started)
    for name in NAMES:
        kill_one(started.state, name)

    def all_are_back() -> bool:
        now = rows(started)
        return all(now[name].past.count == 1 and now[name].healthy is not False and now[name].pid for name in NAMES)

    until(all_are_back, "all are back", evidence=lambda: log(started))
    now = rows(started)
    assert all(now[name].pid != before[name].pid for name in NAMES)
    assert [now[name].port for name in NAMES] == [before[name].port for name in NAMES]
    assert written in [message.value for message in read_all(started.kafka("retrier"), Topic.REJECTED_RETRIED)]
    table = {row["name"]: row for row in json.loads(sonovan(started.path, "status", "--json").stdout)}
    assert {name: (table[name]["restarts"], table[name]["last_exit"]) for name in NAMES} == dict.fromkeys(
        NAMES, (1, 137)
    )
    assert not any(secret in log(started) for secret in (started.services.kafka_admin_password, "PASSWORD"))


def test_a_killed_supervisor_leaves_the_rest_and_is_mended_by_up(started: Centre) -> None:
    others = {name: record_of(started, name) for name in NAMES}
    killed = record_of(started, SUPERVISOR)
    kill_one(started.state, SUPERVISOR)
    assert "what dies now stays down until: sonovan up" in sonovan(started.path, "status").stdout
    assert all(map(is_running, others.values()))
    bring_up(started.path)
    assert record_of(started, SUPERVISOR) != killed
    assert {name: record_of(started, name) for name in NAMES} == others
    found = record_of(started, SUPERVISOR)
    bring_up(started.path)
    assert record_of(started, SUPERVISOR) == found


def test_down_in_the_middle_of_a_restart_leaves_nothing(started: Centre) -> None:
    counted = rows(started)["kafka"].past.count
    kill_one(started.state, "alert")
    kill_one(started.state, "kafka")
    until(lambda: rows(started)["kafka"].past.count > counted, "kafka is being started again")
    assert rows(started)["kafka"].healthy is not True
    sonovan(started.path, "down")
    until(lambda: not living_in(started.path), "nothing of it is left")
    assert {row.state for row in status(started.path)} == {"stopped"}
