"""Each thing that a doctor judges, well and broken: what is said, and which remedy."""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.certificates import prepare
from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Writer
from sonovan.contracts.van_reports import VanReported
from sonovan.deploy.authority import Described
from sonovan.deploy.restarts import Restarts
from sonovan.deploy.services import StatusRow
from sonovan.doctor import broker, databases, machine, store, van
from sonovan.doctor.centre import Reached, look, processes
from sonovan.doctor.line import Line, Lines, looked_at
from sonovan.models.registry import WEIGHTS_DIR
from sonovan.transport.lag import Lag

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def only(lines: Iterable[Line]) -> Line:
    (line,) = lines
    return line


def test_a_centre_that_settings_name_is_looked_at_as_far_as_they_tell(tmp_path: Path) -> None:
    told = Reached(None, None, {}, (), WEIGHTS_DIR, (tmp_path,), 0, tmp_path / "certificates")
    absent = [line for line in look(told, None) if line.about == "certificate"]
    assert [(line.found, "certificates" in line.remedy) for line in absent] == [("none", True)]
    prepare(tmp_path / "certificates")
    shown = [line for line in look(told, None) if line.about == "certificate"]
    assert [(line.subject, line.well) for line in shown] == [("authority", True), ("listener", True)]
    unasked = look(replace(told, certificates=None), None)
    assert {line.about for line in unasked} == {"disk", "version", "weights"}


def test_a_disk_with_less_room_than_workers_need_is_to_be_mended(tmp_path: Path) -> None:
    assert machine.disk(tmp_path, 2_000, 2_000).well
    line = machine.disk(tmp_path, 1_999, 2_000)
    assert (line.found, "make room" in line.remedy) == ("1,999 MB free, fewer than 2,000", True)


def test_folders_of_one_disk_are_one_line_and_need_not_be_there_yet(tmp_path: Path) -> None:
    assert only(machine.disks((tmp_path / "a" / "b", tmp_path / "c"), 0)).well
    assert not only(machine.disks((tmp_path,), 10**12)).well


@pytest.mark.parametrize(
    ("what", "days", "remedy"),
    [
        ("listener", 61, ""),
        ("listener", 59, "sonovan certificates rotate"),
        ("authority", 59, "sonovan certificates rotate --authority"),
    ],
)
def test_a_certificate_that_runs_out_is_to_be_renewed_in_time(what: str, days: int, remedy: str) -> None:
    expires_at = NOW + timedelta(days=days, hours=1)
    line = only(machine.certificates([Described(what, "0" * 64, expires_at, ())], NOW))
    assert (line.remedy, f"{days} days left" in line.found) == (remedy, True)


def test_an_authority_that_counts_beside_the_new_one_is_to_be_retired() -> None:
    before = Described("authority before", "0" * 64, NOW + timedelta(days=3000), ())
    assert "certificates retire" in only(machine.certificates([before], NOW)).remedy


def test_weights_that_are_not_those_of_the_registry_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS_DIR, folder)
    lines = list(machine.weights(folder))
    assert lines
    assert all(line.well for line in lines)
    first = next(folder.glob("*.onnx"))
    first.write_bytes(first.read_bytes()[:-1])
    ill = [line for line in machine.weights(folder) if not line.well]
    assert ill
    assert first.name in ill[0].found
    (folder / "registry.json").unlink()
    assert not only(machine.weights(folder)).well


def test_topics_that_differ_are_named_and_partitions_are_mended_by_no_command() -> None:
    assert broker.topics_line([], 30).well
    missing = broker.topics_line(["frame.segmented.v1: missing"], 30)
    assert (missing.found, missing.remedy[:21]) == ("frame.segmented.v1: missing", "sonovan topics create")
    other = broker.topics_line([f"topic-{number}: 3 partitions, must be 12" for number in range(5)], 30)
    assert other.found.endswith("; and 2 more")
    assert "docs/scale.md" in other.remedy


def test_each_account_is_told_of_by_itself() -> None:
    astray = {"segment": ["access missing: …"], "van-7": ["…"]}
    found = broker.account_lines(("alert", "assess", "segment"), {"alert", "segment", "van-7"}, astray)
    lines = {line.subject: line for line in found}
    assert {name: line.well for name, line in lines.items()} == {
        "alert": True, "assess": False, "segment": False, "van-7": False,
    }  # fmt: skip
    assert "no password" in lines["assess"].found
    assert lines["segment"].found == "access missing: …"


def test_a_group_is_ill_only_where_something_waits_too_long() -> None:
    busy = Lag(Writer.SEGMENT, "frame.captured.v1", 400, 3, 200)
    assert only(broker.lag_lines([busy])).found == "400 records behind"
    assert only(broker.lag_lines([busy])).well
    late = only(broker.lag_lines([busy, Lag(Writer.SEGMENT, "van.enrolled.v1", 2, 1, 2, waiting=2)]))
    assert late.found == "402 records behind, longer than 300 s: 2 of van.enrolled.v1"
    assert "runbook" in late.remedy
    assert list(broker.lag_lines([Lag(Writer.ASSESS, "sonovan-assess-results-changelog", 9, 1, 9, waiting=9)])) == []


def test_a_clock_that_is_apart_is_told_with_its_direction() -> None:
    assert store.clock_line("object store", -4.9).well
    assert "900 s behind" in store.clock_line("object store", -900).found
    assert "900 s ahead of" in store.clock_line("object store", 900).found


