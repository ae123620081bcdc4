"""The world of the journeys where the centre runs in containers: compose and its engine do what `sonovan up` does.

What is read, of topics and of the store, is read as everywhere else; how a worker or a service starts, dies and tells
what it does is asked of the engine.
"""

import json
import os
import shlex
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sonovan.centre import Centre, worker_name
from sonovan.contracts.topics import PEOPLE, STAGES
from sonovan.deploy.authority import LISTENER, TRUSTED, Authority
from sonovan.deploy.files import write_private
from sonovan.deploy.services import KAFKA, RunningServices
from sonovan.deploy.state import StateFolder
from sonovan.storage.access import ACCOUNTS
from tests.containers.engine import ROOT, Project
from tests.journeys.world import PATH_STAGES, World
from tests.stream_apps.alert.receiver import Manners, Receiver
from tests.waiting import until

READY: Final = "python -m sonovan.deploy.answers /data/health.json /readyz"
OTHERWISE: Final = "otherwise.yaml"
"""What is other than in compose.yaml: further workers, added as it says, and workers that a journey has changed."""
READY_WITHIN_S: Final = 240.0
"""As long as `World.start` gives a worker."""
_AUTHORITIES: Final = "/etc/sonovan/receiver.pem"
_TESTS: Final = "/opt/tests"


def centre_of(project: Project, folder: Path) -> Centre:
    """How this machine reaches the centre in containers, as one of a state folder is reached.

    folder: takes the secrets of `.env` and the certificates, and what vans of this machine keep.
    """
    given, ports = project.secrets(), project.ports
    state = StateFolder(folder)
    state.prepare()
    known = {f"kafka-{each.value}": given[f"SONOVAN_KAFKA_{each.upper()}_PASSWORD"] for each in (*STAGES, *PEOPLE)}
    for account in ACCOUNTS:
        known[f"s3-{account}-access-key"] = given[f"SONOVAN_S3_{account.upper()}_ACCESS_KEY"].partition(".")[2]
        known[f"s3-{account}"] = given[f"SONOVAN_S3_{account.upper()}_SECRET_KEY"]
    write_private(state.secrets / "secrets.json", json.dumps(known))
    project.type(f"docker compose cp broker:/var/lib/sonovan/certificates/. {shlex.quote(str(state.certificates))}")
    reached = RunningServices(
        kafka_bootstrap=f"127.0.0.1:{ports['BROKER_PORT']}",
        kafka_vans_bootstrap=f"127.0.0.1:{ports['VANS_PORT']}",
        kafka_admin_username="admin",
        kafka_admin_password=given["SONOVAN_KAFKA_ADMIN_PASSWORD"],
        s3_endpoint=f"127.0.0.1:{ports['STORE_PORT']}",
        s3_access_key=given["SONOVAN_S3_ROOT_ACCESS_KEY"],
        s3_secret_key=given["SONOVAN_S3_ROOT_SECRET_KEY"],
        s3_console_url=f"http://127.0.0.1:{ports['STORE_CONSOLE_PORT']}",
    )
    return Centre(state, reached)


