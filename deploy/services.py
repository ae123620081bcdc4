"""Kafka and MinIO of one state folder: start, stop, status. What `sonovan up`, `down` and `status` call."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sonovan.deploy import kafka, minio, processes
from sonovan.deploy.answers import answer_of
from sonovan.deploy.authority import Authority
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.classes import ensure_archive
from sonovan.deploy.errors import ServiceFailed
from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, launched_names, log_path, read_launch, read_record
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.processes import start_app, wait_healthy
from sonovan.deploy.restarts import Restarts, read_restarts
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.spawning import exit_status
from sonovan.deploy.state import StateFolder, silent

START_DEADLINE_S = 120.0
DEFAULT_MAX_MESSAGE_BYTES = 32 * 1024 * 1024
KAFKA = kafka.NAME
STORE = minio.NAME
SERVICES = (minio.NAME, KAFKA)  # in the order in which they stop, after the apps
SUPERVISOR = "supervisor"  # the process that starts the others again (supervisor.py); it stops first


@dataclass(frozen=True)
class RunningServices:
    """How to reach what runs. Passwords are not shown when it is printed."""

    kafka_bootstrap: str
    kafka_vans_bootstrap: str
    kafka_admin_username: str
    kafka_admin_password: str = field(repr=False)
    s3_endpoint: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    s3_console_url: str


@dataclass(frozen=True)
class StatusRow:
    """One process of a state folder. state: `running`, `stopped`, or `ended` where it went without being stopped.

    healthy is None where the process offers nothing to ask, else whether it is live. ready: whether a worker takes
    messages, and waiting: what it waits for or warns of; None and empty for what is no worker. past: its restarts
    since it was last started by hand, with its last exit. next_start_s: seconds until the supervisor starts it again;
    None where it will not.
    """

    name: str
    pid: int | None
    state: str
    uptime_s: float | None
    port: int | None
    healthy: bool | None
    log: Path
    past: Restarts = field(default_factory=Restarts)
    next_start_s: float | None = None
    ready: bool | None = None
    waiting: str = ""


def start_services(
    state: StateFolder,
    *,
    progress: Callable[[str], None] = silent,
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    vans: VansListenerSettings | None = None,
) -> RunningServices:
    """Start the broker and MinIO and wait until both are healthy; harmless when they run already.

    vans: where vans reach the broker; on loopback by default. A broker that runs with other settings is restarted.
    Raises DeployError: ToolMissing when java, mvn or go is missing, ServiceFailed when a service does not become
    healthy.
    """
    with state.lock(progress):
        running = launch_services(state, progress=progress, max_message_bytes=max_message_bytes, vans=vans)
        for name in SERVICES:
            await_service(state, name, progress)
        return running


def launch_services(
    state: StateFolder,
    *,
    progress: Callable[[str], None] = silent,
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    vans: VansListenerSettings | None = None,
) -> RunningServices:
    """Start the broker and MinIO, as `start_services` does, but return before they answer: see `await_service`."""
    with state.lock(progress):
        java, jars, binary = ensure_cached(progress)
        archive = ensure_archive(java, jars, progress)
        # Both are prepared before either starts: lost secrets are named while nothing runs.
        broker = kafka.prepare(
            state,
            java,
            jars,
            archive=archive,
            max_message_bytes=max_message_bytes,
            vans=vans or VansListenerSettings.model_construct(),
            progress=progress,
        )
        for launch in (broker, minio.prepare(state, binary)):
            processes.start(state, launch)
        return describe(state)


def await_service(state: StateFolder, name: str, progress: Callable[[str], None] = silent) -> None:
    """Wait until one of SERVICES that was launched is healthy. Raises ServiceFailed where it does not become so."""
    launch, record = read_launch(state, name), read_record(state, name)
    if record is None:
        raise ServiceFailed(f"{name} was stopped while it started")
    wait_healthy(state, record, probe(state, launch) or _runs, deadline_s=START_DEADLINE_S, progress=progress)


def describe(state: StateFolder) -> RunningServices:
    """How to reach the services of a folder that `start_services` has started before; whether they run is not asked."""
    kafka_port, minio_port = read_launch(state, kafka.NAME).port, read_launch(state, minio.NAME).port
    return RunningServices(
        kafka_bootstrap=f"127.0.0.1:{kafka_port}",
        kafka_vans_bootstrap=kafka.vans_bootstrap(state),
        kafka_admin_username=kafka.ADMIN,
        kafka_admin_password=state.secret(kafka.ADMIN_CREDENTIAL),
        s3_endpoint=f"127.0.0.1:{minio_port}",
        s3_access_key=minio.root_access_key(state),
        s3_secret_key=state.secret(minio.ROOT_CREDENTIAL),
        s3_console_url=f"http://127.0.0.1:{state.remembered_port('minio-console')}",
    )


def shows_its_certificate(state: StateFolder) -> bool:
    """Whether every thread of the broker's listener for vans shows the certificate that lies in the folder."""
    found = {each.sha256 for each in Authority(state.certificates).described() if each.what == "listener"}
    return bool(found) and kafka.shown_certificates(state) == found


