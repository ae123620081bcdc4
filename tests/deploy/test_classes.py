"""A broker's archive of classes makes its start faster, and never stands in the way of it.

That a broker maps its archive stands in tests/services/test_local_services.py.
"""

import os
import time
from pathlib import Path

from sonovan.deploy.classes import UNUSED_S, delete_damaged, ensure_archive
from tests.programs import install

SAYS_NO = "echo 'this JVM stores no classes'\nexit 1"


def a_jvm(folder: Path, name: str = "java", script: str = SAYS_NO) -> Path:
    install(folder, **{name: script})
    return folder / name


def test_where_it_cannot_be_made_it_says_so_once_and_leaves_no_process_or_secret(tmp_path: Path) -> None:
    java, jars, said = a_jvm(tmp_path), tmp_path / "kafka-1", list[str]()
    assert ensure_archive(java, jars, said.append) is None
    assert "starts stay slow" in said[-1]
    assert "this JVM stores no classes" in said[-1]
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    assert [each.name for each in folder.iterdir()] == ["failed"]
    again = list[str]()
    assert ensure_archive(java, jars, again.append) is None
    assert again == []


def test_a_cache_that_cannot_be_written_makes_a_start_slow_and_not_fail(tmp_path: Path) -> None:
    said = list[str]()
    assert ensure_archive(a_jvm(tmp_path), tmp_path / "gone" / "kafka-1", said.append) is None
    assert "starts stay slow" in said[-1]


def test_another_jvm_has_another_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        ensure_archive(a_jvm(tmp_path, name), tmp_path / "kafka-1", print)
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 2


def test_one_that_is_cut_short_is_made_again(tmp_path: Path) -> None:
    java, jars, said = a_jvm(tmp_path), tmp_path / "kafka-1", list[str]()
    ensure_archive(java, jars, print)
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    (folder / "failed").unlink()
    archive = folder / "kafka-4.jsa"
    archive.write_bytes(b"four")
    assert ensure_archive(java, jars, said.append) == archive
    assert said == []
    archive.write_bytes(b"one")
    assert ensure_archive(java, jars, said.append) is None
    assert said[0] == "Kafka: storing its classes for faster starts (once)"
    assert not archive.exists()


def test_what_a_killed_command_left_is_taken_away(tmp_path: Path) -> None:
    java, jars = a_jvm(tmp_path), tmp_path / "kafka-1"
    ensure_archive(java, jars, print)
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    left = folder.with_name(f".{folder.name}.abc.part")
    folder.rename(left)
    ensure_archive(java, jars, print)
    assert [each for each in tmp_path.iterdir() if each.is_dir()] == [folder]


def test_a_path_that_a_jvm_would_take_for_two_gets_none(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    assert ensure_archive(Path("/bin/false"), tmp_path / "a:b" / "kafka-1", print) is None


def test_what_no_start_has_asked_for_in_a_month_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    jars = tmp_path / "kafka-1"
    jars.mkdir()
    for name in ("old", "other", "own"):
        ensure_archive(a_jvm(tmp_path, name), jars, print)
    folders = sorted(tmp_path.glob("kafka-1-classes-*"), key=lambda each: each.stat().st_mtime)
    assert len(folders) == 3
    long_ago = time.time() - UNUSED_S - 60
    for unused in (folders[0], folders[2], jars):
        os.utime(unused, (long_ago, long_ago))
    ensure_archive(tmp_path / "own", jars, print)
    assert sorted(tmp_path.glob("kafka-1*")) == sorted([jars, *folders[1:]]), "asking for one keeps it"


def test_an_archive_that_was_cut_short_is_deleted_before_a_start_and_a_whole_one_is_not(tmp_path: Path) -> None:
    archive = tmp_path / "kafka-4.jsa"
    argv = ("java", f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces", "kafka.Kafka")
    assert delete_damaged(argv) is None, "it is gone"
    archive.write_bytes(b"four")
    assert delete_damaged(argv) is None
    assert archive.exists()
    archive.write_bytes(b"one")
    assert delete_damaged(argv) == archive
    assert not archive.exists()
    assert delete_damaged(("java", "kafka.Kafka")) is None
