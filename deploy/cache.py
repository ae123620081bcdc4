"""The cache of this user: Kafka's jars and the MinIO binary, made once and shared by all state folders."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import locked, sync_folder
from sonovan.deploy.tools import GO, JAVA, MAVEN, find_tools

JARS = Path(__file__).parent / "jars"
STORE = Path(__file__).parent / "store"
LOCK_DEADLINE_S = 1800.0
PROGRESS_EVERY_S = 10.0


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/sonovan`, or `~/.cache/sonovan`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "sonovan"


def jars_folder() -> Path:
    """Where the jars of `jars/pom.xml` lie once they are fetched and are those of `jars/sha256sums`."""
    return cache_folder() / f"kafka-{kafka_jars()}"


def kafka_jars() -> str:
    """What tells one set of Kafka's jars from another: 12 hexadecimal digits over the versions and the sums."""
    return hashlib.sha256((JARS / "pom.xml").read_bytes() + (JARS / "sha256sums").read_bytes()).hexdigest()[:12]


def minio_folder() -> Path:
    """Where the MinIO binary lies once it is built; another guard or another version is another folder."""
    return cache_folder() / f"minio-{minio_build()}"


def minio_build() -> str:
    """What tells one build of MinIO from another: 12 hexadecimal digits over the script and the guard."""
    return hashlib.sha256((STORE / "build.sh").read_bytes() + (STORE / "guard.go").read_bytes()).hexdigest()[:12]


def ensure_cached(progress: Callable[[str], None]) -> tuple[Path, Path, Path]:
    """Return java, the folder of Kafka's jars and the MinIO binary; fetch and build what is not there yet.

    All tools that this needs are looked for before the first slow step. Raises ToolMissing, or DeployError when
    fetching or building fails.
    """
    needed = [JAVA]
    needed += [] if jars_folder().is_dir() else [MAVEN]
    needed += [] if minio_folder().is_dir() else [GO]
    found = find_tools(*needed)
    with _made_once(jars_folder(), "Kafka's jars", progress) as folder:
        if folder is not None:
            argv = ["/bin/sh", str(JARS / "fetch.sh"), str(folder)]
            _run_shown("Kafka: fetching jars with Maven (once)", argv, {}, progress)
    with _made_once(minio_folder(), "MinIO", progress) as folder:
        if folder is not None:
            argv = ["/bin/sh", str(STORE / "build.sh"), str(folder)]
            _run_shown("MinIO: building with Go (once, 3 to 4 minutes)", argv, {}, progress)
    return found["java"], jars_folder(), minio_folder() / "minio"


@contextmanager
def _made_once(target: Path, what: str, progress: Callable[[str], None]) -> Iterator[Path | None]:
    """Yield a temporary folder that becomes `target` when the block ends well; None when `target` is there already."""
    if target.is_dir():
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_name(f".{target.name}.lock")
    waiting = f"{what}: waiting for another command that is making it"
    with locked(lock, waiting=lambda: progress(waiting), deadline_s=LOCK_DEADLINE_S):
        if target.is_dir():
            yield None
            return
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            yield temporary
            os.sync()  # or a power cut after the rename could leave short files under the final name
            temporary.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _run_shown(title: str, argv: Sequence[str], env: Mapping[str, str], progress: Callable[[str], None]) -> None:
    """Run a slow command; progress gets the elapsed time every few seconds. Raises DeployError if it fails."""
    progress(title)
    began = time.monotonic()
    log = cache_folder() / "last-failure.log"
    with tempfile.TemporaryFile() as output:
        try:
            running = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=os.environ | dict(env)
            )
        except OSError as error:
            raise DeployError(f"{argv[0]} cannot be run: {error.strerror}") from error
        try:
            while True:
                try:
                    status = running.wait(PROGRESS_EVERY_S)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{title}: {time.monotonic() - began:.0f} s")
        except BaseException:  # the person pressed ctrl-C: do not build on behind their back
            running.terminate()
            running.wait()
            raise
        if status != 0:
            output.seek(0)
            said = output.read().decode(errors="replace")
            log.write_text(said, encoding="utf-8")
            raise DeployError(
                f"{title} failed: {_reason(said)} (all of it in {log}); is the network there? then try again"
            )
    progress(f"{title}: done in {time.monotonic() - began:.0f} s")


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("[ERROR]")] or lines[-1:]
    return errors[0][:300] if errors else "it said nothing"
