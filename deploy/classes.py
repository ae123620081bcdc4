"""The broker's classes as the JVM left them in memory: with them it starts in six tenths of the CPU time.

A JVM reads, checks and links some eight thousand classes before the broker answers. One broker, in a folder of its own
that is deleted again, is started and ended once for each set of jars and each JVM, and its JVM writes what it has
loaded into an archive that every later broker maps (JEP 350, "Dynamic CDS Archives"). A JVM does without an archive
of other jars, of another JVM, or whose sums are wrong (-XX:+VerifySharedSpaces), but ends at one that is cut short.
So its name tells its size, and one of another size is made again. Before the supervisor starts a broker again it
deletes such a one, since a JVM does without one that is gone.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sonovan.deploy import kafka
from sonovan.deploy.cache import LOCK_DEADLINE_S
from sonovan.deploy.errors import DeployError, ServiceFailed
from sonovan.deploy.files import locked, sync_folder
from sonovan.deploy.processes import last_line
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.spawning import INHERITED
from sonovan.deploy.state import StateFolder

OPTION: Final = "-XX:SharedArchiveFile="
UNUSED_S: Final = 30 * 24 * 3600.0
_FAILED: Final = "failed"
_WAITING: Final = "Kafka: waiting for another command that stores its classes"
_WITHIN_S: Final = 180.0
_POLL_S: Final = 0.1
_MESSAGE_BYTES: Final = 1024 * 1024  # any size will do: nothing is sent


def ensure_archive(java: Path, jars: Path, progress: Callable[[str], None]) -> Path | None:
    """The archive for these jars and this JVM, made where there is none yet; None where there cannot be one.

    Why there is none is told through `progress`. What could not be made is not tried again. Archives that no start has
    asked for in UNUSED_S are deleted: they are of jars or of a JVM that is no longer in use here.
    """
    folder = jars.with_name(f"{jars.name}-classes-{_jvm(java)}")
    if ":" in str(folder):  # the JVM parts archives by it
        return None
    try:
        found = stored_in(folder)
        if found is None and not (folder / _FAILED).is_file():
            lock = folder.with_name(f".{folder.name}.lock")
            with locked(lock, waiting=lambda: progress(_WAITING), deadline_s=LOCK_DEADLINE_S):
                found = stored_in(folder) or _made_in(folder, java, jars, progress)
        with suppress(OSError):  # a cache that others may only read is used as it is
            os.utime(folder)
            _delete_unused(folder.parent)
    except (OSError, DeployError) as error:
        progress(f"Kafka: its classes cannot be stored, so starts stay slow: {error}")
        return None
    return found


def delete_damaged(argv: Sequence[str]) -> Path | None:
    """Delete the archive that a command line names, if its size is not the one that its name tells; which one it was.

    A JVM starts without an archive that is not there, and `ensure_archive` makes it again. Raises OSError.
    """
    named = next((each.removeprefix(OPTION) for each in argv if each.startswith(OPTION)), None)
    archive = None if named is None else Path(named)
    if archive is None or not archive.is_file() or archive.name == _name(archive.stat().st_size):
        return None
    archive.unlink(missing_ok=True)
    return archive


def _delete_unused(cache: Path) -> None:
    """Delete what no start has asked for lately. A broker that has one of them mapped keeps it until it ends."""
    long_ago = time.time() - UNUSED_S
    for folder in cache.glob("kafka-*-classes-*"):
        with suppress(FileNotFoundError):  # another command deletes it, too
            if folder.stat().st_mtime < long_ago:
                shutil.rmtree(folder, ignore_errors=True)


def stored_in(folder: Path) -> Path | None:
    """The whole archive in a folder: its name tells its size."""
    return next((each for each in folder.glob("kafka-*.jsa") if each.name == _name(each.stat().st_size)), None)


def _name(size: int) -> str:
    return f"kafka-{size}.jsa"


def _made_in(folder: Path, java: Path, jars: Path, progress: Callable[[str], None]) -> Path | None:
    """Make the archive, its lock held, and take away what is left of earlier tries."""
    for left in (folder, *folder.parent.glob(f".{folder.name}.*.part")):
        shutil.rmtree(left, ignore_errors=True)
    progress("Kafka: storing its classes for faster starts (once)")
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    try:
        state, archive = StateFolder(temporary / "state"), temporary / "archive"
        try:
            _make(java, jars, archive, state)
            archive.rename(temporary / _name(archive.stat().st_size))
        except DeployError as error:
            archive.unlink(missing_ok=True)
            (temporary / _FAILED).write_text(f"{error}\n", encoding="utf-8")
            progress(f"Kafka: its classes cannot be stored, so starts stay slow: {error}; delete {folder} to try again")
        shutil.rmtree(state.path, ignore_errors=True)
        os.sync()  # or a power cut after the rename could leave a short file under the final name
        temporary.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return stored_in(folder)


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
    env = {name: os.environ[name] for name in INHERITED if name in os.environ} | broker.env
    with log.open("wb") as output, subprocess.Popen(
        argv, cwd=broker.cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    ) as running:  # fmt: skip
        try:
            while not kafka.healthy(state):
                if running.poll() is not None or time.monotonic() > give_up_at:
                    raise ServiceFailed(f"a broker did not start for it: {last_line(log)}")
                time.sleep(_POLL_S)
        finally:
            running.terminate()
            running.wait()
    if not archive.is_file():
        raise ServiceFailed(f"the JVM wrote none: {last_line(log)}")


def _jvm(java: Path) -> str:
    """What tells one JVM from another: 12 hexadecimal digits over where it lies, its version, and its date."""
    program = java.resolve()
    release = program.parent.parent / "release"
    version = release.read_text(encoding="utf-8") if release.is_file() else ""
    told = f"{program} {program.stat().st_size} {program.stat().st_mtime_ns} {version}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]
