"""Who did what with what is kept: a file of lines of which each holds the hash of the one before.

A line that was changed, taken out, put in or moved breaks the chain at its place, and `verify` names that line. A file
whose last lines were cut off is told by the mark beside it, which holds how many lines there are and the last one's
hash. Whoever may write both files can make the whole chain anew: the hash that `verify` prints is worth noting down
somewhere else from time to time, and is then found in the chain, or not.

The file belongs to the machine on which commands are typed. It has mode 0600, and reasons stand in it in people's own
words; nothing of it travels.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sonovan.contracts.errors import Transient

START: Final = "0" * 64
"""What the first line has in place of the hash of the one before."""

FOLDER: Final = "audit"
LINES: Final = "log.jsonl"
MARK: Final = "mark.json"
MAX_LINE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did.

    what: a code (`skip`, `dataset.exported`). by: the account on the machine, or a reader's code. about: ids, codes and
    counts, and a statement of SQL as it was typed (`catalog.asked`); never a name. why: the reason in their own words,
    None where nobody was asked.
    """

    what: str
    by: str
    at: datetime
    about: Mapping[str, str | int | bool | None]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. lines: how many hold. last: the hash of the last of these. broken: what is wrong with the
    line behind them, None where nothing is.
    """

    lines: int
    last: str
    broken: str | None


class Audit:
    """The audit in one state folder. Several processes may add to it at once."""

    def __init__(self, state: Path) -> None:
        """state: the state folder; the audit lies in `audit/` there."""
        self._folder = state / FOLDER
        self.path = self._folder / LINES
        self._mark = self._folder / MARK

    def add(self, act: Act) -> str:
        """Add a line that a crash cannot lose, and return its hash.

        Raises Transient where the disk does not take it, or where the file does not end as its mark says: whatever was
        to be noted must not be done then. Raises ValueError for an act that is too long for a line.
        """
        try:
            with self._held():
                verdict = self._end()
                if verdict.broken is not None:
                    raise Transient(f"{self.path}: {verdict.broken}; see: sonovan audit verify")
                fields = {
                    "number": verdict.lines + 1, "at": act.at.isoformat(), "what": act.what, "by": act.by,
                    "about": dict(act.about), "why": act.why, "previous": verdict.last,
                }  # fmt: skip
                line, digest = _sealed(fields)
                if len(line) > MAX_LINE_BYTES:
                    raise ValueError(f"the note would have {len(line)} bytes, at most {MAX_LINE_BYTES} are kept")
                self._append(line)
                self._put_mark(verdict.lines + 1, digest)
                return digest
        except OSError as error:
            raise Transient(f"cannot write {self.path}: {error.strerror}; nothing is done without a note") from error

    def acts(self) -> Iterator[dict[str, Any]]:
        """Every line, oldest first, as it stands; whether they hold is `verify`'s to say. Raises Transient."""
        yield from (json.loads(line) for line in self._lines())

    def verify(self, noted: str | None = None) -> Verdict:
        """Read the whole chain and stop at the first line that does not hold.

        noted: a hash that was noted down elsewhere, of which the chain must have a line. Raises Transient where the
        file cannot be read.
        """
        marked, lines, before, last, seen = self._read_mark(), 0, START, START, noted is None
        for number, line in enumerate(self._lines(), 1):
            broken = _broken(line, number, last)
            if broken is not None and _was_not_finished(line) and marked == (lines, last):
                break
            if broken is not None:
                return Verdict(lines, last, f"line {number} {broken}")
            lines, before, last = number, last, str(json.loads(line)["sha256"])
            seen = seen or last == noted
        if marked is None and lines > 1:
            return Verdict(lines, last, f"the mark {MARK} that says how many lines there are is gone")
        # A crash between a line and its mark leaves the mark one behind.
        if marked is not None and marked not in ((lines, last), (lines - 1, before)):
            return Verdict(lines, last, f"line {lines + 1} is gone, or the mark {MARK} was changed")
        return Verdict(lines, last, None if seen else "no line has the hash that was noted")

    def _lines(self) -> Iterator[bytes]:
        try:
            if self.path.is_file():
                with self.path.open("rb") as stream:
                    yield from stream
        except OSError as error:
            raise Transient(f"cannot read {self.path}: {error.strerror}") from error

    def _end(self) -> Verdict:
        """Where the chain ends, read off the mark and the last line alone: adding must not take longer every day.

        A line that a crash left unfinished is taken away: nothing was done yet of what it would have said.
        """
        marked = self._read_mark()
        *earlier, last = self._last_lines() or [b""]
        if _was_not_finished(last):
            with self.path.open("rb+") as stream:
                stream.truncate(stream.seek(0, os.SEEK_END) - len(last))
            last = earlier[-1] if earlier else b""
        if not last and marked in (None, (0, START)):
            return Verdict(0, START, None)
        if not last:
            return Verdict(0, START, "the lines are gone, and their mark is there")
        try:
            fields = json.loads(last)
            number, previous = int(fields["number"]), str(fields["previous"])
        except (ValueError, KeyError, TypeError):
            return Verdict(0, START, "its last line is no line of an audit")
        broken = _broken(last, number, previous)
        digest = str(fields.get("sha256"))
        if broken is None and (marked or (0, START)) not in ((number, digest), (number - 1, previous)):
            broken = "does not end as its mark says"
        return Verdict(number, digest, None if broken is None else f"line {number} {broken}")

    def _last_lines(self) -> list[bytes]:
        if not self.path.is_file():
            return []
        with self.path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 3 * MAX_LINE_BYTES))
            return stream.read().splitlines(keepends=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _append(self, line: bytes) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "ab") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def _put_mark(self, lines: int, digest: str) -> None:
        beside = self._mark.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"lines": lines, "sha256": digest}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._mark)

    def _read_mark(self) -> tuple[int, str] | None:
        try:
            fields = json.loads(self._mark.read_bytes())
            return int(fields["lines"]), str(fields["sha256"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return -1, ""
        except OSError as error:
            raise Transient(f"cannot read {self._mark}: {error.strerror}") from error


def _sealed(fields: Mapping[str, Any]) -> tuple[bytes, str]:
    digest = hashlib.sha256(_canonical(fields)).hexdigest()
    return _canonical({**fields, "sha256": digest}) + b"\n", digest


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _broken(line: bytes, number: int, previous: str) -> str | None:
    """What is wrong with one line that should be the `number`th, behind the one whose hash is `previous`."""
    try:
        fields = json.loads(line)
        digest = fields.pop("sha256")
    except (ValueError, AttributeError, KeyError):
        return "is cut off, or is no line of an audit"
    if not line.endswith(b"\n") or line != _sealed(fields)[0] or digest != _sealed(fields)[1]:
        return "was changed"
    if fields.get("number") != number or fields.get("previous") != previous:
        return "does not follow from the one before: lines were taken out, put in or moved"
    return None


def _was_not_finished(line: bytes) -> bool:
    """Whether a crash ended the writing of this line, if it is the last one."""
    return bool(line) and not line.endswith(b"\n")
