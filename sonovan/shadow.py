"""What a candidate network would have changed: its replayed results beside those that counted, frame by frame.

Both are taken through the very same step of `assess`, with the same records of the van and the same rules, so that
what differs differs because of the networks alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.clinical.quality.overlap import overlap_of
from sonovan.clinical.quality.paired import Paired, paired
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.derivation import USUAL, Category, Programme
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed, ScreeningTicked
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.models.masks import decode_mask
from sonovan.models.overlay import YELLOW, Picture, contact_sheet, draw
from sonovan.models.picture.prepare import to_grey
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named
from sonovan.stream_apps.alert.step import RuleSet, alerts_of
from sonovan.stream_apps.assess.step import assess
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message
from sonovan.stream_apps.vans import VanRegistry
from sonovan.transport import tail

Labels = NDArray[np.uint8]

CONTROL: Final = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
    Topic.SCREENING_AMENDED,
)
"""What a van said of a screening beside its frames."""

BEFORE: Final = timedelta(days=14)
"""Records of a van may stand so long before the first of its frames."""

SHOWN: Final = 12
"""Frames on the sheet: those on which the networks agree least."""

_NEVER: Final = timedelta(days=365 * 100)
_SPELT: Final = "not_categorised"


@dataclass(frozen=True, slots=True)
class Pair:
    """One frame by both networks."""

    running: FrameSegmented
    candidate: FrameSegmented


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one screening's category of a side, or of whether somebody is told at once."""

    screening_id: str
    what: str
    running: str
    candidate: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """agreement: of both networks' outlines, per frame on which one of them outlines something. figures: by name.
    least_alike: the frames on which they agree least, with their agreement.
    """

    screenings: int
    frames: int
    agreement: float | None
    figures: Mapping[str, Paired]
    changes: Sequence[Change]
    least_alike: Sequence[tuple[float, Pair]] = field(default=())

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "screenings": self.screenings,
            "frames": self.frames,
            "agreement": self.agreement,
            "figures": {name: asdict(one) for name, one in self.figures.items()},
            "changes": [asdict(each) for each in self.changes],
            "least_alike": [
                {"frame": pair.running.frame_id, "agreement": agreement} for agreement, pair in self.least_alike
            ],
        }


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that is compared. control: by screening, in the order of appending. reviews: blind ones, by frame."""

    pairs: Mapping[str, Sequence[Pair]]
    control: Mapping[str, Sequence[Message]]
    reviews: Mapping[str, Sequence[FrameReviewed]]
    registry: VanRegistry


def read(broker: BrokerSettings, since: datetime, until: datetime | None, fingerprint: str) -> Said:
    """Read both networks' results of a span, and what belongs to their screenings.

    fingerprint: the candidate's. Raises Transient and Fatal as reading topics does.
    """
    shadows = {
        record.frame_id: record
        for message in _from(broker, Topic.FRAME_REPLAYED, since)
        if isinstance(record := message.readable(), FrameSegmented) and record.fingerprint == fingerprint
    }
    pairs: dict[str, dict[str, Pair]] = {}
    for message in _from(broker, Topic.FRAME_SEGMENTED, since):
        record = message.readable()
        if isinstance(record, FrameSegmented) and (until is None or message.appended_at < until):
            shadow = shadows.get(record.frame_id)
            if shadow is not None and record.fingerprint != fingerprint:
                pairs.setdefault(record.screening_id, {}).setdefault(record.frame_id, Pair(record, shadow))
    control: dict[str, list[Message]] = {screening_id: [] for screening_id in pairs}
    for topic in CONTROL:
        for message in _from(broker, topic, since - BEFORE):
            screening_id = (message.key or b"").decode(errors="replace")
            if screening_id in control:
                control[screening_id].append(_message(message))
    reviews: dict[str, list[FrameReviewed]] = {}
    for message in _from(broker, Topic.FRAME_REVIEWED, since):
        review = message.readable()
        if isinstance(review, FrameReviewed) and review.blind and review.screening_id in pairs:
            reviews.setdefault(review.frame_id, []).append(review)
    registry = VanRegistry()
    for message in tail.read_all(broker, Topic.VAN_ENROLLED):
        enrolled = message.readable()
        if isinstance(enrolled, VanEnrolled):
            registry.learn(enrolled)
    ordered = {name: sorted(each, key=lambda one: one.at.appended_at) for name, each in control.items()}
    return Said({name: list(each.values()) for name, each in pairs.items()}, ordered, reviews, registry)


def compare(said: Said, store: ObjectStore, programme: Programme = USUAL) -> Comparison:
    """Compare what was read. store: where frames and masks are; raises as it does."""
    dice: dict[str, list[tuple[float, float]]] = {}
    alike: list[tuple[float, Pair]] = []
    for screening_id, pairs in said.pairs.items():
        for pair in pairs:
            running, candidate = _labels(pair.running, store), _labels(pair.candidate, store)
            if running is not None or candidate is not None:
                overlap = overlap_of(running, candidate).dice if running is not None else 0.0
                alike.append((overlap or 0.0, pair))
            for drawn in _readers(said.reviews.get(pair.running.frame_id, ()), store):
                one, other = overlap_of(drawn, running).dice, overlap_of(drawn, candidate).dice
                if one is not None and other is not None:
                    dice.setdefault(screening_id, []).append((one, other))
    figures = {name: told for name, told in _figures(said.pairs, dice) if told is not None}
    changes = [change for each in sorted(said.pairs) for change in _changes(each, said, programme)]
    alike.sort(key=lambda each: (each[0], each[1].running.frame_id))
    agreement = round(sum(each for each, _ in alike) / len(alike), 4) if alike else None
    frames = sum(map(len, said.pairs.values()))
    return Comparison(len(said.pairs), frames, agreement, figures, changes, alike[:SHOWN])


def sheet(comparison: Comparison, store: ObjectStore) -> bytes | None:
    """PNG of the frames on which the networks agree least, in rows of two: what runs, and the candidate; None for none.

    Raises as the store.
    """
    pictures: list[Picture] = []
    for agreement, pair in comparison.least_alike:
        grey = to_grey(stored_frame(store, pair.running).pixels())
        for which, result in (("runs", pair.running), ("candidate", pair.candidate)):
            title = f"{which}: {result.model_id}, {len(result.regions)} outlined" + (
                f", agreement {agreement:.2f}" if which == "candidate" else ""
            )
            pictures.append(draw(grey, [each.polygon for each in result.regions], title=title, colour=YELLOW))
    return contact_sheet(pictures, columns=2, tile_px=560) if pictures else None


def _figures(
    pairs: Mapping[str, Sequence[Pair]], dice: Mapping[str, Sequence[tuple[float, float]]]
) -> Iterator[tuple[str, Paired | None]]:
    def over(figure: Any) -> Paired | None:
        return paired([[(figure(each.running), figure(each.candidate)) for each in some] for some in pairs.values()])

    yield "dice_against_readers", paired(list(dice.values()))
    yield "regions_per_frame", over(lambda result: float(len(result.regions)))
    yield "share_of_frames_outlined", over(lambda result: float(bool(result.regions)))
    yield "share_refused", over(lambda result: float(not result.assessable))
    yield "outlined_share_of_frame", over(_share)
    yield (
        "highest_malignant",
        paired(
            [
                [
                    (one, other)
                    for each in some
                    if (one := _malignant(each.running)) is not None
                    and (other := _malignant(each.candidate)) is not None
                ]
                for some in pairs.values()
            ]
        ),
    )


def _share(result: FrameSegmented) -> float:
    return sum(each.area_px for each in result.regions) / (result.rows * result.columns)


def _malignant(result: FrameSegmented) -> float | None:
    return max((each.malignant for each in result.regions if each.malignant is not None), default=None)


def _changes(screening_id: str, said: Said, programme: Programme) -> Iterator[Change]:
    pairs = said.pairs[screening_id]
    running = assessed_with([each.running for each in pairs], said.control[screening_id], said.registry, programme)
    candidate = assessed_with([each.candidate for each in pairs], said.control[screening_id], said.registry, programme)
    if running is None or candidate is None:
        return
    one, other = _categories(running), _categories(candidate)
    for what in sorted(one.keys() | other.keys()):
        before, after = one.get(what, _SPELT), other.get(what, _SPELT)
        if before != after:
            yield Change(screening_id, what, before, after)
    if running.findings != candidate.findings and len(running.findings) != len(candidate.findings):
        yield Change(screening_id, "findings", str(len(running.findings)), str(len(candidate.findings)))
    told = [_suspicious(each) for each in (running, candidate)]
    if told[0] != told[1]:
        yield Change(screening_id, "suspicious_alert", *("told" if each else "not_told" for each in told))


def assessed_with(
    results: Sequence[FrameSegmented], control: Sequence[Message], registry: VanRegistry, programme: Programme
) -> ScreeningAssessed | None:
    """The last revision that `assess` makes of these results and what the van said; None where it makes none.

    A record of the van that `assess` would reject is left out, as it was then.
    """
    rows: dict[tuple[str, str], bytes | None] = {}
    newest: ScreeningAssessed | None = None

    def put(message: Message, wait: timedelta) -> None:
        nonlocal newest
        try:
            taken = assess(message, lambda table, key: rows.get((table, key)), registry.verify, wait, programme)
        except InvalidRecord:
            return
        rows.update(taken.received)
        rows.update(taken.published)
        if taken.decided.revision is not None:
            newest = taken.decided.revision.assessed

    for message in control:
        put(message, _NEVER)
    if not control:
        return None
    at = control[-1].at.appended_at
    for number, result in enumerate(results):
        place = Coordinates(Topic.FRAME_SEGMENTED, 0, number, at)
        put(Message(place, result.screening_id.encode(), result.encode()), _NEVER)
    if results:
        tick = ScreeningTicked(screening_id=results[0].screening_id)
        place = Coordinates(Topic.SCREENING_TICKED, 0, 0, at)
        put(Message(place, tick.screening_id.encode(), tick.encode()), timedelta(0))
    return newest


def _categories(assessed: ScreeningAssessed) -> dict[str, str]:
    """Scheme, organ and side → the category that decides there."""

    def spelt(category: Category) -> str:
        return f"{'at least ' if category.at_least else ''}{category.value or _SPELT}"

    return {
        " ".join(filter(None, (each.scheme, each.organ, each.laterality))): spelt(each) for each in assessed.categories
    }


def _suspicious(assessed: ScreeningAssessed) -> bool:
    alerts = alerts_of(assessed, {}, RuleSet.of(AlertSettings()))
    return any(alert.severity != "worklist" for alert in alerts)


def _labels(result: FrameSegmented, store: ObjectStore) -> Labels | None:
    return stored_frame(store, result).labels() if result.mask_key is not None else None


def _readers(reviews: Iterable[FrameReviewed], store: ObjectStore) -> Iterator[Labels | None]:
    """The newest mask of each reader."""
    newest = {review.reader: review for review in sorted(reviews, key=lambda each: each.review_id)}
    for review in newest.values():
        if review.mask_key is not None and review.mask_sha256 is not None:
            yield decode_mask(get_named(store, Bucket.MASKS, review.mask_key, review.mask_sha256))


def _from(broker: BrokerSettings, topic: Topic, since: datetime) -> Sequence[tail.Message]:
    with tail.Tail(broker, topic, since) as reading:
        found = reading.to_the_end(600.0)
    return sorted(found, key=lambda message: (message.appended_at, message.partition, message.offset))


def _message(message: tail.Message) -> Message:
    place = Coordinates(message.topic, message.partition, message.offset, message.appended_at)
    return Message(place, message.key, message.value or b"")
