"""From stored objects to the frames of a screening: whose is it, of what is it, and then through the one composer.

An object is read in memory, never in a file that is not encrypted. Whatever stops on the way is done again from the
start; the spool knows what it has, so that nothing is doubled (docs/decisions/0061).
"""

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event
from traceback import extract_tb
from typing import Final

from pydicom import dcmread

from sonovan.contracts.errors import Fatal, InvalidRecord, SonovanError, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Organ
from sonovan.producers.ahead import read_ahead
from sonovan.producers.gateway.duty import Duty
from sonovan.producers.gateway.intake import QUARANTINED, TRAY, Arrived, Assigned, Claims, Intake
from sonovan.producers.gateway.matching import whose
from sonovan.producers.gateway.register import Expected, Register
from sonovan.producers.gateway.said import Sayings, send_fields
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.items import Signer
from sonovan.producers.screening import OpenSequence, Screening
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame, Source
from sonovan.producers.sources.dicom import open_dicom
from sonovan.producers.sources.dicom_header import guarded, open_stream
from sonovan.producers.sources.inputs import open_source
from sonovan.producers.sources.sniff import head_of, sniff
from sonovan.producers.sources.structured_report import SaidOfHer, is_report, read_said
from sonovan.producers.spool import Spool

_LOG: Final = logging.getLogger(__name__)

MAX_OBJECT_BYTES: Final = 2**30
"""A larger object waits in the quarantine: it would not fit into the memory of a small laptop beside all else."""
FOR_THE_OPERATOR: Final = frozenset(
    {"organ_missing", "organ_contradicts_file", "side_contradicts_file", "side_unreadable"}
)
"""Reasons that whoever stands beside the scanner can answer; with any other one an object goes into the quarantine."""
_POLL_S: Final = 1.0
_AFTER_TROUBLE_S: Final = 10.0
_AT_ONCE: Final = 16
"""Frames that are put in one step: coded on all cores, with one transaction instead of many."""
_GIVES_WAY: Final = 10
"""Niceness of the composer's threads."""
_AHEAD_BYTES: Final = 32 * 2**20
"""Pixels that are read and cleaned while those before them are put; a cleaner's block of frames comes on top."""
_TEXT: Final = {
    "study": "StudyInstanceUID", "accession": "AccessionNumber", "patient_id": "PatientID",
    "patient_name": "PatientName",
}  # fmt: skip

Tell = Callable[[str], None]
Shot = CapturedFrame | LostFrame
Clean = Callable[[Source], Source]
"""Gives the same sequence as it may leave the van: without text in its pictures, what is doubtful marked as held."""


