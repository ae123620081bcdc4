"""Scripts around a container engine: what they do where one answers, and where there can be none.

docker and syft are small scripts here; `make containers-test` runs them with a real engine.
"""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_compose import COMPOSE, ROOT
from tests.programs import install

WITH_ENGINE = ROOT / "deploy" / "compose" / "with-engine.sh"
SBOM = ROOT / "deploy" / "compose" / "sbom.sh"


def run(cache: Path, programs: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    told = {"PATH": f"{programs}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(cache), "HOME": str(cache)}
    return subprocess.run(["/bin/bash", *argv], env=told, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", [0, 7])
def test_an_engine_that_answers_is_used_and_the_commands_status_is_handed_on(tmp_path: Path, status: int) -> None:
    install(tmp_path / "bin", docker="exit 0")
    ran = run(tmp_path, tmp_path / "bin", WITH_ENGINE, "bash", "-c", f"echo ran $DOCKER_HOST; exit {status}")
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (status, "ran", "")
    assert not (tmp_path / "sonovan").exists(), "nothing was started, so nothing is kept"


def test_where_nobody_may_start_an_engine_the_reason_is_said_and_nothing_is_run(tmp_path: Path) -> None:
    install(tmp_path / "bin", docker="exit 1")
    install(tmp_path / "bin", id="echo 1000")
    ran = run(tmp_path, tmp_path / "bin", WITH_ENGINE, "echo", "ran")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr == "no container engine: none answers, and only root can start one\n"


def test_every_image_gets_a_list_of_what_is_in_it(tmp_path: Path) -> None:
    install(tmp_path / "bin", docker='[ "$1" = save ] && echo "$2" >"$4"')
    syft = tmp_path / "sonovan" / "syft-v1.20.0"
    install(syft, syft='for each; do case $each in cyclonedx-json=*) echo "$*" >"${each#*=}" ;; esac; done')
    ran = run(tmp_path, tmp_path / "bin", SBOM, str(tmp_path / "sbom"))
    assert ran.returncode == 0, ran.stderr
    images = {each["image"].split(":")[0] for each in yaml.safe_load(COMPOSE.read_text())["services"].values()}
    assert {path.name for path in (tmp_path / "sbom").iterdir()} == {f"{image}.cdx.json" for image in images}
