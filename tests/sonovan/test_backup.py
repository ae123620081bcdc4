"""A backup of a folder in which nothing runs: what it holds, what it shares with another, what a restore checks."""

import os
from pathlib import Path

import pytest

from sonovan.backup import ABOUT, DATA, back_up, newest, restore
from sonovan.backup_files import FILES
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.deploy import processes, services
from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, read_record
from sonovan.deploy.state import StateFolder
from tests import command
from tests.waiting import until


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder as one that was stopped: an object, a segment of a log with its index, a database, secrets."""
    folder = tmp_path / "state"
    files = {
        "minio/data/sonovan-frames/van-1/0.jls/xl.meta": b"pixels", "kafka/data/t-0/00.log": b"records",
        "kafka/data/t-0/00.index": b"index", "apps/console/console.sqlite": b"accounts", "secrets/secrets.json": b"{}",
        "run/ports.json": b'{"kafka-vans": 20001}', "run/kafka.json": b"a process of now", "logs/kafka.log": b"said",
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    (folder / "apps" / "catalog").mkdir()
    (folder / "apps" / "catalog" / "catalog.sqlite").symlink_to("catalog-1.sqlite")
    (folder / "minio" / "data" / "sonovan-masks").mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_what_was_backed_up_comes_back_without_what_belongs_to_processes(state: Path, tmp_path: Path) -> None:
    made = back_up(state, tmp_path / "backups")
    again = tmp_path / "again"
    restore(made.folder, again)
    expected = contents(state)
    for own in ("run/kafka.json", "run/lock", "logs/kafka.log"):
        del expected[own]
    assert contents(again) == expected
    assert (again / "minio/data/sonovan-masks").is_dir()  # an empty bucket is one
    assert {path.stat().st_mode & 0o077 for path in again.rglob("*") if not path.is_symlink()} == {0}


def test_what_never_changes_is_shared_with_the_backup_before_and_the_rest_is_copied(
    state: Path, tmp_path: Path
) -> None:
    first = back_up(state, tmp_path / "backups")
    log = state / "kafka/data/t-0/00.log"
    log.write_bytes(b"records and more")
    os.rename(first.folder, older := first.folder.with_name("20200101T000000Z"))
    second = back_up(state, tmp_path / "backups")

    def shared(name: str) -> bool:
        return (older / DATA / name).samefile(second.folder / DATA / name)

    assert shared("minio/data/sonovan-frames/van-1/0.jls/xl.meta")
    assert not shared("kafka/data/t-0/00.log")
    assert not shared("kafka/data/t-0/00.index")
    assert not shared("apps/console/console.sqlite")
    restore(older, tmp_path / "old")
    assert (tmp_path / "old/kafka/data/t-0/00.log").read_bytes() == b"records"
    restore(second.folder, tmp_path / "new")
    assert (tmp_path / "new/kafka/data/t-0/00.log").read_bytes() == b"records and more"


def test_a_backup_that_fails_or_is_cut_off_is_none(state: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with pytest.raises(Transient, match="ended with 7"):
        back_up(state, backups, during="exit 7")
    assert newest(backups) is None
    (backups / ".partial" / DATA).mkdir(parents=True, exist_ok=True)
    (backups / ".partial" / DATA / "left-over").write_text("of a power cut")
    made = back_up(state, backups, during='echo rows > "$BACKUP/centre.dump"')
    assert newest(backups) == made.folder
    assert (made.folder / "dumps" / "centre.dump").read_text() == "rows\n"
    assert "left-over" not in contents(made.folder / DATA)


def test_a_dump_that_is_not_as_it_was_is_not_restored(state: Path, tmp_path: Path) -> None:
    made = back_up(state, tmp_path / "backups", during='echo rows > "$BACKUP/centre.dump"')
    (made.folder / "dumps" / "centre.dump").write_text("rots\n")
    with pytest.raises(InvalidRecord, match=r"centre\.dump is not as it was backed up"):
        restore(made.folder, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_folder_of_backups_cannot_lie_in_what_is_backed_up(state: Path) -> None:
    with pytest.raises(InvalidRecord, match="on another disk"):
        back_up(state, state / "backups")
    assert not (state / "backups").exists()


def test_what_does_not_come_up_again_keeps_nothing_else_down_and_the_backup_counts(state: Path, tmp_path: Path) -> None:
    folder = StateFolder(state)
    for name, argv in (("a", ("sleep", "300")), ("b", ("false",)), ("c", ("sleep", "300"))):
        processes.start(folder, Launch(name=name, argv=argv, cwd="/"))
    until(lambda: not is_running(read_record(folder, "b")), "b has ended")
    try:
        back_up(state, tmp_path / "backups")
        again = {row.name: row.state for row in services.status(folder)}
        assert (again["a"], again["c"]) == ("running", "running")
        assert again["b"] != "stopped", "what had ended is still somebody's to start again"
    finally:
        services.stop(folder)


def test_a_restore_refuses_rotten_bytes_a_folder_in_use_and_what_is_no_backup(state: Path, tmp_path: Path) -> None:
    made = back_up(state, tmp_path / "backups")
    with pytest.raises(InvalidRecord, match="is not empty"):
        restore(made.folder, state)
    with pytest.raises(InvalidRecord, match="is no backup"):
        restore(tmp_path / "backups", tmp_path / "again")
    (made.folder / DATA / "kafka/data/t-0/00.log").write_bytes(b"rotten!")
    with pytest.raises(InvalidRecord, match="is not as it was backed up"):
        restore(made.folder, tmp_path / "again")
    for damaged in ("[", '["a name alone"]'):
        (made.folder / FILES).write_text(damaged)
        with pytest.raises(InvalidRecord, match="is no backup"):
            restore(made.folder, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_the_commands_say_what_was_done_and_what_to_do_next(state: Path, tmp_path: Path) -> None:
    told = command.sonovan("backup", str(tmp_path / "backups"), "--state", str(state))
    assert told.returncode == 0, told.stderr
    folder = newest(tmp_path / "backups")
    assert str(folder) in told.stdout
    again = command.sonovan("restore", str(folder), "--state", str(tmp_path / "again"))
    assert (again.returncode, "sonovan up" in again.stdout, "resend" in again.stderr) == (0, True, True)
    assert folder is not None
    assert (folder / ABOUT).exists()
    nothing = command.sonovan("backup", str(tmp_path / "backups"), "--state", str(tmp_path / "nowhere"))
    assert nothing.returncode == 4