_OF_THE_MACHINE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""Errors that no object makes, and that pass: too many open files, no memory, no thread to be had."""


class Composer:
    """Composes objects, one at a time, in the order of their arrival."""

    def __init__(
        self,
        intake: Intake,
        register: Register,
        spool: Spool,
        signer: Signer,
        clean: Clean,
        tell: Tell,
        watch: Watch | None = None,
        sayings: Sayings | None = None,
        duty: Duty | None = None,
    ) -> None:
        """tell: takes one line for each object, in which nobody is named. watch: is shown every frame that was kept.

        sayings: keeps what objects say beside their pixels; None keeps nothing of it. duty: knows who scanned when an
        object came; None knows nobody.
        """
        self._intake, self._register, self._spool, self._signer = intake, register, spool, signer
        self._clean, self._tell, self.watch, self._sayings = clean, tell, watch or Watch(), sayings
        self._duty = duty
        self.wake, self._stop = Event(), Event()

    def run(self) -> None:
        """Compose until `stop`, what comes and what the operator assigns. Raises what ends the process.

        The thread that calls this, and those that it starts, give way to all others: scanners wait for answers.
        """
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GIVES_WAY)
        while not self._stop.is_set():
            self.wake.clear()
            try:
                self.compose_all()
            except Transient as error:
                self._tell(f"{error}; trying again")
                self._stop.wait(_AFTER_TROUBLE_S)
            self.wake.wait(_POLL_S)

    def stop(self) -> None:
        """Have `run` return after the object that it has in hand."""
        self._stop.set()
        self.wake.set()

    def compose_all(self) -> None:
        """Compose every object that nobody looked at yet."""
        while not self._stop.is_set() and (found := self._intake.next()) is not None:
            self._compose(found)

    def _compose(self, found: Arrived) -> None:
        try:
            with opened_object(self._intake, found) as path:
                claims, said = self._claims(found, path)
                if is_report(claims.sop_class):
                    self._keep(found, claims, said)
                    return
                source, entry = self._understood(found, claims, path)
                screening = screening_of(self._spool, entry, self._signer)
                operator = None if self._duty is None else self._duty.at(found.arrived_at)
                put_all(screening, self._clean(source), claims.instance, self.watch, operator)
                self._note(found, entry, said)
        except _Waits as waits:
            self._wait(found, TRAY, waits.reason)
        except InvalidRecord as error:
            self._wait(found, TRAY if error.reason in FOR_THE_OPERATOR else QUARANTINED, error.reason)
        except SonovanError:
            raise
        except Exception as error:  # none that is known: this object waits, for else every start would end on it again
            if isinstance(error, MemoryError) or getattr(error, "errno", None) in _OF_THE_MACHINE:
                raise Transient(f"object {found.number} cannot be composed now ({type(error).__name__})") from error
            at = extract_tb(error.__traceback__)[-1]  # and not what the error says, which may be what the object says
            _LOG.error(
                "object %d ended in %s at %s, line %s: please report this", found.number, type(error).__name__, at.name,
                at.lineno,
            )  # fmt: skip
            self._wait(found, QUARANTINED, "object_defect")
        else:
            self._intake.composed(found.number, entry.screening_id)
            self._tell(f"object {found.number} from {found.claims.scanner}: in screening {entry.screening_id}")

    def _wait(self, found: Arrived, state: str, reason: str) -> None:
        self._intake.wait(found.number, state, reason)
        self._tell(f"object {found.number} from {found.claims.scanner}: {state}: {reason}")

    def _keep(self, found: Arrived, claims: Claims, said: SaidOfHer) -> None:
        """Keep a report, and what it measures. Raises _Waits."""
        entry, reason = whose(self._register, claims, found.assigned)
        if entry is None:
            raise _Waits(reason)
        self._note(found, entry, said)
        self._intake.keep(found.number, entry.screening_id)
        count = len(said.measured)
        self._tell(
            f"object {found.number} from {found.claims.scanner}: {count} measurements kept of {entry.screening_id}"
        )

    def _note(self, found: Arrived, entry: Expected, said: SaidOfHer) -> None:
        """Keep what an object says; fields of the clinical record go out where nobody recorded one."""
        if self._sayings is None:
            return
        if said:
            self._sayings.put(found.number, entry.screening_id, said)
        if entry.visit.features is None:
            send_fields(self._sayings, self._spool, self._signer, entry.screening_id)

    def _claims(self, found: Arrived, path: Path) -> tuple[Claims, SaidOfHer]:
        """What the object says, remembered for the operator. Raises InvalidRecord."""
        if not is_dicom(found.claims, path):
            return found.claims, SaidOfHer()
        with guarded(path), open_stream(path) as stream:
            dataset = dcmread(stream, stop_before_pixels=True, force=True)
            said = {field: str(dataset.get(name) or "").strip() for field, name in _TEXT.items()}
            about_her = read_said(path, dataset)
            instance, sop_class = str(dataset.get("SOPInstanceUID") or ""), str(dataset.get("SOPClassUID") or "")
        claims = replace(found.claims, **said)  # type: ignore[arg-type]  # texts for fields of text
        self._intake.note(found.number, claims)
        if claims.sop_class and (instance, sop_class) != (claims.instance, claims.sop_class):
            raise InvalidRecord("instance_mislabelled", f"object {found.number} has another UID within")
        return claims, about_her

    def _understood(self, found: Arrived, claims: Claims, path: Path) -> tuple[Source, Expected]:
        """The object as frames, and whose it is. Raises InvalidRecord, _Waits.

        One that cannot be read is refused as such even where nobody is expected for it.
        """
        assigned = found.assigned
        entry, reason = whose(self._register, claims, assigned)
        said = assigned or Assigned("", "", claims.folder_organ, claims.folder_side)
        options = CaptureOptions(organ=said.organ or (None if entry is None else only_organ(entry)), side=said.side)
        try:
            source = open_object(path, claims, options)
        except InvalidRecord as error:
            if entry is None and error.reason in FOR_THE_OPERATOR:
                raise _Waits(reason) from error
            raise
        if entry is None:
            raise _Waits(reason)
        if source.organ == "breast" and source.laterality is None:
            raise _Waits("side_missing")
        return source, entry


def screening_of(spool: Spool, entry: Expected, signer: Signer) -> Screening:
    """Her screening, which is opened with the first that comes of her and goes on where it was closed."""
    return spool.begun_screening(entry.visit, signer, entry.screening_id)


def is_dicom(claims: Claims, path: Path) -> bool:
    """Whether an object is DICOM: because it came so, or by its content."""
    return bool(claims.sop_class) or sniff(head_of(path)).name in ("dicom", "directory")


def open_object(path: Path, claims: Claims, options: CaptureOptions) -> Source:
    """An object as frames: DICOM, or what lay in a watched folder. Raises InvalidRecord with one of SOURCE_REASONS."""
    return open_dicom(path, options) if is_dicom(claims, path) else open_source(path, options)


@contextmanager
def opened_object(intake: Intake, found: Arrived) -> Iterator[Path]:
    """The object as a file in memory. Raises InvalidRecord `object_too_large`, `object_damaged`."""
    if found.size > MAX_OBJECT_BYTES:
        raise InvalidRecord("object_too_large", f"object {found.number} has {found.size} bytes")
    with os.fdopen(os.memfd_create("object", os.MFD_CLOEXEC), "wb") as stream:
        try:
            for chunk in intake.read(found.number):
                stream.write(chunk)
            stream.flush()
        except Fatal as error:  # this object's file alone: all else goes on
            raise InvalidRecord("object_damaged", str(error)) from error
        yield Path(f"/proc/self/fd/{stream.fileno()}")


def put_all(screening: Screening, source: Source, origin: str, watch: Watch, operator: str | None = None) -> None:
    """Put every frame of a source, as a sequence that is whole then. This is where frames leave the gateway: whatever
    the guards of privacy hold back is held by `Screening`.

    operator: the code of who scanned.
    Raises InvalidRecord where no frame can be read, or the screening is full: then the object must be kept.
    """
    sequence = screening.begin(source, mint_id(), origin, operator)
    with read_ahead(source.read(), _pixel_bytes, _AHEAD_BYTES) as shots:
        _put_in_steps(sequence, shots, lambda kept: watch.frames(screening.screening_id, source, kept))
    watch.ended(screening.screening_id, source, sequence.frames)


def _put_in_steps(sequence: OpenSequence, shots: Iterator[Shot], kept: Callable[[list[Shot]], None]) -> None:
    readable, cut = 0, None
    try:
        while cut is None:
            batch: list[Shot] = []
            try:
                batch += islice(shots, _AT_ONCE)
            except InvalidRecord as error:
                cut = error
            if not batch:
                break
            sequence.add_all([(shot, None) for shot in batch])
            kept(batch)
            readable += sum(isinstance(shot, CapturedFrame) for shot in batch)
    except InvalidRecord as error:
        sequence.end(cut_short=error)
        raise
    sequence.end(cut_short=cut)
    if not readable:
        raise cut or InvalidRecord("frame_unreadable", "none of its frames can be read")


def _pixel_bytes(shot: CapturedFrame | LostFrame) -> int:
    return shot.pixels.nbytes if isinstance(shot, CapturedFrame) else 0


class _Waits(Exception):
    """The object is for the operator to look at."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def only_organ(entry: Expected) -> Organ | None:
    """The organ of her plan, where it has one alone."""
    organs = {planned.organ for planned in entry.visit.planned or ()}
    return organs.pop() if len(organs) == 1 else None