def stop(state: StateFolder, progress: Callable[[str], None] = silent) -> None:
    """End every process that this folder started, apps before services; harmless when none runs.

    The supervisor starts others again only while it holds the lock that is held here, and it is ended first: nothing
    comes back.
    """
    with state.lock(progress):
        recorded = [name for name in launched_names(state) if read_record(state, name) is not None]
        apps = tuple(name for name in recorded if name not in (SUPERVISOR, *SERVICES))
        alone = {name: (name,) for name in (SUPERVISOR, *SERVICES) if name in recorded}
        for together in (alone.get(SUPERVISOR, ()), apps, *(alone.get(name, ()) for name in SERVICES)):
            if together:
                progress(f"stopping {', '.join(together)}")
                processes.stop(state, *together)


def start_supervisor(state: StateFolder, env: Mapping[str, str] = MappingProxyType({})) -> None:
    """Start the supervisor of this folder; harmless when it runs with these variables."""
    argv = (sys.executable, "-m", "sonovan.deploy.supervisor", str(state.path))
    start_app(state, SUPERVISOR, argv, env)


def start_one(state: StateFolder, name: str, progress: Callable[[str], None] = silent) -> None:
    """Start again one process that was started before, just as then, on the same port; wait until it is healthy."""
    with state.lock(progress):
        launch = read_launch(state, name)
        record = processes.start(state, launch)
        wait_healthy(state, record, probe(state, launch) or _runs, deadline_s=START_DEADLINE_S, progress=progress)


def stop_one(state: StateFolder, name: str) -> None:
    """End one process in good order (SIGTERM first)."""
    processes.stop(state, name)


def kill_one(state: StateFolder, name: str) -> None:
    """End one process like a power cut (SIGKILL)."""
    processes.kill(state, name)


def status(state: StateFolder) -> list[StatusRow]:
    """One row for each process that was ever started in this folder."""
    return [_row(state, name) for name in launched_names(state)] if state.run.is_dir() else []


def probe(state: StateFolder, launch: Launch) -> Callable[[], bool] | None:
    """How to ask whether the process of `launch` is well; None where it offers nothing to ask."""
    if launch.name == kafka.NAME:
        return partial(kafka.healthy, state)
    if launch.health_url is not None:
        return partial(answers_ok, launch.health_url)
    if launch.health_file is not None:
        return lambda: worker_says(state, launch.name, "/healthz")[0]
    return None


def worker_says(state: StateFolder, name: str, question: str) -> tuple[bool, str]:
    """What the worker `name` answers to `/healthz` or `/readyz`; no, without words, where it does not answer."""
    record, file = read_record(state, name), read_launch(state, name).health_file
    if record is None or file is None:
        return False, ""
    return answer_of(Path(file), question, pid=record.pid)


def _runs() -> bool:
    return True


def _row(state: StateFolder, name: str) -> StatusRow:
    launch, record, past = read_launch(state, name), read_record(state, name), read_restarts(state, name)
    log = log_path(state, name)
    if record is None:
        return StatusRow(name, None, "stopped", None, launch.port, None, log)
    if not is_running(record):
        if past.next_at_s is None:
            past = past.model_copy(update={"last_exit": exit_status(state, record)})
        return StatusRow(name, None, "ended", None, launch.port, None, log, past, _next_start_s(state, past))
    asked = probe(state, launch)
    healthy = asked() if asked else None
    ready, waiting = None, ""
    if launch.health_file is not None:
        ready, waiting = worker_says(state, name, "/readyz")
    return StatusRow(
        name, record.pid, "running", record.uptime_s(), launch.port, healthy, log, past,
        ready=ready, waiting=waiting.removeprefix("ready").removeprefix("; "),
    )  # fmt: skip


def _next_start_s(state: StateFolder, past: Restarts) -> float | None:
    if past.next_at_s is None or not is_running(read_record(state, SUPERVISOR)):
        return None
    return max(0.0, past.next_at_s - time.monotonic())
