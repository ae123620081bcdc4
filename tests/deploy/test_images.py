"""Base images: each by its version, and by its digest once somebody with a registry has pinned them.

docker is a small script here.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "pin-images.sh"
DOCKERFILES = sorted((ROOT / "deploy").glob("**/Dockerfile"))
PINNED = re.compile(r"[\w./-]+:[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?")


def bases(dockerfile: Path) -> list[str]:
    return re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A folder with a docker that answers for each image with what stands in the variable DIGEST."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$*" >>"$ASKED"\n[ -n "$DIGEST" ] && echo "$DIGEST"\n')
    program.chmod(0o755)
    return program.parent


def pin(file: Path, folder: Path, digest: str) -> tuple[int, str]:
    told = {"PATH": f"{folder}:{os.environ['PATH']}", "DIGEST": digest, "ASKED": str(file.parent / "asked")}
    run = subprocess.run(["/bin/sh", SCRIPT, file], env=told, capture_output=True, text=True, check=False)
    return run.returncode, run.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_base_image_has_a_version_and_no_other_form(dockerfile: Path) -> None:
    assert bases(dockerfile)
    assert [image for image in bases(dockerfile) if not PINNED.fullmatch(image)] == []


def test_a_digest_is_written_behind_each_version_and_a_newer_one_in_its_place(tmp_path: Path, docker: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM golang:1.26-alpine AS build\nRUN make\nFROM alpine:3.22\nCOPY --from=build /a /a\n")
    for letter in "ab":
        assert pin(file, docker, f"sha256:{letter * 64}") == (0, "")
        assert file.read_text().splitlines() == [
            f"FROM golang:1.26-alpine@sha256:{letter * 64} AS build",
            "RUN make",
            f"FROM alpine:3.22@sha256:{letter * 64}",
            "COPY --from=build /a /a",
        ]
    assert "imagetools inspect golang:1.26-alpine " in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(("digest", "status"), [("", 4), ("latest", 5), ("sha256:abc", 5)])
def test_what_is_no_digest_changes_nothing(tmp_path: Path, docker: Path, digest: str, status: int) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM alpine:3.22\n")
    code, said = pin(file, docker, digest)
    assert (code, "alpine:3.22" in said) == (status, True)
    assert file.read_text() == "FROM alpine:3.22\n"
