"""`make audit`: what is pinned is found in every kind of file, and compared with the ranges of known advisories."""

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from sonovan.deploy.audit import LOCKS, OLD_AFTER_DAYS, ROOT, Pin, main, pins, read_advisories, read_version
from sonovan.deploy.cache import minio_folder

DAY = date(2026, 11, 1)
KNOWN = """looked_up = 2026-11-01
[[advisory]]
kind = "{kind}"
package = "{package}"
ids = ["CVE-1"]
affected = {affected}
lets = "harm"
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with one pin of each kind."""
    for lock in LOCKS:
        (tmp_path / lock).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / lock).write_text("# via nothing\n")
    (tmp_path / LOCKS[0]).write_text("urllib3==2.6.2 \\\n    --hash=sha256:0\n    # via minio\n")
    for folder in ("jars", "store"):
        (tmp_path / "deploy" / folder).mkdir(parents=True)
    (tmp_path / "deploy" / "jars" / "sha256sums").write_text(f"{'0' * 64}  kafka_2.13-4.1.1.jar\n")
    (tmp_path / "deploy" / "store" / "modules").write_text("# of MinIO\ngolang.org/x/crypto v0.37.0\n")
    (tmp_path / "deploy" / "store" / "build.sh").write_text(
        "module=example.org/minio\nversion=v0.0.0-20260212201848-7aac2a2c5b7c\n"
    )
    (tmp_path / "deploy" / "Dockerfile").write_text(
        "ARG BASE=debian:12-slim\nFROM ${BASE} AS build\nARG GO=1.26.11\n"
        "FROM python:3.11-slim\nRUN apt-get install -y libgl1 libx=1.2-3 \\\n    # a comment\n    && true\n"
    )
    return tmp_path


def told(top: Path, kind: str, package: str, affected: str, accepted: str = "") -> None:
    text = KNOWN.format(kind=kind, package=package, affected=affected)
    (top / "deploy" / "advisories.toml").write_text(text + (f'accepted = "{accepted}"\n' if accepted else ""))


def test_everything_that_is_pinned_is_listed(top: Path) -> None:
    assert [(pin.kind, pin.package, pin.version) for pin in pins(top)] == [
        ("python", "urllib3", "2.6.2"),
        ("jar", "kafka_2.13", "4.1.1"),
        ("go", "golang.org/x/crypto", "v0.37.0"),
        ("go", "example.org/minio", "v0.0.0-20260212201848-7aac2a2c5b7c"),
        ("image", "debian", "12-slim"),
        ("image", "python", "3.11-slim"),
        ("go", "golang.org/toolchain", "1.26.11"),
        ("debian", "libgl1", ""),
        ("debian", "libx", "1.2-3"),
    ]


@pytest.mark.parametrize(
    ("kind", "package", "inside", "outside"),
    [
        ("python", "urllib3", "<2.6.3", "<2.6.2"),
        ("jar", "kafka_2.13", ">=4.1,<4.1.2", ">=4.0,<4.0.2"),
        ("go", "golang.org/x/crypto", "<0.56", ">=0.38"),
        ("go", "example.org/minio", ">=0", ">=0.0.1"),
        ("image", "python", "<3.12", "<3.11"),
        ("debian", "libx", "<2", "<1"),
    ],
)
def test_a_pin_inside_a_range_fails_and_one_outside_does_not(
    top: Path, capsys: pytest.CaptureFixture[str], kind: str, package: str, inside: str, outside: str
) -> None:
    told(top, kind, package, f'["{outside}", "{inside}"]')
    assert main(top, DAY) == 1
    assert "CVE-1: harm; OPEN" in capsys.readouterr().out
    told(top, kind, package, f'["{outside}"]')
    assert main(top, DAY) == 0
    assert "CVE-1" not in capsys.readouterr().out


def test_an_advisory_of_another_kind_of_package_is_not_taken_for_it(top: Path) -> None:
    told(top, "jar", "urllib3", '[">=0"]')
    assert main(top, DAY) == 0


def test_what_is_accepted_is_shown_with_its_reason_and_fails_nothing(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(top, "python", "urllib3", '[">=0"]', accepted="never called")
    assert main(top, DAY) == 0
    assert "urllib3 2.6.2: CVE-1: harm; accepted: never called" in capsys.readouterr().out


def test_a_version_that_says_nothing_counts_as_affected(top: Path) -> None:
    told(top, "debian", "libgl1", '["<1"]')
    assert main(top, DAY) == 1


def test_an_old_file_is_warned_of(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(top, "python", "urllib3", '["<1"]')
    assert main(top, date.fromordinal(DAY.toordinal() + OLD_AFTER_DAYS)) == 0
    assert capsys.readouterr().err == ""
    assert main(top, date.fromordinal(DAY.toordinal() + OLD_AFTER_DAYS + 1)) == 0
    assert f"{OLD_AFTER_DAYS + 1} days old" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.2.3+incompatible", "1.2.3"), ("3.30.2-GA", "3.30.2"), ("1.5.6-10", "1.5.6.post10"), ("3.11-slim", "3.11")],
)
def test_versions_of_every_kind_are_read(text: str, version: str) -> None:
    assert str(read_version(text)) == version


def test_a_version_that_begins_with_no_number_is_not_read() -> None:
    assert read_version("latest") is None


def test_nothing_that_this_repository_pins_has_an_open_advisory(capsys: pytest.CaptureFixture[str]) -> None:
    _, known = read_advisories(ROOT / "deploy" / "advisories.toml")
    assert main(ROOT, DAY) == 0, capsys.readouterr().out
    named = {(pin.kind, pin.package) for pin in pins(ROOT)}
    assert {each.package for each in known if each.accepted and (each.kind, each.package) not in named} == set()
    assert {pin.kind for pin in pins(ROOT)} == {"python", "jar", "go", "image", "debian"}


def test_the_modules_of_minio_are_those_of_its_binary() -> None:
    binary, go = minio_folder() / "minio", shutil.which("go")
    if not binary.is_file() or go is None:
        pytest.skip("MinIO is not built here yet")
    told = subprocess.run([go, "version", "-m", binary], capture_output=True, text=True, check=True).stdout
    found = {
        Pin("go", *each, "deploy/store/modules") for each in re.findall(r"^\tdep\t(\S+)\t(\S+)", told, re.MULTILINE)
    }
    assert found == {pin for pin in pins(ROOT) if pin.where == "deploy/store/modules"}
