"""A watched folder: files that land there are taken into the same durable intake as what a scanner sends.

A file is taken once its size, its time and its place stayed as they are for a while and, where the system tells,
no program of this machine has it open for writing. It is encrypted and fsynced before it is marked as taken or
deleted, so that a kill at any moment loses nothing; the same bytes again are the same object, so that it doubles
nothing (docs/decisions/0080).
"""

import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final, get_args

from pydantic import TypeAdapter, ValidationError
from pydicom import dcmread

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.words import SlipNumber
from sonovan.producers.gateway.intake import Claims, Intake
from sonovan.producers.gateway.matching import slip_of
from sonovan.producers.gateway.receiving import Incoming
from sonovan.producers.gateway.settings import FolderOptions
from sonovan.producers.gateway.taken import TakenFiles
from sonovan.producers.sources.dicom_header import guarded
from sonovan.producers.sources.inputs import is_housekeeping
from sonovan.producers.sources.reasons import shown
from sonovan.producers.sources.sniff import HEAD_BYTES, sniff

UNFINISHED: Final = frozenset({".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp"})
"""Names under which programs write until a file is whole; such a file is waited for until it is renamed."""
_CHUNK: Final = 2**20
_LONGEST_PAUSE_S: Final = 1.0
_UIDS: Final = ("SOPClassUID", "SOPInstanceUID")
_SLIP: Final[TypeAdapter[str]] = TypeAdapter(SlipNumber)

Signature = tuple[int, int, int, int]
"""Device, inode, size and time of change in ns: whether a file is still what it was."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the names of the folders say in which a file lies: a slip number, an organ, a side; None where nothing."""

    slip: str = ""
    organ: Organ | None = None
    side: Side | None = None


