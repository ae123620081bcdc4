"""Stored frames through another network, into a topic of their own: what it would have found, before it is trusted.

A replay reads `frame.segmented` over a span of time, fetches each frame from the store and segments it again. Results
go to `frame.replayed`, masks below `shadow/`; nothing of any report follows from them. How far it is stands in a file,
so that a replay that was cut off goes on, and a result that is sent twice is the same one.

It yields to everything else on the machine: its process asks for the scheduler's idle class. Of a screening that was
erased or is void, or whose woman withdrew her consent, nothing is replayed.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.segment.replaying import replayed
from sonovan.stream_apps.segment.step import LoadedNetwork
from sonovan.transport.producer import BoundedProducer, Pending
from sonovan.transport.tail import Message, Start, Tail

FOLDER: Final = "replays"
"""Within the state folder: a file for each replay that says how far it is."""

BATCH: Final = 64
"""Frames after which it is noted how far the replay is: so many are segmented again after it was cut off."""

SENT_WITHIN_S: Final = 60.0
READ_WITHIN_S: Final = 60.0
BEFORE: Final = timedelta(days=90)
"""A screening whose frames lie in the span may have been silenced so long before: `assess` keeps no row for longer."""
BESIDE: Final = 0.1
"""The share of the time that a replay takes while live frames are segmented."""
LOOK_EVERY_S: Final = 1.0
"""How often it is asked whether live frames are segmented."""


@dataclass(frozen=True, slots=True)
class Span:
    """Frames whose results the broker appended from `since` on, and before `until`; None: up to the newest one."""

    since: datetime
    until: datetime | None = None

    def name(self, fingerprint: str) -> str:
        """What a replay of this span through a network is called."""
        told = f"{fingerprint}|{self.since.isoformat()}|{self.until and self.until.isoformat()}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass
class Replayed:
    """What became of the frames so far. left_out: reason → how many; next: partition → the next offset to read."""

    frames: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    next: dict[int, int] = field(default_factory=dict)

    def leave_out(self, reason: str) -> None:
        """Count a frame that is not replayed."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1


_AUTOGROUP: Final = Path("/proc/self/autogroup")
"""Where Linux says how a session as a whole stands against others. Source: sched(7), "The autogroup feature"."""


def has_own_session() -> bool:
    """Whether `yield_to_others` may speak for the session of this process, or sessions do not matter here."""
    return not _AUTOGROUP.exists() or os.getsid(0) == os.getpid()


def yield_to_others() -> None:
    """Have this process run only where nobody else wants the processor, as far as the system offers that.

    Cores are shared among sessions first, and within one among its processes: the session yields as well.
    """
    os.nice(19)
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        if _AUTOGROUP.exists():
            _AUTOGROUP.write_text("19")


