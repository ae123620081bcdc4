"""A broker's archive of classes makes its start faster, and never stands in the way of it.

That a broker maps its archive stands in tests/services/test_local_services.py.
"""

from pathlib import Path

import pytest

from sonovan.deploy.classes import ARCHIVE, ensure_archive

SAYS_NO = "#!/bin/sh\necho 'this JVM stores no classes'\nexit 1\n"


def test_where_it_cannot_be_made_it_says_so_once_and_leaves_no_process_or_secret(tmp_path: Path) -> None:
    java, jars, said = tmp_path / "java", tmp_path / "kafka-1", list[str]()
    java.write_text(SAYS_NO)
    java.chmod(0o755)
    assert ensure_archive(java, jars, said.append) is None
    assert "starts stay slow" in said[-1]
    assert "this JVM stores no classes" in said[-1]
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    assert list(folder.iterdir()) == []
    again = list[str]()
    assert ensure_archive(java, jars, again.append) is None
    assert again == []


def test_another_jvm_has_another_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        java = tmp_path / name
        java.write_text(SAYS_NO)
        java.chmod(0o755)
        ensure_archive(java, tmp_path / "kafka-1", print)
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 2


def test_one_that_is_cut_short_is_made_again(tmp_path: Path) -> None:
    java, jars, said = tmp_path / "java", tmp_path / "kafka-1", list[str]()
    java.write_text(SAYS_NO)
    java.chmod(0o755)
    ensure_archive(java, jars, print)
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    (folder / ARCHIVE).write_bytes(b"four")
    (folder / "bytes").write_text("4\n")
    assert ensure_archive(java, jars, said.append) == folder / ARCHIVE
    assert said == []
    (folder / ARCHIVE).write_bytes(b"one")
    assert ensure_archive(java, jars, said.append) is None
    assert said[0] == "Kafka: storing its classes for faster starts (once)"


@pytest.mark.parametrize("folder", ["a:b"])
def test_a_path_that_a_jvm_would_take_for_two_gets_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    assert ensure_archive(Path("/bin/false"), tmp_path / folder / "kafka-1", print) is None
