"""Screenings that were segmented again whole by another network take its results: `sonovan models promote`.

The replayed results are published again, to `frame.segmented`, for a replay's topic forgets them after 90 days and what
a report rests on must stay; then a record per screening says that they shall count. `assess` has them count once every
frame has one (`sonovan.stream_apps.assess.promoted`), so that it does not matter in which order all this arrives, or
where it is cut off: running it again sends what is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.promotions import PromotionReason, ScreeningPromoted
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.ending import RowLife
from sonovan.transport.producer import BoundedProducer, Pending
from sonovan.transport.tail import Message, Start, Tail

SENT_WITHIN_S: Final = 60.0
BATCH: Final = 256
"""Results after which it is waited until all of them are durable."""

Bitmaps = dict[str, int]
"""Sequence id → bit i is set for frame i."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who decided what. screenings: empty for all that were replayed. since, until: when the replay sent results."""

    fingerprint: str
    because: PromotionReason
    by: str
    screenings: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def means(self, result: FrameSegmented) -> bool:
        """Whether this is a result of the network, of a screening that is meant."""
        named = not self.screenings or result.screening_id in self.screenings
        return named and result.fingerprint == self.fingerprint


@dataclass
class Standing:
    """One screening: its newest revision, and which frames have which results.

    counted: frames with a result of the network that counts now. there, replayed: with one of the wanted network, in
    the topic of results and in that of replays. promoted: the network that the newest promotion names.
    """

    revision: ScreeningAssessed | None = None
    counted: Bitmaps = field(default_factory=dict)
    there: Bitmaps = field(default_factory=dict)
    replayed: Bitmaps = field(default_factory=dict)
    named: FrameSegmented | None = None
    promoted: tuple[str, str] = ("", "")
    erased: bool = False

    def is_of(self, result: FrameSegmented) -> bool:
        """Whether a result is of the van whose screening it is; another van's may name it, too."""
        return self.revision is not None and self.revision.van_id == result.van_id

    def take(self, result: FrameSegmented, wanted: str) -> None:
        """Note a result that stands in the topic of results. wanted: the fingerprint of the wanted network."""
        if self.revision is not None and result.fingerprint == self.revision.fingerprint:
            _mark(self.counted, result)
        if result.fingerprint == wanted:
            self.named = result
            _mark(self.there, result)

    def missing(self) -> int:
        """How many frames that count were not replayed."""
        return sum(
            (bits & ~(self.there.get(name, 0) | self.replayed.get(name, 0))).bit_count()
            for name, bits in self.counted.items()
        )

    def to_send(self, result: FrameSegmented) -> bool:
        """Whether this replayed result has not been published as one that may count."""
        return not self.there.get(result.sequence_id, 0) >> result.frame_index & 1


NOBODYS: Final = Standing()
"""Of a screening that is not meant: nothing is of it."""


@dataclass
class Promoted:
    """What became of the screenings. left_out: screening → why; revisions: screening → the number of the new one."""

    promoted: list[str] = field(default_factory=list)
    sent: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)


def why_not(standing: Standing, wanted: Wanted, now: datetime, life: RowLife) -> str | None:
    """Why a screening cannot take the wanted network's results, as a code; None where it can.

    life: how long `assess` keeps what it needs for that.
    """
    revision = standing.revision
    if standing.erased:
        return "screening_erased"
    if revision is None:
        return "no_revision"
    if revision.silenced:
        return "screening_silenced"
    if revision.fingerprint == wanted.fingerprint:
        return "of_this_network_already"
    if now >= revision.as_of + (life.settled if revision.status == "complete" else life.most):
        return "screening_ended"
    if standing.named is None:
        return "not_replayed"
    return "frames_not_replayed" if standing.missing() else None


