"""Vans that need mending: told once, until mended, and never anew by history or by a worker that takes over."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.envelope import seal
from sonovan.contracts.faults import VAN_FAULTS, FaultAlerted, fault_id
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.contracts.van_reports import VanReported
from sonovan.reports.faults import fault_letter
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import Ladder
from sonovan.stream_apps.alert.stage import alert_stage
from sonovan.stream_apps.alert.van_faults import EASE, VanBounds, faults_by_report, silence, van_fault
from sonovan.stream_apps.alert.vans import FRESH, VanWatch
from tests.stream_apps.alert.scene import RULES
from tests.stream_apps.memory import Run, World

BOUNDS, GIB, NOW = VanBounds(), 2**30, datetime(2026, 11, 27, 8, tzinfo=UTC)
PRIVATE = generate_key()


def report(**fields: Any) -> VanReported:
    well: dict[str, Any] = {
        "van_id": "van-1", "reported_at": NOW, "waiting": 0, "waiting_bytes": 0, "held": 0, "rejected": 0,
        "unfinished": 0, "disk_free_bytes": 100 * GIB, "version": "0.2.0", "python": "3.11.7",
    }  # fmt: skip
    return VanReported.model_validate({**well, **fields})


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"oldest_s": 48 * 3600, "waiting": 1}, "van_spool"),
        ({"waiting_bytes": 20 * GIB}, "van_spool"),
        ({"disk_free_bytes": 10 * GIB - 1}, "van_disk"),
        ({"clock_ahead_s": -60.0}, "van_clock"),
        ({"link_bits_per_s": 127_000, "waiting": 1}, "van_link"),
        ({"rejected": 10}, "van_rejects"),
    ],
)
def test_each_bound_is_a_fault_with_its_figure(fields: dict[str, Any], fault: str) -> None:
    found = faults_by_report(report(**fields), BOUNDS)
    assert list(found) == [fault]
    assert all(each.value is not None for reasons in found.values() for each in reasons)


@pytest.mark.parametrize(
    "fields",
    [
        {"oldest_s": 48 * 3600 - 1, "waiting_bytes": 20 * GIB - 1, "rejected": 9, "clock_ahead_s": 59.9},
        {"disk_free_bytes": 10 * GIB},
        {"link_bits_per_s": 1000},
        {"link_bits_per_s": 1000, "waiting": 5, "metered": True},
    ],
)
def test_what_is_within_its_bounds_or_need_not_send_is_no_fault(fields: dict[str, Any]) -> None:
    assert faults_by_report(report(**fields), BOUNDS) == {}


@given(ahead=st.floats(-200, 200), rejected=st.integers(0, 40), free=st.integers(0, 40 * GIB))
def test_a_fault_that_stands_ends_only_where_it_is_better_by_a_fifth(ahead: float, rejected: int, free: int) -> None:
    said = report(clock_ahead_s=ahead, rejected=rejected, disk_free_bytes=free)
    found = faults_by_report(said, BOUNDS, VAN_FAULTS)
    assert ("van_clock" in found) == (abs(ahead) >= EASE * 60)
    assert ("van_rejects" in found) == (rejected >= EASE * 10)
    assert ("van_disk" in found) == (free * EASE < 10 * GIB)


@pytest.mark.parametrize(
    ("fields", "hours", "silent"),
    [({"waiting": 1}, 26, True), ({"unfinished": 1}, 26, True), ({"waiting": 1}, 25.9, False), ({}, 5000, False)],
)
def test_a_van_is_silent_only_where_something_waits_on_it(fields: dict[str, Any], hours: float, silent: bool) -> None:
    assert bool(silence(report(**fields), NOW, NOW + timedelta(hours=hours), BOUNDS)) == silent


class Desk:
    """An alert worker with a real outbox, whose faults come back by their topic; `again` is one that takes over."""

    def __init__(self, folder: Path) -> None:
        self.world, self.loop = World(), asyncio.Runner()
        self.world.registry.learn(VanEnrolled.first("van-1", public_key(PRIVATE), self.world.now))
        self.url, self.read = sqlite_url(folder / "outbox.sqlite"), 0
        self.start()

    def start(self) -> None:
        self.outbox = Outbox(self.url)
        self.watch = VanWatch(self.outbox, self.world.registry)
        now = lambda: self.world.now.timestamp()  # noqa: E731
        verify = self.world.registry.verify
        stage = alert_stage(self.outbox, RULES, Ladder(), verify, faults_to=("ops",), vans=self.watch, now=now)
        self.worker = Run(self.world, lambda _world, _tables: stage)

    def hear(self, *, private: bytes = PRIVATE, **fields: Any) -> None:
        """A report comes, and what follows from it."""
        self.take(Topic.VAN_REPORTED, seal(report(**fields), private))

    def take(self, topic: Topic, value: bytes) -> None:
        self.loop.run(self.worker.take([self.world.append(topic, value)]))
        while self.read < len(self.world.sent):
            topic_sent, _, sent = self.world.sent[self.read]
            self.read += 1
            if topic_sent == Topic.FAULT_ALERTED:
                self.take(Topic.FAULT_ALERTED, sent)

    def look(self, hours: float) -> None:
        self.world.now += timedelta(hours=hours)
        for fault in self.watch.look(self.world.now):
            self.take(Topic.FAULT_ALERTED, fault.encode())

    def told(self) -> list[tuple[str, str]]:
        found = []
        self.world.now += timedelta(minutes=1)
        while batch := self.outbox.claim("ops", self.world.now, timedelta(days=1)):
            for each in batch:
                self.outbox.delivered(each.key, self.world.now)
                fault = FaultAlerted.decode(each.body)
                found.append((fault.fault, fault.state))
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.loop.close()
    made.outbox.close()


def test_a_fault_of_a_van_is_told_once_until_it_is_mended(desk: Desk) -> None:
    for free in (50, 5, 4, 11, 3):
        desk.hear(disk_free_bytes=free * GIB)
    assert desk.told() == [("van_disk", "raised")]
    for free in (50, 50):
        desk.hear(disk_free_bytes=free * GIB)
    assert desk.told() == [("van_disk", "ended")]
    desk.hear(disk_free_bytes=GIB)
    assert desk.told() == [("van_disk", "raised")], "and again when it comes again"


def test_a_silent_van_is_told_once_and_its_next_report_ends_it(desk: Desk) -> None:
    desk.hear(waiting=3)
    desk.look(20)
    assert desk.told() == []
    desk.look(7)
    desk.look(100)
    assert desk.told() == [("van_silent", "raised")]
    desk.hear(waiting=3)
    assert desk.told() == [("van_silent", "ended")]


def test_a_worker_that_takes_over_tells_nothing_anew_and_still_knows_who_is_silent(desk: Desk) -> None:
    desk.hear(waiting=3, rejected=50)
    assert desk.told() == [("van_rejects", "raised")]
    desk.outbox.close()
    desk.start()
    desk.hear(waiting=3, rejected=50)
    assert desk.told() == []
    desk.outbox.close()
    desk.start()
    desk.look(27)
    assert desk.told() == [("van_silent", "raised")]


def test_history_that_is_read_again_tells_nothing(desk: Desk) -> None:
    desk.hear(rejected=50)
    desk.hear()
    assert desk.told() == [("van_rejects", "raised"), ("van_rejects", "ended")]
    old = list(desk.world.log[Topic.VAN_REPORTED, 0])
    for message in old:
        again = desk.watch.report_of(message)
        assert again is not None
        assert not any(desk.watch.take(again, message.at.appended_at, desk.world.now).records)
    desk.world.now += timedelta(days=3)
    late = desk.watch.take(report(rejected=50), desk.world.now - FRESH - timedelta(seconds=1), desk.world.now)
    assert list(late.records) == [()], "what is hours old is no news"


@pytest.mark.parametrize("why", ["another key", "not enrolled", "no envelope"])
def test_what_the_van_did_not_sign_is_left_out_and_rejected_by_nobody(desk: Desk, why: str) -> None:
    if why == "no envelope":
        desk.take(Topic.VAN_REPORTED, b"{}")
    else:
        desk.hear(rejected=50, **{"another key": {"private": generate_key()}, "not enrolled": {"van_id": "van-2"}}[why])
    assert (desk.told(), desk.world.sent, desk.outbox.notes()) == ([], [], {})


def test_a_revoked_van_has_no_faults_any_more_and_is_not_waited_for(desk: Desk) -> None:
    desk.hear(waiting=3, rejected=50)
    enrolled = VanEnrolled.first("van-1", public_key(PRIVATE), desk.world.now)
    desk.world.registry.learn(enrolled.revoked(desk.world.now))
    desk.look(100)
    assert desk.told() == [("van_rejects", "raised"), ("van_rejects", "ended")]
    desk.look(100)
    assert desk.told() == []


def test_a_letter_names_the_van_the_figures_and_where_to_read_what_to_do() -> None:
    found = faults_by_report(report(rejected=50), BOUNDS)["van_rejects"]
    subject, text = fault_letter(van_fault("van-1", "van_rejects", found, NOW), "en")
    assert "Van van-1" in subject
    assert "50 of its items were rejected" in text
    assert "docs/runbook.md#van_rejects" in text
    assert "筛查车 van-1" in fault_letter(van_fault("van-1", "van_rejects", found, NOW), "zh")[0]


def test_a_fault_is_of_one_worker_or_of_one_van() -> None:
    fault = van_fault("van-1", "van_disk", (), NOW)
    assert (fault.fault_id, fault.key) == (fault_id("van-1", "van_disk"), b"van-1")
    for wrong in ({"stage": "alert"}, {"van_id": None}, {"fault": "disk", "fault_id": fault_id("van-1", "disk")}):
        with pytest.raises(ValueError, match="one worker, of one van or of one stratum"):
            FaultAlerted.model_validate({**fault.model_dump(), **wrong})


def test_a_site_sets_its_own_bounds() -> None:
    assert faults_by_report(report(rejected=10), replace(BOUNDS, rejects=100)) == {}