class WatchedFolder:
    """Takes what lands in one folder, from one thread."""

    def __init__(
        self,
        options: FolderOptions,
        intake: Intake,
        incoming: Incoming,
        taken: TakenFiles,
        stored: Callable[[], None],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """stored: called after each object. tell: takes a line in which nobody is named. clock: seconds, rising."""
        self._options, self._intake, self._incoming, self._taken = options, intake, incoming, taken
        self._stored, self._tell, self._clock = stored, tell, clock
        self._since: dict[Path, tuple[Signature, float]] = {}
        self._told: set[str] = set()
        self._unread = False
        self._stop = Event()

    def run(self) -> None:
        """Look again and again until `stop`. Raises Fatal."""
        while not self._stop.is_set():
            try:
                self.look()
            except Transient as error:
                self._say(f"{error}; trying again")
            self._stop.wait(min(_LONGEST_PAUSE_S, self._options.settle_s / 4))

    def stop(self) -> None:
        """Have `run` return after the file that it has in hand."""
        self._stop.set()

    def look(self) -> int:
        """Take every file that has settled; how many still wait. Raises Transient where the disk is full, Fatal.

        Where a folder cannot be listed, or a file in it not be looked at, nobody knows what lies there: one file more
        counts as waiting, so that the lights stay red, and no mark is forgotten.
        """
        self._unread = False
        found = dict(self._files())
        marked = self._taken.marks(self._options.path)
        done = [path for path, at in found.items() if marked.get(self._name(path)) == _text(at)]
        for path in done:  # where a kill came between marking and deleting
            self._delete(path, found[path])
        waiting = [path for path in found if path not in set(done)]
        self._since = {path: self._since[path] for path in waiting if path in self._since}
        left = len(waiting) + self._unread
        self._taken.note_waiting(self._options.path, left)
        for path in waiting:
            if self._stop.is_set():
                break
            if self._settled(path, found[path]) and self._take(path, found[path]):
                left -= 1
        self._taken.note_waiting(self._options.path, left)
        if not self._unread:
            self._taken.forget(self._options.path, set(marked) - {self._name(path) for path in found})
        return left

    def _files(self) -> Iterator[tuple[Path, Signature]]:
        """Every file below, with what tells whether it changes; links and hidden files are passed over."""

        def trouble(error: OSError) -> None:
            self._unread = True
            why = f"what lies in a watched folder cannot be read ({error.strerror})"
            self._say(f"{self._options.name}: {why}: not all is taken")

        for place, folders, names in os.walk(self._options.path, onerror=trouble):
            folders[:] = sorted(each for each in folders if not is_housekeeping(each))
            for name in sorted(each for each in names if not is_housekeeping(each)):
                path = Path(place, name)
                try:
                    found = path.lstat()
                except FileNotFoundError:  # it was renamed or deleted meanwhile
                    continue
                except OSError as error:
                    trouble(error)
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield path, _signature(found)

    def _settled(self, path: Path, now: Signature) -> bool:
        """Whether a file stayed as it is for long enough, by this machine's own watch and not by the file's time."""
        if path.suffix.casefold() in UNFINISHED:
            return False
        before, since = self._since.get(path, (None, 0.0))
        if before != now:
            self._since[path] = (now, self._clock())
            return self._options.settle_s == 0
        return self._clock() - since >= self._options.settle_s

    def _take(self, path: Path, expected: Signature) -> bool:
        """Take one file; whether it is durable now. False where it changed meanwhile, or cannot be read."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._say(f"{self._options.name}: a file in the watched folder cannot be opened ({error.strerror})")
            return False
        with os.fdopen(handle, "rb") as stream:
            if _signature(os.fstat(handle)) != expected or _being_written(handle):
                self._since.pop(path, None)
                return False
            kind = sniff(stream.read(HEAD_BYTES)).name
            if kind != "directory":  # a DICOMDIR holds no picture
                if not self._keep(path, stream, expected, kind == "dicom"):
                    return False
                self._stored()
        self._done(path, expected)
        return True

    def _keep(self, path: Path, stream: BinaryIO, expected: Signature, dicom: bool) -> bool:
        """Put the file into the intake. Whether that was done; not where it changed while it was read."""
        sop_class, instance = _uids(stream) if dicom else ("", "")
        stream.seek(0)
        received = self._incoming.file()
        try:
            while data := stream.read(_CHUNK):
                received.write(data)
            if _signature(os.fstat(stream.fileno())) != expected or received.size != expected[2]:
                self._since.pop(path, None)
                return False
            if not (sop_class and instance):
                sop_class, instance = "", f"file {received.sha256}"
            told = told_by(path.relative_to(self._options.path).parts[:-1])
            claims = Claims(
                sop_class, instance, self._options.name, file=self._name(path),
                folder_slip=told.slip, folder_organ=told.organ, folder_side=told.side,
            )  # fmt: skip
            self._intake.take(received, claims)
        except OSError as error:
            self._say(f"{self._options.name}: a file in the watched folder cannot be read ({error.strerror})")
            return False
        finally:
            received.close()
        return True

    def _done(self, path: Path, expected: Signature) -> None:
        """Mark the file as taken, or delete it: only now, and only if it is still the one that was taken."""
        self._taken.mark(self._options.path, self._name(path), _text(expected))
        self._since.pop(path, None)
        self._delete(path, expected)

    def _delete(self, path: Path, expected: Signature) -> None:
        if self._options.after == "keep":
            return
        try:
            if _signature(path.lstat()) == expected:
                path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            self._say(f"{self._options.name}: what was taken cannot be deleted ({error.strerror}); it stays there")

    def _name(self, path: Path) -> str:
        return shown(path.relative_to(self._options.path))

    def _say(self, line: str) -> None:
        """Tell each trouble once, not each second."""
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


def told_by(folders: tuple[str, ...]) -> Told:
    """What the names of folders say, the outermost first: a slip number, `breast` or `thyroid`, a side."""
    found = Told()
    for name in folders:
        word = name.strip().casefold()
        slip = _slip(name)
        found = Told(
            found.slip or slip,
            found.organ or next((each for each in get_args(Organ) if each == word), None),
            found.side or next((each for each in get_args(Side) if each == word), None),
        )
    return found


def _slip(name: str) -> str:
    try:
        return _SLIP.validate_python(slip_of(name))
    except ValidationError:
        return ""


def _uids(stream: BinaryIO) -> tuple[str, str]:
    """Class and instance of a DICOM file; empty where they cannot be read: its reader says then what is wrong."""
    stream.seek(0)
    try:
        with guarded(Path("file")):
            dataset = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_UIDS))
            return tuple(str(dataset.get(name) or "").strip() for name in _UIDS)  # type: ignore[return-value]  # two
    except InvalidRecord:
        return "", ""


def _being_written(handle: int) -> bool:
    """Whether a program of this machine has the file open for writing, as far as the system tells.

    A read lease is given only where nobody writes (fcntl(2), F_SETLEASE); it needs the file's owner, so that
    otherwise nothing is known. Whoever opens the file meanwhile makes a signal, which must be one that ends nothing.
    """
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    with suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _signature(found: os.stat_result) -> Signature:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _text(at: Signature) -> str:
    return " ".join(map(str, at))
