"""A project of compose in a folder and with ports of its own, on whatever engine answers."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sonovan.contracts.topics import STAGES
from sonovan.deploy.ports import find_free

ROOT: Final = Path(__file__).resolve().parents[2]
MEASURED: Final = (*(stage.value for stage in STAGES), "console")
"""The services that answer /metrics."""
PUBLISHED: Final = (
    *("BROKER_PORT", "VANS_PORT", "STORE_PORT", "STORE_CONSOLE_PORT", "CONSOLE_PUBLISHED_PORT"),
    *(f"METRICS_{each.upper()}_PORT" for each in MEASURED),
)
PREFIX: Final = "sonovan-test-"
"""How the names of the projects of tests begin, and with them those of their containers, volumes and networks."""
OWN_ENGINE: Final = "/sonovan-engine."
"""In the address of an engine that with-engine.sh started."""
_LONGEST_S: Final = 540


def why_none() -> str | None:
    """Why no engine with compose can be used; None where one can."""
    if shutil.which("docker") is None:
        return "docker is not installed; `make containers-test` installs an engine where it may"
    for asked in (["docker", "info"], ["docker", "compose", "version"]):
        ran = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
        if ran.returncode != 0:
            return (
                f"{' '.join(asked)}: {(ran.stderr or ran.stdout).strip().splitlines()[-1]}; try `make containers-test`"
            )
    return None


def clear_what_a_killed_run_left() -> None:
    """Take away the containers, volumes and networks of runs that were killed with their engine.

    In an engine of our own alone (deploy/compose/with-engine.sh), which one command has at a time: there they would
    start again with it, and their volumes fill the disk.
    """
    if OWN_ENGINE not in os.environ.get("DOCKER_HOST", ""):
        return
    for listed, removed in (
        ("container ls --all", "container rm --force --volumes"),
        ("volume ls", "volume rm"),
        ("network ls", "network rm"),
    ):
        asked = ["docker", *listed.split(), "--quiet", "--filter", f"name={PREFIX}"]
        found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.split()
        if found:
            subprocess.run(["docker", *removed.split(), *found], capture_output=True, check=True, timeout=120)


@dataclass(frozen=True)
class Project:
    """A centre in containers. folder: a copy of what compose.yaml needs of the checkout; `.env` comes into it."""

    folder: Path
    name: str
    ports: Mapping[str, int]

    @classmethod
    def in_folder(cls, folder: Path) -> "Project":
        """Lay it out; nothing is started."""
        shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "compose.yaml", folder)
        ports: dict[str, int] = {}
        for each in PUBLISHED:
            ports[each] = find_free(frozenset(ports.values()))
        return cls(folder, f"{PREFIX}{secrets.token_hex(3)}", ports)

    def type(self, commands: str) -> str:
        """Type a block of commands at the top of the folder, as somebody who reads the page; what they say.

        Fails with it where one of them fails.
        """
        with self._begin("-euo", "pipefail", "-c", commands) as typed:
            try:
                said, _ = typed.communicate(timeout=_LONGEST_S)
            except BaseException:
                typed.kill()
                raise
        assert typed.returncode == 0, f"{commands}\n{said}"
        return said

    def start(self, commands: str) -> subprocess.Popen[str]:
        """Type a command and do not wait for its end."""
        return self._begin("-c", f"exec {commands}")

    def secrets(self) -> dict[str, str]:
        """What stands in `.env`."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of the container of a service, ended ones too."""
        container = self.type(f"docker compose ps --all --quiet {service}").strip()
        found: dict[str, Any] = json.loads(self.type(f"docker inspect {container}"))[0]
        return found

    def services(self) -> Sequence[str]:
        """The names of all services, in the order of the alphabet."""
        return sorted(self.type("docker compose config --services").split())

    def _begin(self, *words: str) -> subprocess.Popen[str]:
        """Start bash with these words at the top of the folder; what it says, errors too, comes by one pipe."""
        return subprocess.Popen(
            ["bash", *words],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def _environment(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"SONOVAN_VAN_PASSPHRASE": "words of a test", "COMPOSE_PROJECT_NAME": self.name, "PATH": path}
        return bare | own
