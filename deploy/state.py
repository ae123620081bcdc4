"""The state folder: everything that one installation on this machine owns, in one place."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from sonovan.deploy import ports
from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import locked, write_private

LOCK_DEADLINE_S = 900.0  # a first `up` builds MinIO while it holds the lock
SECRET_BYTES = 32
FOLDERS = ("kafka", "minio", "apps", "logs", "run", "secrets", "certificates")

_Value = TypeVar("_Value", str, int)
_SECRETS = TypeAdapter(dict[str, str])
_PORTS = TypeAdapter(dict[str, int])


def silent(_line: str) -> None:
    """A progress callback for callers that show nothing."""


class StateFolder:
    """One state folder at `path`; made with mode 0700, and all its parts, when first used.

    Not for several threads at once: give each its own StateFolder, `lock` keeps them apart.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        folders = (self.path / name for name in FOLDERS)
        self.kafka, self.minio, self.apps, self.logs, self.run, self.secrets, self.certificates = folders
        self._lock_depth = 0

    def prepare(self) -> None:
        """Create the folders. Raises DeployError where that is not possible."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in FOLDERS:
                (self.path / name).mkdir(exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
        except OSError as error:
            raise DeployError(f"cannot use state folder {self.path}: {error.strerror}; name another one") from error

    @contextmanager
    def lock(self, progress: Callable[[str], None] = silent) -> Iterator[None]:
        """Keep every other `up` and `down` of this folder out; may be entered again by its holder."""
        if self._lock_depth == 0:
            self.prepare()
            waiting = f"waiting for another command that works on {self.path}"
            with locked(self.run / "lock", waiting=lambda: progress(waiting), deadline_s=LOCK_DEADLINE_S):
                self._lock_depth = 1
                try:
                    yield
                finally:
                    self._lock_depth = 0
        else:
            self._lock_depth += 1
            try:
                yield
            finally:
                self._lock_depth -= 1

    def secret(self, name: str) -> str:
        """Return the secret called `name`: 43 URL-safe characters, generated at its first use, then always the same."""
        path = self.secrets / "secrets.json"
        known = _read(path, _SECRETS)
        if name in known:  # read without the lock: `status` must answer while an `up` holds it
            return known[name]
        with self.lock():
            known = _read(path, _SECRETS)
            if name not in known:
                known[name] = secrets.token_urlsafe(SECRET_BYTES)
                write_private(path, _SECRETS.dump_json(known, indent=1).decode())
            return known[name]

    def has_secret(self, name: str) -> bool:
        """Whether `secret(name)` was generated before."""
        return name in _read(self.secrets / "secrets.json", _SECRETS)

    def port(self, name: str, *, in_use: bool) -> int:
        """Return the loopback port of `name`; picked at its first use, then remembered.

        in_use: our own service runs on it now. Otherwise a port that somebody else has taken is replaced.
        """
        path = self.run / "ports.json"
        with self.lock():
            known = _read(path, _PORTS)
            if name in known and (in_use or ports.is_free(known[name])):
                return known[name]
            known[name] = ports.find_free(avoid=frozenset(known.values()))
            write_private(path, _PORTS.dump_json(known, indent=1).decode())
            return known[name]

    def remembered_port(self, name: str) -> int | None:
        """Return the port of `name` without picking one."""
        return _read(self.run / "ports.json", _PORTS).get(name)


def _read(path: Path, kind: TypeAdapter[dict[str, _Value]]) -> dict[str, _Value]:
    try:
        return kind.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise DeployError(f"{path} is damaged; restore it, or delete the whole state folder to start afresh") from error
