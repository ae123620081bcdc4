"""What the centre is told of its vans."""

from datetime import UTC, datetime, timedelta

from sonovan.cli.van_reports import newest_reports, told
from sonovan.contracts.envelope import seal
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.contracts.van_reports import VanReported
from sonovan.stream_apps.vans import VanRegistry
from sonovan.transport.tail import Message

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEYS = {name: generate_key() for name in ("van-1", "van-2")}


def registry() -> VanRegistry:
    found = VanRegistry()
    for name, key in KEYS.items():
        found.learn(VanEnrolled.first(name, public_key(key), NOW - timedelta(days=30)))
    return found


def report(van_id: str, waiting: int, **more: object) -> VanReported:
    fields = {"waiting": waiting, "waiting_bytes": 2**20 * waiting, "held": 0, "rejected": 0, "unfinished": 0}
    known = {"van_id": van_id, "reported_at": NOW, "disk_free_bytes": 2**31, "version": "1.0", "python": "3.11"}
    return VanReported.model_validate({**known, **fields, **more})


def sent(record: VanReported, signer: str, minutes_ago: int = 0) -> Message:
    value = seal(record, KEYS[signer])
    at = NOW - timedelta(minutes=minutes_ago)
    return Message(Topic.VAN_REPORTED, 0, 0, at, record.van_id.encode(), value, {})


def test_the_newest_report_of_each_van_counts() -> None:
    found = newest_reports(registry(), [sent(report("van-1", 5), "van-1", 9), sent(report("van-1", 3), "van-1", 4)])
    assert found["van-1"].report.waiting == 3
    assert found["van-1"].appended_at == NOW - timedelta(minutes=4)


def test_a_report_in_another_vans_name_is_left_out() -> None:
    found = newest_reports(registry(), [sent(report("van-1", 5), "van-1", 9), sent(report("van-1", 0), "van-2")])
    assert found["van-1"].report.waiting == 5


def test_a_line_says_what_waits_and_what_is_wrong() -> None:
    late = report("van-1", 3, oldest_s=7200, rejected=1, clock_ahead_s=-86_400.0, link_bits_per_s=3_900_000)
    line = told("van-1", newest_reports(registry(), [sent(late, "van-1", 4)])["van-1"], NOW)
    assert line == (
        "van-1: 4 min ago: 3 items wait (3.0 MiB), the oldest for 120 min, 1 rejected, 2.0 GiB of disk free,"
        " its clock is 86400 s slow, link 3.9 Mbit/s; sonovan 1.0"
    )
    assert told("van-2", None, NOW) == "van-2: silent for a week or longer"
