"""A real PostgreSQL in a folder of its own, reached over a unix socket; it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

_INSTALLED = Path("/usr/lib/postgresql")


def find_postgres() -> Path | None:
    """The folder of initdb and pg_ctl, the newest where there are several; None where PostgreSQL is not installed.

    Where nothing may be missing (CI) it is installed, as far as this user may.
    """
    found = _look()
    if found is None and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=False, timeout=300)
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "postgresql"], check=False, timeout=300)
        found = _look()
    return found


def _look() -> Path | None:
    packaged = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = [*([Path(on_path)] if on_path else []), *packaged]
    return found[-1].parent if found else None


@contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Start a server; yields the folder of its socket, the `host` of a connection. Everything is removed afterwards."""
    user = _somebody()
    # Not pytest's folder: root's is closed to the user that the server runs as.
    base = Path(tempfile.mkdtemp(prefix="outbox-pg-"))
    try:
        if user is not None:
            shutil.chown(base, user, pwd.getpwnam(user).pw_gid)
        data = base / "data"
        _run(user, [binaries / "initdb", "-D", data, "-U", "outbox", "-A", "trust", "-E", "UTF8", "--no-sync"])
        options = f"-c listen_addresses='' -c unix_socket_directories='{base}' -c timezone=Asia/Shanghai"
        start: list[str | Path] = [binaries / "pg_ctl", "-D", data, "-l", base / "log", "-w", "-t", "60"]
        _run(user, [*start, "-o", options, "start"])
        try:
            yield str(base)
        finally:
            _run(user, [binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(base, ignore_errors=True)


def kill_and_start(host: str) -> None:
    """Let the server of this folder die as in a power cut, and start it again; returns when it takes connections."""
    binaries = _look()
    assert binaries is not None
    control: list[str | Path] = [binaries / "pg_ctl", "-D", Path(host) / "data", "-w", "-t", "60"]
    _run(_somebody(), [*control, "-m", "immediate", "-l", Path(host) / "log", "restart"])


def new_database(host: str, name: str) -> str:
    """Make an empty database; its SQLAlchemy URL."""
    with psycopg.connect(host=host, user="outbox", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"postgresql+psycopg://outbox@/{name}?host={host}"


def _somebody() -> str | None:
    """Who may run the server; None where that is whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str | None, command: Sequence[str | Path]) -> None:
    # Never through pipes: the server would inherit and hold them.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [str(part) for part in command],
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=120,
        )
        if done.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{Path(command[0]).name}: {said.read().decode(errors='replace')[-2000:]}")
