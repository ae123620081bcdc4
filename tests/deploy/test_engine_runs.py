"""A container engine for real: one is started where none answers, runs what compose.yaml says, and is gone afterwards.

With two images, that of the database, which is run until it is well, and that of the workers; the store's takes half
an hour. `make containers-test` has them all, and a centre of them.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.in_engine import NO_ENGINE

ROOT: Final = Path(__file__).resolve().parents[2]
WITH_ENGINE: Final = ROOT / "deploy" / "compose" / "with-engine.sh"

pytestmark = pytest.mark.timeout(1500)


def of_the_engine() -> list[str]:
    """What an engine has on this machine while it runs: its folder, mounts, bridge and rules for packets."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    own = [each for each in mounts if "/sonovan-engine." in each or "/sonovan/containers/" in each]
    own += map(str, Path(tempfile.gettempdir()).glob("sonovan-engine.*"))
    rules: list[str] = []
    if shutil.which("iptables-save"):  # which comes with the engine where that is installed first
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout.splitlines()
    bridges = [each.name for each in Path("/sys/class/net").glob("docker0")]
    return sorted([*own, *bridges, *(each for each in rules if "DOCKER" in each)])


def test_an_engine_is_started_runs_an_image_as_compose_would_and_is_gone_afterwards(tmp_path: Path) -> None:
    """Skips where no engine can be started or it has nothing to build from and with, in CI too: that is the machine's
    affair. All else fails.
    """
    if _is_taken():
        pytest.skip("another command has the engine of the cache")
    found = tmp_path / "found"
    before = None if _answers() else of_the_engine()
    ran = subprocess.run(
        [WITH_ENGINE, "--without-compose", sys.executable, "-m", "tests.deploy.in_engine", found],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode == NO_ENGINE:
        pytest.skip(ran.stderr.strip().splitlines()[-1])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = json.loads(found.read_text())
    user, rights, closed, refused = seen["user, rights, and what became of a file in /usr/bin"]
    assert (user, int(rights, 16), closed) == ("1000", 0, "1")
    assert "Read-only file system" in refused
    assert seen["secrets in layers"] == []
    assert "sonovan_" not in " ".join(seen["environment of the image"]).lower()
    assert "left behind" not in ran.stderr
    if before is not None:
        assert of_the_engine() == before
    workers = seen["workers"]
    if workers is None:
        pytest.skip("no client of the engine has BuildKit, so that the image of the workers was not tried")
    assert (workers["version"], workers["user"]) == (f"sonovan {version('sonovan')}", "1000")
    assert int(workers["authorities"]) > 50
    assert workers["secrets in layers"] == []


def _is_taken() -> bool:
    """Whether with-engine.sh would wait for another command: `make containers-test` takes half an hour."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        with (cache / "sonovan" / "containers" / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _answers() -> bool:
    """Whether an engine runs already, which then is used and stays."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60).returncode == 0
    except FileNotFoundError:
        return False
