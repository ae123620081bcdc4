"""The gateway of one van: its listener, its composer and its uploader, until somebody stops it."""

import fcntl
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.producers.gateway.checklists import Checklists
from sonovan.producers.gateway.composing import Clean, Composer
from sonovan.producers.gateway.duty import Duty
from sonovan.producers.gateway.folder import WatchedFolder
from sonovan.producers.gateway.intake import ARRIVED, Intake
from sonovan.producers.gateway.listener import Listener, Tell
from sonovan.producers.gateway.receiving import Incoming
from sonovan.producers.gateway.register import Expected, Register
from sonovan.producers.gateway.said import Sayings
from sonovan.producers.gateway.settings import ListenerOptions
from sonovan.producers.gateway.steps import StepKeeper, Steps
from sonovan.producers.gateway.tables import open_tables
from sonovan.producers.gateway.taken import TakenFiles
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.items import Signer
from sonovan.producers.reporting import Reporter
from sonovan.producers.spool import Disk, Spool, SpoolDamaged
from sonovan.producers.upload import Uploader
from sonovan.producers.vault import Vault

_UPLOAD_GIVES_UP_S: Final = 60.0
_PAUSE_S: Final = 1.0
_REFUSED_PAUSE_S: Final = 60.0
_REMEMBERED: Final = timedelta(days=90)
"""So long somebody stays in the register, as openings stay in their topic."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the gateway keeps in a van's folder, for commands and pages as well."""

    intake: Intake
    register: Register
    steps: Steps
    checklists: Checklists
    taken: TakenFiles
    sayings: Sayings
    duty: Duty


@contextmanager
def open_desk(vault: Vault, disk: Disk | None = None) -> Iterator[Desk]:
    """The objects and the register of the van whose vault this is. Raises Transient, Fatal."""
    tables = open_tables(vault.folder, disk)
    try:
        yield Desk(
            Intake(vault.folder / "objects", tables, vault),
            Register(tables, vault),
            Steps(tables, vault),
            Checklists(tables, vault),
            TakenFiles(tables, vault),
            Sayings(tables, vault),
            Duty(tables, vault),
        )
    finally:
        tables.close()


def worklist(desk: Desk, spool: Spool) -> list[Expected]:
    """Who is expected: everybody in the register whose screening is not closed."""
    done = {each.screening_id for each in spool.screenings() if not each.unfinished}
    return [entry for entry in desk.register.expected() if entry.screening_id not in done]


