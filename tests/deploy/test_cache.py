"""The cache is made once and whole; what is missing for it is named. Maven and Go are small scripts here."""

import hashlib
import re
import shutil
import threading
from pathlib import Path

import pytest

from sonovan.deploy import cache
from sonovan.deploy.errors import DeployError, ToolMissing
from sonovan.deploy.tools import GO, JAVA, MAVEN, find_tools
from tests.programs import install

JAVA_17 = "echo 'openjdk version \"17.0.1\"' >&2"
MVN = """case "$1" in -version) echo "Apache Maven 3.9.9";; *)
  for argument; do case "$argument" in -DoutputDirectory=*) folder="${argument#*=}";; esac; done
  echo run >> "$COUNT"; echo jar > "$folder/kafka.jar";; esac"""
GO_126 = """case "$1" in version) echo "go version go1.26.8 linux/amd64";;
  mod) printf '\\t"Dir": "%s",\\n\\t"Sum": "%s"\\n' "$SOURCE" "$SUM";;
  build) echo run >> "$COUNT"
    for argument; do case "$argument" in */minio) cp cmd/sonovan-guard.go "$argument";; esac; done;;
  esac"""
PINNED = re.search(r"^sum=(\S+)$", (cache.STORE / "build.sh").read_text(), re.MULTILINE)
COMMON = ("cat", "chmod", "cp", "cut", "dirname", "mktemp", "rm", "sed", "sha256sum", "sort", "tr", "uniq")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, with a few common programs in it, and the source that the Go of here downloads."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in COMMON:
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    source = tmp_path / "source"
    (source / "cmd").mkdir(parents=True)
    assert PINNED is not None
    monkeypatch.setenv("SOURCE", str(source))
    monkeypatch.setenv("SUM", PINNED[1])
    jars = tmp_path / "jars"
    shutil.copytree(cache.JARS, jars)
    (jars / "sha256sums").write_text(f"{hashlib.sha256(b'jar' + bytes([10])).hexdigest()}  kafka.jar\n")
    monkeypatch.setattr(cache, "JARS", jars)
    return folder


def test_all_that_is_missing_stands_in_one_line(programs: Path) -> None:
    with pytest.raises(ToolMissing) as caught:
        cache.ensure_cached(print)
    message = str(caught.value)
    assert "\n" not in message
    assert all(f"{name} not found: install" in message for name in ("java", "mvn", "go"))


@pytest.mark.parametrize(
    ("said", "shown"), [("echo 'openjdk version \"11.0.2\"' >&2", "is 11:"), ("echo strange", "is of unknown version:")]
)
def test_java_too_old_or_strange_is_named(programs: Path, said: str, shown: str) -> None:
    install(programs, java=said)
    with pytest.raises(ToolMissing, match=shown):
        find_tools(JAVA)


def test_java_home_goes_before_path(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, java="exit 1")
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    install(tmp_path / "jdk" / "bin", java=JAVA_17)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert find_tools(JAVA) == {"java": tmp_path / "jdk" / "bin" / "java"}


def test_two_at_once_make_it_once(programs: Path, tmp_path: Path) -> None:
    install(programs, java=JAVA_17, mvn=MVN, go=GO_126)
    found: list[tuple[Path, Path, Path]] = []
    both = [threading.Thread(target=lambda: found.append(cache.ensure_cached(lambda _: None))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert found[0] == found[1]
    _, jars, minio = found[0]
    assert (jars / "kafka.jar").is_file()
    assert minio.read_bytes() == (cache.STORE / "guard.go").read_bytes()  # it was there when Go built
    assert (tmp_path / "count").read_text().split() == ["run", "run"]  # one of Maven, one of Go


def test_what_is_cached_needs_neither_maven_nor_go(programs: Path) -> None:
    install(programs, java=JAVA_17, mvn=MVN, go=GO_126)
    made = cache.ensure_cached(print)
    (programs / "mvn").unlink()
    (programs / "go").unlink()
    assert cache.ensure_cached(print) == made


def test_failed_build_leaves_nothing_behind_and_says_why(programs: Path) -> None:
    offline = MVN.replace("echo run", 'echo "[ERROR] no route to host"; exit 1; echo run')
    install(programs, java=JAVA_17, mvn=offline, go=GO_126)
    with pytest.raises(DeployError, match="no route to host"):
        cache.ensure_cached(print)
    assert not cache.jars_folder().exists()
    assert [path.name for path in cache.cache_folder().iterdir() if path.is_dir()] == []


def test_another_guard_is_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.minio_folder()
    shutil.copytree(cache.STORE, tmp_path / "store")
    monkeypatch.setattr(cache, "STORE", tmp_path / "store")
    assert cache.minio_folder() == before
    (tmp_path / "store" / "guard.go").write_text("package cmd\n")
    assert cache.minio_folder() != before


def test_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache.cache_folder() == Path.home() / ".cache" / "sonovan"


def test_tools_are_asked_in_their_own_way(programs: Path) -> None:
    install(programs, java=JAVA_17, mvn=MVN, go=GO_126)
    assert set(find_tools(JAVA, MAVEN, GO)) == {"java", "mvn", "go"}
