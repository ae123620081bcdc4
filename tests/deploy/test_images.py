"""The base image: by its name, and by its digest once somebody with a registry has pinned it.

docker is a small script here.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.programs import install

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "pin-images.sh"
DOCKERFILES = sorted((ROOT / "deploy").glob("**/Dockerfile"))
BASE = re.compile(r"debian:bookworm-slim(@sha256:[0-9a-f]{64})?")


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A folder with a docker that answers for each image with what stands in the variable DIGEST."""
    folder = tmp_path / "bin"
    install(folder, docker='echo "$*" >>"$ASKED"\n[ -n "$DIGEST" ] && echo "$DIGEST"')
    return folder


def pin(file: Path, folder: Path, digest: str) -> tuple[int, str]:
    told = {"PATH": f"{folder}:{os.environ['PATH']}", "DIGEST": digest, "ASKED": str(file.parent / "asked")}
    run = subprocess.run(["/bin/sh", SCRIPT, file], env=told, capture_output=True, text=True, check=False)
    return run.returncode, run.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_image_comes_from_the_base_that_an_argument_names_and_from_no_other(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    defaults = re.findall(r"^ARG BASE=(.*)", text, re.MULTILINE)
    assert len(defaults) == 1
    assert BASE.fullmatch(defaults[0])
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    assert "# syntax" not in text, "a frontend would come from a registry"


def test_a_digest_is_written_behind_the_base_and_a_newer_one_in_its_place(tmp_path: Path, docker: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("ARG BASE=debian:12.9-slim\nFROM ${BASE} AS build\nRUN make\n")
    for letter in "ab":
        assert pin(file, docker, f"sha256:{letter * 64}") == (0, "")
        assert file.read_text().splitlines() == [
            f"ARG BASE=debian:12.9-slim@sha256:{letter * 64}",
            "FROM ${BASE} AS build",
            "RUN make",
        ]
    assert "imagetools inspect debian:12.9-slim " in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(("digest", "status"), [("", 4), ("latest", 5), ("sha256:abc", 5)])
def test_what_is_no_digest_changes_nothing(tmp_path: Path, docker: Path, digest: str, status: int) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("ARG BASE=alpine:3.22\n")
    code, said = pin(file, docker, digest)
    assert (code, "alpine:3.22" in said) == (status, True)
    assert file.read_text() == "ARG BASE=alpine:3.22\n"
