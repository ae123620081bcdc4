"""When a process that has ended is started again: rules over an injected clock, and what is kept of its past.

A process that died is started again at once, and after ever longer pauses if it dies again and again. One that ended
because it cannot be trusted (exit 5: wrong weights, wrong provider, a refused account) or was told nonsense (exit 2: a
wrong setting) is started again too, since a file or an account may be put right meanwhile, but seldom: starting
again does not mend it, and `status` shows it as failing from the first time on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from sonovan.deploy.files import write_private
from sonovan.deploy.state import StateFolder

HOPELESS_EXITS: Final = frozenset({2, 5})
"""Wrong usage and Fatal: starting again alone does not mend them (decision 0021)."""

FAILING_AFTER: Final = 3
"""So many failures without a time of health between them are shown as `failing` in `status`."""

EXIT_KNOWN_WITHIN_S: Final = 1.0
"""The exit status is written a moment after the process is gone."""


@dataclass(frozen=True)
class Pace:
    """How patient the supervisor is. All in seconds.

    The n-th pause in a row is first_s · 2^(n-1), at most longest_s; hopeless_s for an exit that starting again does not
    mend. Each pause is made up to `jitter` (a share) longer, so that workers do not come back in step.
    forgiven_after_s: so long it must be well for the pauses to begin anew. starting_s: so long a process may take until
    it first answers (a broker reads its whole log after a power cut). unanswered_s: so long one that has answered may
    not answer before it is ended and started again.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    hopeless_s: float = 300.0
    jitter: float = 0.25
    forgiven_after_s: float = 30.0
    starting_s: float = 600.0
    unanswered_s: float = 60.0

    def pause_s(self, in_a_row: int, last_exit: int | None, share: float) -> float:
        """Seconds until the next start. in_a_row: failures, this one counted; share: random, from 0 to 1."""
        if last_exit in HOPELESS_EXITS:
            pause_s = self.hopeless_s
        else:
            pause_s = min(self.longest_s, self.first_s * 2.0 ** min(in_a_row - 1, 32))
        return pause_s * (1 + self.jitter * share)


class Restarts(BaseModel):
    """What is kept of a process since it was last started by hand: how often it was started again, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = 0
    in_a_row: int = 0
    last_exit: int | None = None  # as a shell tells it; None: not known
    reason: str | None = None  # the line of its log that tells most, or what the supervisor did
    ended_at: datetime | None = None
    next_at_s: float | None = None  # time.monotonic() of the next start, while it is down

    @property
    def failing(self) -> bool:
        """Whether it is not expected to mend itself: a person must look."""
        return self.in_a_row >= FAILING_AFTER or (self.in_a_row > 0 and self.last_exit in HOPELESS_EXITS)


class Watch:
    """What the supervisor knows of one process between two of its looks; `now_s` is one monotonic clock in seconds."""

    def __init__(self, pace: Pace, past: Restarts, share: Callable[[], float]) -> None:
        """past: what earlier supervisors have noted; share: gives random numbers from 0 to 1."""
        self._pace, self._share = pace, share
        self.past = past.model_copy(update={"next_at_s": None})  # another supervisor's appointment, or of another boot
        self._gone_since_s: float | None = None
        self._well_since_s: float | None = None
        self._silent_since_s: float | None = None
        self._has_answered = False

    def runs(self, now_s: float, *, well: bool | None, judged: bool = True) -> bool:
        """Note that the process runs; True when it has been silent for so long that it must be ended.

        well: whether it answers; None where there is nothing to ask, then running is well. judged: False while what it
        depends on is away, when its silence means nothing.
        """
        if well is not False:
            self._silent_since_s = None
            self._has_answered = True
            if self._well_since_s is None:
                self._well_since_s = now_s
            if self.past.in_a_row and now_s - self._well_since_s >= self._pace.forgiven_after_s:
                self.past = self.past.model_copy(update={"in_a_row": 0})
            return False
        self._well_since_s = None
        if not judged or self._silent_since_s is None:
            self._silent_since_s = now_s
        patience_s = self._pace.unanswered_s if self._has_answered else self._pace.starting_s
        return now_s - self._silent_since_s >= patience_s

    def ended(self, now_s: float, *, last_exit: int | None, reason: str, at: datetime) -> bool:
        """Note that the process is gone; True when it was noted now, with the time of its next start."""
        if self._gone_since_s is None:
            self._gone_since_s = now_s
        if self.past.next_at_s is not None:
            return False
        if last_exit is None and now_s - self._gone_since_s < EXIT_KNOWN_WITHIN_S:
            return False
        in_a_row = self.past.in_a_row + 1
        self.past = self.past.model_copy(
            update={
                "in_a_row": in_a_row,
                "last_exit": last_exit,
                "reason": reason,
                "ended_at": at,
                "next_at_s": now_s + self._pace.pause_s(in_a_row, last_exit, self._share()),
            }
        )
        return True

    def due(self, now_s: float) -> bool:
        """Whether it is time to start it again."""
        return self.past.next_at_s is not None and now_s >= self.past.next_at_s

    def started(self) -> None:
        """Note that it was started again."""
        self.past = self.past.model_copy(update={"count": self.past.count + 1, "next_at_s": None})
        self._gone_since_s = self._well_since_s = self._silent_since_s = None
        self._has_answered = False


def read_restarts(state: StateFolder, name: str) -> Restarts:
    """What is kept of `name`; nothing for one that was never started again, or whose file is damaged."""
    try:
        return Restarts.model_validate_json(_path(state, name).read_bytes())
    except (FileNotFoundError, ValidationError):
        return Restarts()


def keep_restarts(state: StateFolder, name: str, past: Restarts) -> None:
    """Keep what happened to `name`, for `status` and for a later supervisor."""
    write_private(_path(state, name), past.model_dump_json(indent=1))


def forget_restarts(state: StateFolder, name: str) -> None:
    """Forget: it is stopped, or started anew, by hand."""
    _path(state, name).unlink(missing_ok=True)


def _path(state: StateFolder, name: str) -> Path:
    return state.run / f"{name}.restarts.json"
