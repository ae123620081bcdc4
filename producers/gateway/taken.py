"""Which files of watched folders were taken, and how many wait there, in the van's database."""

from collections.abc import Collection
from pathlib import Path

from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault


class TakenFiles:
    """Marks of files, by the keyed hash of their names. Methods raise Transient and Fatal as `Database` does."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault
        self._names: dict[Path, dict[str, str]] = {}

    def marks(self, folder: Path) -> dict[str, str]:
        """Of each file that was taken from a folder, by its name: what it was then."""
        return dict(self._of(folder))

    def mark(self, folder: Path, name: str, was: str) -> None:
        """Note that a file was taken. was: its place, size and time."""
        with self._db.transaction():
            self._db.write(
                "INSERT INTO taken_files VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET was = excluded.was",
                self._folder(folder), self._vault.mac(f"taken {folder} {name}"),
                self._vault.seal(f"{name}\n{was}".encode(), "taken"),
            )  # fmt: skip
        self._of(folder)[name] = was

    def forget(self, folder: Path, names: Collection[str]) -> None:
        """Forget files that are no longer there; one that comes back is the same object by its bytes."""
        if names:
            with self._db.transaction():
                for name in names:
                    hidden = self._vault.mac(f"taken {folder} {name}")
                    self._db.write(
                        "DELETE FROM taken_files WHERE folder = ? AND name = ?", self._folder(folder), hidden
                    )
            for name in names:
                self._of(folder).pop(name, None)

    def note_waiting(self, folder: Path, count: int) -> None:
        """Note how many files of a folder are not taken yet."""
        hidden = self._folder(folder)
        if self._db.read("SELECT 1 FROM watched WHERE folder = ? AND waiting = ?", hidden, count):
            return
        with self._db.transaction():
            self._db.write(
                "INSERT INTO watched VALUES (?, ?) ON CONFLICT DO UPDATE SET waiting = excluded.waiting", hidden, count
            )

    def waiting(self) -> int:
        """How many files of all watched folders are not taken yet."""
        return int(self._db.read("SELECT coalesce(sum(waiting), 0) FROM watched")[0][0])

    def watch_only(self, folders: Collection[Path]) -> None:
        """Forget what waited in folders that are watched no longer."""
        known = {self._folder(each) for each in folders}
        with self._db.transaction():
            for (hidden,) in self._db.read("SELECT folder FROM watched"):
                if hidden not in known:
                    self._db.write("DELETE FROM watched WHERE folder = ?", hidden)

    def _of(self, folder: Path) -> dict[str, str]:
        if folder not in self._names:
            rows = self._db.read("SELECT was FROM taken_files WHERE folder = ?", self._folder(folder))
            texts = (self._vault.unseal(row[0], "taken").decode().partition("\n") for row in rows)
            self._names[folder] = {name: was for name, _, was in texts}
        return self._names[folder]

    def _folder(self, folder: Path) -> str:
        return self._vault.mac(f"folder {folder}")