class WorldInContainers(World):
    """A centre in containers. usual: stage → settings that its worker has in every journey.

    Workers of other stages run beside those that a journey asks for, as `docker compose up` started them.
    """

    def __init__(self, project: Project, folder: Path, usual: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(centre_of(project, folder))
        self.project, self.usual = project, usual
        self._more: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        asked = f"docker network inspect --format '{{{{(index .IPAM.Config 0).Gateway}}}}' {project.name}_default"
        self._gateway = project.type(asked).strip()
        self._receivers = _certified(folder / "receiver", self._gateway)
        self._change("alert", environment={"SSL_CERT_FILE": _AUTHORITIES},
                     volumes=[f"{self._receivers / TRUSTED}:{_AUTHORITIES}:ro"])  # fmt: skip

    def work(self, *, also: Mapping[str, Mapping[str, str]] | None = None, stages: Sequence[str] = PATH_STAGES) -> None:
        for name in self._more:
            self._compose(f"stop {name}")
        for stage in stages:
            self.start(stage, settings=(also or {}).get(stage))

    def start(self, stage: str, instance: int = 1, settings: Mapping[str, str] | None = None) -> None:
        name = worker_name(stage, instance)
        given = {**self.usual.get(stage, {}), **(settings or {})}
        if instance != 1:
            self._add(name, stage, given, instance)
        elif stage == "assess":
            self._change(stage)
        self._compose(f"up --detach --no-deps {name}", given)
        asked = f"{self._words()} exec -T {name} {READY} >/dev/null 2>&1 && echo yes || true"
        until(
            lambda: "yes" in self.project.type(asked),
            f"{name} takes messages",
            deadline_s=READY_WITHIN_S,
            evidence=self.log_tails,
        )

    def start_changed_assess(self, module: str, argument: str) -> None:
        """The module's file is laid into the container, and its process has a parent, without which none can kill
        itself: nothing else is other than in compose.yaml, but that the engine does not start it again."""
        file = Path(*module.split(".")).with_suffix(".py")
        self._change(
            "assess",
            init=True,
            entrypoint=["python", "-m"],
            command=[module, argument],
            environment={"PYTHONPATH": _TESTS},
            volumes=[f"{ROOT / file}:{_TESTS}/{file}:ro"],
            restart="no",
        )
        self._compose("up --detach --no-deps assess")

    def runs(self, stage: str, instance: int = 1) -> bool:
        return bool(self._compose(f"ps --status running --quiet {worker_name(stage, instance)}").strip())

    def kill(self, name: str, instance: int = 1) -> None:
        """kill -9 by the engine, which starts nothing again that it killed itself."""
        service = _service(name, instance)
        self._compose(f"kill --signal KILL {service}")
        self.until(lambda: not self._compose(f"ps --status running --quiet {service}").strip(), f"{service} is dead")

    def stop(self, stage: str, instance: int = 1) -> float:
        """SIGTERM; the seconds from the signal to the end, as the engine tells them: compose takes some of its own."""
        name = worker_name(stage, instance)
        asked = f"docker inspect --format '{{{{.State.FinishedAt}}}}' {self._container(name)}"
        since = self.project.type("date +%s.%N").strip()
        self._end(name)
        self.until(lambda: not self.runs(stage, instance), f"{name} has ended")
        signals = (
            f"docker events --since {since} --until $(date +%s.%N) --filter container={self._container(name)} "
            "--filter event=kill --format '{{.TimeNano}} {{.Actor.Attributes.signal}}'"
        )
        first, signal = self.project.type(signals).splitlines()[0].split()
        assert signal == "15", signals
        return datetime.fromisoformat(self.project.type(asked).strip()).timestamp() - int(first) / 1e9

    def _end(self, name: str) -> None:
        self._compose(f"stop {name}")

    def _begin(self, service: str) -> None:
        self._compose(f"up --detach --no-deps --wait {_service(service, 1)}")

    def log(self, stage: str, instance: int = 1) -> str:
        container = self._container(worker_name(stage, instance))
        since = self.project.type(f"docker inspect --format '{{{{.State.StartedAt}}}}' {container}").strip()
        return self.project.type(f"docker logs --since {since} {container} 2>&1")

    def log_tails(self) -> str:
        return self._compose("ps --all") + self._compose("logs --no-color --tail 40")

    def webhook_url(self, port: int) -> str:
        """By https, at the address that this machine has in the containers' network."""
        return f"https://{self._gateway}:{port}/hook"

    def receiver(self, manners: Manners, port: int) -> Receiver:
        shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        shown.load_cert_chain(self._receivers / LISTENER)
        return Receiver(manners, port, address=self._gateway, tls=shown)

    def command(self, *words: str) -> subprocess.Popen[str]:
        """A van's command has its folder; one of the centre is told by its environment where the centre is."""
        argv = [sys.executable, "-m", "sonovan", *words]
        told = dict(os.environ)
        if words[0] == "van":
            argv += ["--state", str(self.centre.path)]
        else:
            told |= self.centre.environment("retrier")
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=told)

    def close(self) -> None:
        """Take further workers away, their volumes too, and give the others the settings that they came with."""
        super().close()
        for name in self._more:
            self._compose(f"rm --force --stop {name}")
            self.project.type(f"docker volume rm {self.project.name}_{name}")
        (self.project.folder / OTHERWISE).unlink(missing_ok=True)
        self._more, self._changed = {}, {}
        self.project.type("docker compose up --detach --wait")

    def _add(self, name: str, stage: str, given: Mapping[str, str], instance: int) -> None:
        """Copy the service of a stage under another name, with a number and a volume of its own, and no port."""
        described = json.loads(self._compose("config --format json", given))["services"][stage]
        left = {key: value for key, value in described.items() if key not in ("depends_on", "ports")}
        left |= {"command": ["worker", stage, "--instance", str(instance)], "volumes": [f"{name}:/data"]}
        self._more[name] = left
        self._write()

    def _change(self, service: str, **described: Any) -> None:
        """From its next start on a service is so much other than in compose.yaml; without a word as it is there."""
        self._changed[service] = described
        self._write()

    def _write(self) -> None:
        changed = {name: described for name, described in self._changed.items() if described}
        told = {"services": changed | self._more, "volumes": {each: {} for each in self._more}}
        (self.project.folder / OTHERWISE).write_text(json.dumps(told))  # JSON is YAML

    def _container(self, service: str) -> str:
        return self._compose(f"ps --all --quiet {service}").strip()

    def _words(self) -> str:
        return f"docker compose -f compose.yaml -f {OTHERWISE}"

    def _compose(self, words: str, settings: Mapping[str, str] | None = None) -> str:
        given = "".join(f"{name}={shlex.quote(value)} " for name, value in (settings or {}).items())
        return self.project.type(f"{given}{self._words()} {words}")


def _certified(folder: Path, address: str) -> Path:
    """A certificate for this address by an authority of its own; the folder, whose `trusted.pem` anybody may read."""
    folder.mkdir()
    Authority(folder).ensure([address])
    (folder / TRUSTED).chmod(0o644)
    return folder


def _service(name: str, instance: int) -> str:
    """What compose.yaml calls a service of a state folder, or a worker."""
    return "broker" if name == KAFKA else worker_name(name, instance)