class Gateway:
    """Runs for one van, once at a time."""

    def __init__(
        self,
        van_id: str,
        vault: Vault,
        spool: Spool,
        signer: Signer,
        options: ListenerOptions,
        clean: Clean,
        tell: Tell,
        watch: Watch | None = None,
    ) -> None:
        """clean: every sequence goes through it. tell: takes a line for whoever watches, in which nobody is named; from
        several threads. watch: is shown every frame that was kept.
        """
        self._van_id, self._vault, self._spool, self._signer = van_id, vault, spool, signer
        self._options, self._clean, self._tell, self._watch = options, clean, tell, watch
        self.reporter = Reporter(spool, signer)
        self._stopped = Event()
        self._failure: Exception | None = None

    def run(
        self,
        least_free_bytes: int,
        kafka: Callable[[], BrokerSettings] | None = None,
        listening: Callable[[int], None] = lambda _port: None,
    ) -> None:
        """Listen, compose and upload until `stop`.

        kafka: gives the van's account, asked for each time that uploading begins; None uploads nothing. listening:
        called with the port, in this thread.
        Raises InvalidRecord `option_invalid` where another process does it, or the port is taken; Fatal.
        """
        with _alone(self._vault.folder), open_desk(self._vault) as desk:
            desk.intake.sweep()
            desk.intake.try_defects_again()
            self._spool.aging.look()
            over = self._spool.aging.over(_REMEMBERED.total_seconds())
            if math.isfinite(over):
                desk.intake.forget_kept(over)
                desk.register.forget(datetime.fromtimestamp(over, UTC).astimezone().date())
                desk.duty.forget(over)
            try:
                self._spool.earlier.expire()
            except Transient as error:  # a short disk keeps nobody from scanning; the next start tries again
                self._tell(f"what is over of earlier examinations is not deleted yet: {error}")
            incoming = Incoming(self._vault.folder / "incoming", self._vault, least_free_bytes, self._spool.make_room)
            composer = Composer(
                desk.intake,
                desk.register,
                self._spool,
                self._signer,
                self._clean,
                self._tell,
                self._watch,
                desk.sayings,
                desk.duty,
            )
            keeper = StepKeeper(desk.steps, desk.intake.has, self._tell)
            listener = Listener(
                self._options, desk.intake, incoming, keeper, lambda: worklist(desk, self._spool), composer.wake.set,
                self._tell, self._vault.folder,
            )  # fmt: skip
            preview = composer.watch.preview
            preview.behind = lambda: desk.intake.count(ARRIVED) > 1  # the one that is being composed counts as well
            work = [
                Thread(target=self._guarded, args=(composer.run,), name="composer"),
                Thread(target=self._guarded, args=(preview.run,), name="preview"),
            ]
            folders = self._folders(desk, incoming, composer)
            work += [Thread(target=self._guarded, args=(each.run,), name="folder") for each in folders]
            if kafka is not None:
                work.append(Thread(target=self._guarded, args=(self._upload, kafka), name="uploader"))
            with listener:
                listening(listener.port)  # before the threads: what it raises ends this
                for thread in work:
                    thread.start()
                self._stopped.wait()
            for folder in folders:
                folder.stop()
            composer.stop()
            preview.stop()
            for thread in work:
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _folders(self, desk: Desk, incoming: Incoming, composer: Composer) -> list[WatchedFolder]:
        """What watches each folder of van.toml. Raises InvalidRecord `option_invalid` for one that is none."""
        place = self._vault.folder
        options = [each.model_copy(update={"path": place / each.path}) for each in self._options.folder]
        for each in options:
            if not each.path.is_dir():
                raise InvalidRecord("option_invalid", f"[[folder]] path {each.path}: there is no such folder")
            if each.path.resolve().is_relative_to(place.resolve()) or place.resolve().is_relative_to(
                each.path.resolve()
            ):
                raise InvalidRecord("option_invalid", f"[[folder]] path {each.path}: it must not hold the van's own")
        desk.taken.watch_only([each.path for each in options])
        return [
            WatchedFolder(each, desk.intake, incoming, desk.taken, composer.wake.set, self._tell) for each in options
        ]

    def stop(self) -> None:
        """Have `run` return: what is being received is cut off, and the scanner sends it again."""
        self._stopped.set()

    def _guarded(self, target: Callable[..., None], *values: object) -> None:
        try:
            target(*values)
        except Exception as error:  # raised by `run`, in the thread that waits
            self._failure = self._failure or error
            self._stopped.set()

    def _upload(self, kafka: Callable[[], BrokerSettings]) -> None:
        """Upload whatever waits, and report; between two turns other commands may."""
        told, reporter = "", self.reporter
        while not self._stopped.wait(_PAUSE_S):
            try:
                if not self._spool.status().waiting and not reporter.due:
                    told = ""
                    continue
                Uploader(self._spool, kafka(), self._van_id, link=self._options.link, reporter=reporter).run(
                    lambda: self._stopped.is_set() or not (self._spool.status().waiting or reporter.due),
                    give_up_s=_UPLOAD_GIVES_UP_S,
                )
            except SpoolDamaged:
                raise
            except (Fatal, InvalidRecord) as error:  # of the account or its settings: whoever scans goes on
                reporter.link.cannot_send = True
                if str(error) != told:
                    self._tell(f"nothing is sent: {error}; all is kept, trying again")
                told = str(error)
                self._stopped.wait(_REFUSED_PAUSE_S)
            except Transient as error:
                why = str(error).partition(";")[0]
                if why != told:  # not each minute of a day without a link
                    self._tell(f"{error}; all is kept, trying again")
                told = why


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "gateway.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRecord("option_invalid", "another sonovan van serve works for this van") from None
        yield