def promote(
    broker: BrokerSettings,
    wanted: Wanted,
    life: RowLife,
    wait_s: float,
    say: Callable[[str], None] = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Promoted:
    """Publish what is missing, have each whole screening promoted, and wait until `assess` has made its revision.

    broker: of the account `promoter`. wait_s: for how long at most; what is not there then comes later. Raises
    Transient and Fatal as reading and sending do; running it again goes on.
    """
    standings = _standings(broker, wanted)
    done = Promoted()
    for screening_id, standing in sorted(standings.items()):
        why = why_not(standing, wanted, now(), life)
        if why is None:
            done.promoted.append(screening_id)
        else:
            done.left_out[screening_id] = why
    done.left_out |= dict.fromkeys(wanted.screenings - standings.keys(), "not_replayed")
    if not done.promoted:
        return done
    with Tail(broker, Topic.SCREENING_ASSESSED, "now") as revisions, BoundedProducer(broker) as producer:
        whole = {name: standings[name] for name in done.promoted}
        done.sent = _send_results(broker, wanted, whole, producer)
        say(f"{done.sent} results of {len(whole)} screenings published")
        waiting = [
            producer.send(Topic.SCREENING_PROMOTED, name.encode(), record.encode())
            for name, standing in whole.items()
            if (record := _promotion(standing, wanted, now())) is not None
        ]
        _durable(waiting)
        _wait(revisions, wanted, done, wait_s)
    return done


def _standings(broker: BrokerSettings, wanted: Wanted) -> dict[str, Standing]:
    """Where every screening stands that was replayed, or is named and has results of the network anyway."""
    names = wanted.screenings.union(result.screening_id for result in _replayed(broker, wanted))
    found = {name: Standing() for name in names}
    for record in _records(broker, Topic.SCREENING_ASSESSED, "beginning"):
        if isinstance(record, ScreeningAssessed) and record.screening_id in found:
            of = found[record.screening_id]
            known = 0 if of.revision is None else of.revision.revision_number
            of.revision = record if known <= record.revision_number else of.revision
    for record in _records(broker, Topic.FRAME_SEGMENTED, "beginning"):
        if not isinstance(record, FrameSegmented):
            continue
        of = found.get(record.screening_id, NOBODYS)
        if of.is_of(record):
            of.take(record, wanted.fingerprint)
    for result in _replayed(broker, wanted):
        of = found.get(result.screening_id, NOBODYS)
        if of.is_of(result):
            of.named = result
            _mark(of.replayed, result)
    for record in _records(broker, Topic.SCREENING_PROMOTED, "beginning"):
        if isinstance(record, ScreeningPromoted) and record.screening_id in found:
            of = found[record.screening_id]
            of.promoted = max(of.promoted, (record.promotion_id, record.fingerprint))
    for record in _records(broker, Topic.SCREENING_ERASED, "beginning"):
        if isinstance(record, ScreeningErased) and record.screening_id in found:
            found[record.screening_id].erased = True
    return found


def _send_results(
    broker: BrokerSettings, wanted: Wanted, whole: Mapping[str, Standing], producer: BoundedProducer
) -> int:
    """Publish the replayed results that are not among the results yet; how many that was."""
    waiting: list[Pending] = []
    sent = 0
    for result in _replayed(broker, wanted):
        standing = whole.get(result.screening_id, NOBODYS)
        if not standing.is_of(result) or not standing.to_send(result):
            continue
        _mark(standing.there, result)
        waiting.append(producer.send(Topic.FRAME_SEGMENTED, result.screening_id.encode(), result.encode()))
        sent += 1
        if len(waiting) >= BATCH:
            _durable(waiting)
            waiting = []
    _durable(waiting)
    return sent


def _promotion(standing: Standing, wanted: Wanted, now: datetime) -> ScreeningPromoted | None:
    """The record that promotes; None where the newest one says the same already."""
    named = standing.named
    if named is None or standing.promoted[1] == wanted.fingerprint:
        return None
    return ScreeningPromoted(
        promotion_id=mint_id(),
        screening_id=named.screening_id,
        van_id=named.van_id,
        model_id=named.model_id,
        weights_sha256=named.weights_sha256,
        fingerprint=named.fingerprint,
        because=wanted.because,
        by=wanted.by,
        promoted_at=now,
    )


def _wait(revisions: Tail, wanted: Wanted, done: Promoted, wait_s: float) -> None:
    left = set(done.promoted)

    def arrived(message: Message) -> bool:
        record = message.readable()
        of_network = isinstance(record, ScreeningAssessed) and record.fingerprint == wanted.fingerprint
        if isinstance(record, ScreeningAssessed) and of_network and record.screening_id in left:
            left.discard(record.screening_id)
            done.revisions[record.screening_id] = record.revision_number
        return not left

    for _ in revisions.messages(until=arrived, deadline_s=wait_s):
        pass


def _replayed(broker: BrokerSettings, wanted: Wanted) -> Iterator[FrameSegmented]:
    """What a replay through the wanted network found in the screenings that are meant."""
    for message in _messages(broker, Topic.FRAME_REPLAYED, wanted.since or "beginning"):
        record = message.readable()
        in_time = wanted.until is None or message.appended_at < wanted.until
        if in_time and isinstance(record, FrameSegmented) and wanted.means(record):
            yield record


def _records(broker: BrokerSettings, topic: Topic, start: Start) -> Iterator[object]:
    return (message.readable() for message in _messages(broker, topic, start))


def _messages(broker: BrokerSettings, topic: Topic, start: Start) -> Iterator[Message]:
    """Every message up to where the topic ends now, a few at a time."""
    with Tail(broker, topic, start) as tail:
        ends = tail.ends()
        left = {part for part, position in tail.positions().items() if position < ends[part]}
        while left:
            for message in tail.messages(deadline_s=1.0):
                if message.offset < ends[message.partition]:
                    yield message
                if message.offset + 1 >= ends[message.partition]:
                    left.discard(message.partition)
                if not left:
                    break


def _mark(bitmaps: Bitmaps, result: FrameSegmented) -> None:
    bitmaps[result.sequence_id] = bitmaps.get(result.sequence_id, 0) | 1 << result.frame_index


def _durable(waiting: Iterable[Pending]) -> None:
    for pending in waiting:
        pending.result(SENT_WITHIN_S)
