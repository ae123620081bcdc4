"""The broker's classes as the JVM left them in memory: with them it starts in about half the CPU time.

A JVM reads, checks and links some eight thousand classes before the broker answers. One broker, in a folder of its own
that is deleted again, is started and ended once for each set of jars and each JVM, and its JVM writes what it has
loaded into an archive that every later broker maps (JEP 350, "Dynamic CDS Archives"). A JVM does without an archive
of other jars, of another JVM, or whose sums are wrong (-XX:+VerifySharedSpaces), but ends at one that is cut short.
So its size is kept beside it, and one of another size is made again.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sonovan.deploy import kafka
from sonovan.deploy.cache import made_once
from sonovan.deploy.errors import DeployError, ServiceFailed
from sonovan.deploy.processes import last_line
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.state import StateFolder

ARCHIVE: Final = "kafka.jsa"
_BYTES: Final = "bytes"
_WITHIN_S: Final = 180.0
_POLL_S: Final = 0.1
_MESSAGE_BYTES: Final = 1024 * 1024  # any size will do: nothing is sent


def ensure_archive(java: Path, jars: Path, progress: Callable[[str], None]) -> Path | None:
    """The archive for these jars and this JVM, made where there is none yet; None where it cannot be made.

    What cannot be made is told through `progress` and not tried again.
    """
    folder = jars.with_name(f"{jars.name}-classes-{_jvm(java)}")
    if ":" in str(folder):  # the JVM parts archives by it
        return None
    archive, kept = folder / ARCHIVE, folder / _BYTES
    if _bytes(archive) != _bytes(kept, told=True):
        shutil.rmtree(folder)
    with made_once(folder, "Kafka's archive of classes", progress) as temporary:
        if temporary is not None:
            progress("Kafka: storing its classes for faster starts (once)")
            state = StateFolder(temporary / "state")
            try:
                _make(java, jars, temporary / ARCHIVE, state)
                (temporary / _BYTES).write_text(f"{(temporary / ARCHIVE).stat().st_size}\n")
            except DeployError as error:
                progress(
                    f"Kafka: its classes cannot be stored, so starts stay slow: {error}; delete {folder} to try again"
                )
            shutil.rmtree(state.path)
    return archive if archive.is_file() else None


def _bytes(path: Path, *, told: bool = False) -> int | None:
    """The size of a file, or the one that it tells; None where there is none."""
    try:
        return int(path.read_text(encoding="ascii")) if told else path.stat().st_size
    except (FileNotFoundError, ValueError):
        return None


def _make(java: Path, jars: Path, archive: Path, state: StateFolder) -> None:
    """Start a broker that writes the archive when it ends, and end it as soon as it answers."""
    listener = VansListenerSettings.model_construct()
    with state.lock():
        broker = kafka.prepare(
            state, java, jars, max_message_bytes=_MESSAGE_BYTES, vans=listener, progress=lambda _told: None
        )
    log = state.logs / "kafka.log"
    # `timeout` ends it too where this process is killed before it can.
    limited = ("timeout", f"--kill-after={_WITHIN_S:.0f}", f"{_WITHIN_S:.0f}")
    argv = (*limited, broker.argv[0], f"-XX:ArchiveClassesAtExit={archive}", *broker.argv[1:])
    give_up_at = time.monotonic() + _WITHIN_S
    with log.open("wb") as output, subprocess.Popen(
        argv, cwd=broker.cwd, env=os.environ | broker.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    ) as running:  # fmt: skip
        try:
            while not kafka.healthy(state):
                if running.poll() is not None or time.monotonic() > give_up_at:
                    raise ServiceFailed(f"a broker did not start for it: {last_line(log)}")
                time.sleep(_POLL_S)
        finally:
            running.terminate()
    if not archive.is_file():
        raise ServiceFailed(f"the JVM wrote none: {last_line(log)}")


def _jvm(java: Path) -> str:
    """What tells one JVM from another: 12 hexadecimal digits over where it lies and when it was installed."""
    program = java.resolve()
    told = f"{program} {program.stat().st_size} {program.stat().st_mtime_ns}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]