def file_at(path: Path, version: str | None) -> databases.Kept:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        if version is not None:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
        connection.commit()
    return databases.Kept("catalog", f"sqlite:///{path}", "SONOVAN_CATALOG_DATABASE_URL", "catalog", "0005")


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("0005", ""), ("0004", "start what keeps it"), ("0006", "install that version"), (None, "start what keeps it")],
)
def test_tables_of_another_version_are_told(tmp_path: Path, version: str | None, remedy: str) -> None:
    line = only(databases.databases([file_at(tmp_path / "catalog.sqlite", version)]))
    assert (line.well, remedy in line.remedy) == (not remedy, True)


def test_a_database_that_is_damaged_or_no_address_is_told_without_its_address(tmp_path: Path) -> None:
    kept = file_at(tmp_path / "catalog.sqlite", "0005")
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"no database at all" + path.read_bytes()[18:])
    assert not only(databases.databases([kept])).well
    wrong = databases.Kept("catalog", "no://se:cret@host/x", "SONOVAN_CATALOG_DATABASE_URL", "catalog", "0005")
    line = only(databases.databases([wrong]))
    assert not line.well
    assert "cret" not in f"{line}"


def test_a_database_that_is_not_there_is_made_by_nobody_who_looks(tmp_path: Path) -> None:
    kept = databases.Kept("alert", f"sqlite:///{tmp_path}/outbox.sqlite", "SONOVAN_ALERT_DATABASE_URL", "public", None)
    assert only(databases.databases([kept])).well
    assert list(tmp_path.iterdir()) == []


def row(state: str = "running", **more: object) -> StatusRow:
    fields = {"pid": 7, "uptime_s": 3.0, "port": None, "healthy": True, "log": Path("logs/assess.log"), "ready": True}
    return StatusRow(name="assess", state=state, **{**fields, **more})  # type: ignore[arg-type]  # of the fields above


@pytest.mark.parametrize(
    ("given", "found", "remedy"),
    [
        (row(), "runs", ""),
        (row(ready=False, waiting="it stands by: other workers hold all partitions"), "stands by", ""),
        (row(ready=False, waiting="the disk of /data has 1 MB free"), "1 MB free", "docs/runbook.md"),
        (row(healthy=False), "does not answer", "logs/assess.log"),
        (row(past=Restarts(in_a_row=99, reason="its log: no such table")), "no such table", "logs/assess.log"),
        (row("ended"), "ended", "sonovan up"),
    ],
)
def test_a_process_that_ended_hangs_waits_or_fails_is_told(given: StatusRow, found: str, remedy: str) -> None:
    line = only(processes([given]))
    assert found in line.found
    assert (line.well, remedy in line.remedy) == (not remedy, True)


def test_a_worker_that_was_stopped_on_purpose_is_nothing_to_mend() -> None:
    assert list(processes([row("stopped")])) == []


def test_what_cannot_be_looked_at_keeps_nothing_else_from_being_looked_at() -> None:
    def looking() -> Lines:
        yield Line("topics", "", "all there")
        raise Transient("the broker went away")

    first, second = looked_at("topics", looking, "sonovan up")
    assert first.well
    assert (second.found, second.remedy) == (
        "could not be looked at: the broker went away",
        "sonovan up",
    )


def test_a_defect_of_the_doctor_is_not_told_as_an_illness() -> None:
    def looking() -> Lines:
        yield from ()
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        list(looked_at("topics", looking, "sonovan up"))


def reported(**more: object) -> list[Line]:
    fields = {
        "van_id": "van-1", "reported_at": NOW, "waiting": 0, "waiting_bytes": 0, "held": 0, "rejected": 0,
        "unfinished": 0, "disk_free_bytes": 2**40, "clock_ahead_s": 0.5, "version": "1.0", "python": "3.11",
    }  # fmt: skip
    return list(van.reported(VanReported.model_validate(fields | more)))


def test_a_van_is_judged_by_the_bounds_of_the_centre() -> None:
    assert only(reported()).well
    lines = reported(disk_free_bytes=2**30, clock_ahead_s=-61.0, waiting=3, oldest_s=49 * 3600, rejected=10)
    assert [line.subject for line in lines] == ["van_spool", "van_disk", "van_clock", "van_rejects"]
    assert not any(line.well for line in lines)


def test_every_fault_that_a_van_can_report_has_a_remedy() -> None:
    wrong = {"disk_free_bytes": 0, "clock_ahead_s": 99.0, "oldest_s": 10**6, "rejected": 99, "link_bits_per_s": 1}
    lines = reported(waiting=3, waiting_bytes=2**40, **wrong)
    assert {line.subject for line in lines} == set(van.REMEDIES)


def test_an_authority_that_a_van_trusts_is_to_be_renewed_before_it_ends() -> None:
    assert van.authority(NOW + timedelta(days=61), NOW).well
    assert "van trust" in van.authority(NOW + timedelta(days=59), NOW).remedy


def test_a_spool_that_is_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE item (id TEXT)")
        connection.commit()
    assert only(van.spool_whole(path)).well
    path.write_bytes(b"\0" * 4096)
    assert not only(van.spool_whole(path)).well
    path.unlink()
    assert not only(van.spool_whole(path)).well
