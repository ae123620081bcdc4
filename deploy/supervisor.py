"""The supervisor of one state folder: starts again what died. `python -m sonovan.deploy.supervisor STATE`.

What should run is what has a process record: whoever starts a process writes it, whoever stops one on purpose removes
it. So the supervisor needs no list of its own, knows workers that were started later, and leaves what was stopped.
It acts only under the folder's lock and only if the record is still the one that it saw, so it never starts
anything that `down` or `up` is just ending or starting.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from sonovan.contracts.log_lines import LogSettings, json_line
from sonovan.contracts.settings import read_settings
from sonovan.deploy import processes
from sonovan.deploy.classes import delete_damaged
from sonovan.deploy.errors import DeployError
from sonovan.deploy.identity import ProcessRecord, is_running
from sonovan.deploy.launches import launched_names, log_path, read_launch, read_record
from sonovan.deploy.restarts import Pace, Watch, keep_restarts, read_restarts
from sonovan.deploy.room import lacks_room
from sonovan.deploy.services import KAFKA, SERVICES, SUPERVISOR, probe
from sonovan.deploy.spawning import exit_status
from sonovan.deploy.state import StateFolder

T = TypeVar("T")

LOOK_EVERY_S: Final = 0.5
GRACE_S: Final = {KAFKA: 60.0}
"""So long a service may take to end before it is killed, where `processes.STOP_GRACE_S` is too short for it."""
ASK_EVERY_S: Final = 5.0
"""A process that answered is asked again after so long; one that has not, at every look."""


class Supervisor:
    """Looks at the processes of one state folder, again and again; `look` is one such round."""

    def __init__(
        self,
        state: StateFolder,
        pace: Pace,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[], float] = random.random,
        full: Callable[[bool], str | None] | None = None,
    ) -> None:
        """say: gets one line for each thing that it notes or does. clock: seconds. share: random, from 0 to 1.

        full: why Kafka must not run, asked with whether it does; the room on its disk by default.
        """
        self._full = full or (lambda runs: lacks_room(state.kafka, runs=runs))
        self._state, self._pace, self._say, self._clock, self._share = state, pace, say, clock, share
        self._watches: dict[ProcessRecord, Watch] = {}
        self._asked: dict[ProcessRecord, tuple[float, bool | None]] = {}
        self._ended: dict[ProcessRecord, str] = {}
        self._troubles: list[str] = []

    def look(self) -> None:
        """Note what runs and what does not, and start again what is due.

        Raises DeployError, after all were looked at, where files of one are damaged or it cannot be started or ended.
        """
        self._troubles = []
        records = self._wanted()
        self._forget_all_but(records)
        for name in (SUPERVISOR, *(record.name for record in records)):
            self._try(partial(processes.bound_log, self._state, name))
        services = [record for record in records if record.name in SERVICES]
        for record in services:
            self._try(partial(self._look_at, record, services_are_well=True))
        well = [self._try(partial(self._service_is_well, record)) for record in services]
        for record in records:
            if record not in services:
                self._try(partial(self._look_at, record, services_are_well=all(well)))
        if self._troubles:
            raise DeployError("; ".join(self._troubles))

    def _try(self, looking: Callable[[], T]) -> T | None:
        """One process that makes trouble must not keep the others from being looked at."""
        try:
            return looking()
        except (DeployError, OSError) as error:
            self._troubles.append(str(error))
            return None

    def _wanted(self) -> list[ProcessRecord]:
        names = [name for name in launched_names(self._state) if name != SUPERVISOR]
        records = [self._try(partial(read_record, self._state, name)) for name in names]
        return [record for record in records if record is not None]

    def _service_is_well(self, record: ProcessRecord) -> bool:
        return is_running(record) and self._well(record) is not False

    def _forget_all_but(self, records: list[ProcessRecord]) -> None:
        for gone in self._watches.keys() - set(records):
            del self._watches[gone]
            self._asked.pop(gone, None)
            self._ended.pop(gone, None)

    def _look_at(self, record: ProcessRecord, *, services_are_well: bool) -> None:
        watch = self._watches.get(record)
        if watch is None:
            watch = Watch(self._pace, read_restarts(self._state, record.name), self._share)
            self._watches[record] = watch
        before = watch.past
        if is_running(record):
            full = self._full(True) if record.name == KAFKA else None
            if full is not None:
                self._end(record, full)
            elif watch.runs(self._clock(), well=self._well(record), judged=services_are_well):
                self._end(record, "it ran but did not answer")
        else:
            self._note_end(record, watch)
        if watch.past != before:
            keep_restarts(self._state, record.name, watch.past)
        # A worker that is started while Kafka or MinIO is away would only end again.
        if watch.due(self._clock()) and services_are_well and not (record.name == KAFKA and self._full(False)):
            self._restart(record, watch)

    def _well(self, record: ProcessRecord) -> bool | None:
        """Whether the running process answers, asked anew only now and then; None where there is nothing to ask."""
        asked_at_s, well = self._asked.get(record, (0.0, False))
        if record not in self._asked or not well or self._clock() - asked_at_s >= ASK_EVERY_S:
            ask = probe(self._state, read_launch(self._state, record.name))
            well = ask() if ask else None
            self._asked[record] = (self._clock(), well)
        return well

    def _note_end(self, record: ProcessRecord, watch: Watch) -> None:
        if record in self._ended:
            reason = f"{self._ended[record]}, and was ended"
        else:
            reason = f"its log: {processes.last_line(log_path(self._state, record.name))}"
        noted = watch.ended(
            self._clock(), last_exit=exit_status(self._state, record), reason=reason, at=datetime.now(UTC)
        )
        if noted and watch.past.next_at_s is not None:
            again = f"starts again in {watch.past.next_at_s - self._clock():.1f} s"
            failing = "keeps failing, " if watch.past.failing else ""
            self._say(f"{record.name} (pid {record.pid}) {told_exit(watch.past.last_exit)}; {reason}; {failing}{again}")

    def _restart(self, record: ProcessRecord, watch: Watch) -> None:
        if record.name == KAFKA:
            damaged = delete_damaged(read_launch(self._state, KAFKA).argv)
            if damaged is not None:
                self._say(f"{KAFKA}: its stored classes {damaged} are damaged and deleted; it starts without them")
        started = processes.restart(self._state, record)
        if started is None:
            return  # stopped on purpose, or started by somebody else, since it was looked at
        watch.started()
        keep_restarts(self._state, record.name, watch.past)
        del self._watches[record]
        self._watches[started] = watch
        self._say(f"{record.name}: started again, pid {started.pid}, restart {watch.past.count}")

    def _end(self, record: ProcessRecord, why: str) -> None:
        self._say(f"{record.name} (pid {record.pid}) is ended: {why}")
        self._ended[record] = why
        processes.end(self._state, record, grace_s=GRACE_S.get(record.name, processes.STOP_GRACE_S))


def told_exit(status: int | None) -> str:
    """An exit status in words: `ended with exit code 5`, `was ended by SIGKILL`."""
    if status is None:
        return "ended, nobody knows how"
    if status > 128:
        try:
            return f"was ended by {signal.Signals(status - 128).name}"
        except ValueError:
            pass
    return f"ended with exit code {status}"


def run(state: StateFolder) -> None:
    """Look until SIGTERM, or until the folder no longer knows this process as its supervisor."""
    supervisor = Supervisor(state, Pace(), say=_say)
    _say(f"watches {state.path}")
    told = ""
    while _is_known(state):
        trouble = ""
        try:
            supervisor.look()
        except (DeployError, OSError) as error:
            trouble = str(error)
        if trouble and trouble != told:
            _say(f"could not look at everything: {trouble}")
        told = trouble
        time.sleep(LOOK_EVERY_S)
    _say("ends: this folder has another supervisor, or none")


def _is_known(state: StateFolder) -> bool:
    try:
        record = read_record(state, SUPERVISOR)
    except DeployError:
        return False
    return record is not None and record.pid == os.getpid()


def _say(line: str) -> None:
    now = datetime.now(UTC)
    if read_settings(LogSettings).format == "json":
        sys.stdout.write(json_line(SUPERVISOR, "INFO", __name__, line, now) + "\n")
    else:
        sys.stdout.write(f"{now:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z {line}\n")
    sys.stdout.flush()


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    run(StateFolder(Path(sys.argv[1])))