class Pace:
    """Rests between frames while others' frames come: then a replay takes BESIDE of the time at most.

    The idle class alone does not do: two threads of one core, and its caches, are shared whatever the class.
    came: how many results of live work stand in their topic by now. clock, sleep: seconds of a steady clock, a pause.
    """

    def __init__(
        self,
        came: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._came, self._clock, self._sleep = came, clock, sleep
        self._stood, self._looked_s, self._busy = came(), clock(), False
        self._since_s = clock()

    def rest(self) -> None:
        """Called after each frame: rest for as long as the frame asks for, if anybody else is at work."""
        now_s = self._clock()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            came = self._came()
            self._busy, self._stood, self._looked_s = came > self._stood, came, now_s
        if self._busy:
            self._sleep((now_s - self._since_s) * (1 / BESIDE - 1))
        self._since_s = self._clock()


def replay(
    broker: BrokerSettings,
    store: ObjectStore,
    segmenter: LoadedNetwork,
    span: Span,
    state: Path,
    say: Callable[[str], None],
) -> Replayed:
    """Replay a span through a network, or go on with what was begun; returns when it is through.

    A span without an end is through with the newest result that stands there when this is called; called again later,
    it goes on with what has come since.

    broker, store: of an account that may read results and frames, and write shadows. state: the state folder.
    Raises Transient where a service is away: running it again goes on. Raises Fatal where one refuses the account.
    """
    path = state / FOLDER / f"{span.name(segmenter.fingerprint)}.json"
    so_far = _read(path)
    start: Start = so_far.next or span.since
    with ExitStack() as held:
        results = held.enter_context(Tail(broker, Topic.FRAME_SEGMENTED, start))
        silenced = _Silenced(held, broker, span.since)
        producer = held.enter_context(BoundedProducer(broker))
        so_far.next = so_far.next or results.positions()
        left = {part: end for part, end in results.ends().items() if so_far.next[part] < end}
        waiting: list[Pending] = []
        taken = 0
        pace = Pace(lambda: sum(results.ends().values()))
        while left:
            for message in results.messages(deadline_s=1.0):
                if message.partition not in left:
                    continue
                if span.until is not None and message.appended_at >= span.until:
                    del left[message.partition]
                else:
                    waiting += _one(message, store, segmenter, silenced, producer, so_far)
                    so_far.next[message.partition] = message.offset + 1
                    if message.offset + 1 >= left[message.partition]:
                        del left[message.partition]
                    taken += 1
                    pace.rest()
                if taken % BATCH == 0 and waiting:
                    waiting = _durable(waiting, path, so_far)
                    say(f"{so_far.frames} frames replayed, {sum(so_far.left_out.values())} left out")
                if not left:
                    break
            silenced.read()
        _durable(waiting, path, so_far)
    return so_far


class _Silenced:
    """Screenings of which nothing may be replayed, as far as the topics say it by now."""

    def __init__(self, held: ExitStack, broker: BrokerSettings, since: datetime) -> None:
        self._erasures = held.enter_context(Tail(broker, Topic.SCREENING_ERASED))
        self._revisions = held.enter_context(Tail(broker, Topic.SCREENING_ASSESSED, since - BEFORE))
        self._erased: set[str] = set()
        self._newest: dict[str, tuple[int, bool]] = {}
        self.read()

    def read(self) -> None:
        """Read both topics to their present ends."""
        for message in self._erasures.to_the_end(READ_WITHIN_S):
            record = message.readable()
            if isinstance(record, ScreeningErased):
                self._erased.add(record.screening_id)
        for message in self._revisions.to_the_end(READ_WITHIN_S):
            revision = message.readable()
            if isinstance(revision, ScreeningAssessed):
                known = self._newest.get(revision.screening_id, (0, False))
                told = (revision.revision_number, revision.silenced)
                self._newest[revision.screening_id] = max(known, told)

    def why(self, screening_id: str) -> str | None:
        """Why nothing of this screening is replayed; None where it may be."""
        if screening_id in self._erased:
            return "screening_erased"
        return "screening_silenced" if self._newest.get(screening_id, (0, False))[1] else None


def _one(
    message: Message,
    store: ObjectStore,
    segmenter: LoadedNetwork,
    silenced: _Silenced,
    producer: BoundedProducer,
    so_far: Replayed,
) -> list[Pending]:
    """Replay one frame and hand its result over; nothing where it is left out."""
    try:
        result = message.decode()
        if not isinstance(result, FrameSegmented):
            raise InvalidRecord("record_invalid", "no result")
        why = silenced.why(result.screening_id)
        if why is not None or result.fingerprint == segmenter.fingerprint:
            so_far.leave_out(why or "of_this_network_already")
            return []
        record, mask = replayed(result, store, segmenter)
        if mask is not None:
            store.put(mask.bucket, mask.key, mask.data, mask.content_type)
    except KeyError:
        so_far.leave_out("frame_not_stored")
        return []
    except InvalidRecord as error:
        so_far.leave_out(error.reason)
        return []
    so_far.frames += 1
    return [producer.send(Topic.FRAME_REPLAYED, record.screening_id.encode(), record.encode())]


def _durable(waiting: list[Pending], path: Path, so_far: Replayed) -> list[Pending]:
    """Wait until everything that was handed over is durable, then note how far the replay is."""
    for pending in waiting:
        pending.result(SENT_WITHIN_S)
    document = {"frames": so_far.frames, "left_out": so_far.left_out}
    offsets = {str(part): offset for part, offset in sorted(so_far.next.items())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps({**document, "next": offsets}))
        beside.replace(path)
    except OSError as error:
        raise Transient(f"cannot write {path}: {error.strerror}") from error
    return []


def _read(path: Path) -> Replayed:
    """How far a replay is; at its beginning where there is no file of it. Raises InvalidRecord for a damaged one."""
    try:
        fields = json.loads(path.read_bytes())
        offsets = {int(part): int(offset) for part, offset in fields["next"].items()}
        return Replayed(int(fields["frames"]), dict(fields["left_out"]), offsets)
    except FileNotFoundError:
        return Replayed()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidRecord("option_invalid", f"{path} does not say how far a replay is: delete it to begin") from None
