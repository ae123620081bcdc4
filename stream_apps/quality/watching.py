"""A screening where its frames are: frames summed up, reviews measured, and one record on to who has the windows. Pure.

Everything is written after it was sent, and made of rows and message alone: a crash in between makes the same again.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sonovan.clinical.quality.features import added, frame_values, means, predicted_of
from sonovan.clinical.quality.overlap import Overlap
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.quality import MAX_REVIEWED, FeatureValue, LookAt, ReviewedFrame, ScreeningObserved
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.quality.rows import (
    SAMPLED_EVERY,
    FramesRow,
    NetworkPart,
    OrganPart,
    ReviewRow,
    ReviewsOf,
    ReviewsRow,
    Scanner,
)
from sonovan.stream_apps.stage import Outcome, Outgoing, Row, Rows

MAX_PARTS: Final = 8
"""Networks and vans of one screening that are summed up at once; one more is left out."""
_ORGANS: Final[tuple[Organ, ...]] = ("breast", "thyroid")


def frame(result: FrameSegmented, row: Row) -> Outcome:
    """Add a frame's figures to its screening's; send them on where a revision has called for it."""
    known = frames_row(row, result.screening_id)
    name = _name(result.van_id, result.fingerprint)
    scanner = Scanner(manufacturer=result.manufacturer, scanner_model=result.scanner_model)
    part = known.parts.get(name, NetworkPart(model_id=result.model_id, scanner=scanner))
    bits = int(part.seen.get(result.sequence_id, "0"), 16)
    full = name not in known.parts and len(known.parts) >= MAX_PARTS
    if known.erased or full or bits >> result.frame_index & 1 or _is_done(known, name):
        return Outcome()
    before = part.organs.get(result.organ, OrganPart())
    values = frame_values(result)
    organ = OrganPart(sums=added(before.sums, values), look_at=_lower(before.look_at, result))
    part = part.model_copy(
        update={
            # A revision that came first knows the network, and no scanner.
            "scanner": part.scanner if part.seen else scanner,
            "seen": {**part.seen, result.sequence_id: f"{bits | 1 << result.frame_index:x}"},
            "organs": {**part.organs, result.organ: organ},
        }
    )
    scanners = {**known.scanners, result.van_id: scanner}
    after = known.model_copy(update={"parts": {**known.parts, name: part}, "scanners": scanners})
    return _sent(result.screening_id, after, name)


def revision(assessed: ScreeningAssessed, row: Row) -> Outcome:
    """Send on what was summed up of a screening that is complete, or that is told of although frames are missing.

    A record of it may come before its frames do, for topics are read side by side: it is then sent with the last frame
    that must be there. Of a revision that says nothing of the pictures nothing is sent, and nothing kept.
    """
    known = frames_row(row, assessed.screening_id)
    if known.erased:
        return Outcome()
    if assessed.silenced:
        return _rows(_frames_rows(assessed.screening_id, known.model_copy(update={"parts": {}})))
    name = _name(assessed.van_id, assessed.fingerprint)
    if assessed.status == "preliminary" or not assessed.frames or _is_done(known, name):
        return Outcome()
    part = known.parts.get(name, NetworkPart(model_id=assessed.model_id, scanner=Scanner()))
    # Every sequence of n frames has at least n / 8 sampled ones.
    part = part.model_copy(update={"wanted": max(1, assessed.frames // SAMPLED_EVERY)})
    return _sent(assessed.screening_id, known.model_copy(update={"parts": {**known.parts, name: part}}), name)


def _sent(screening_id: str, known: FramesRow, name: str) -> Outcome:
    """The row, and the records that go with it where all is there that must be."""
    part = known.parts[name]
    if part.wanted is None or part.frames < part.wanted:
        return _rows(_frames_rows(screening_id, known))
    van_id, fingerprint = name.split("/")
    records = [
        ScreeningObserved(
            screening_id=screening_id,
            model_id=part.model_id,
            fingerprint=fingerprint,
            organ=organ,
            van_id=van_id,
            manufacturer=part.scanner.manufacturer,
            scanner_model=part.scanner.scanner_model,
            values=tuple(
                FeatureValue(feature=feature, value=value) for feature, value in means(part.organs[organ].sums).items()
            ),
            look_at=part.organs[organ].look_at,
        )
        for organ in _ORGANS
        if organ in part.organs
    ]
    done = (*known.done, *(f"{name}/{record.organ}" for record in records))
    # Parts of other vans and networks go too: assess takes the opener's van and one network alone.
    after = FramesRow(done=done, scanners={van_id: part.scanner})
    return _rows(_frames_rows(screening_id, after), records)


def measured(review: FrameReviewed, overlap: Overlap, row: Row) -> Outcome:
    """A blind review of a frame, against what the machine outlined there: the screening's reviews, sent as a whole."""
    compared = review.compared
    known = frames_row(row, review.screening_id)
    if compared is None or known.erased:
        return Outcome()
    reviews = reviews_row(row, review.screening_id)
    name = f"{_name(review.van_id, compared.fingerprint)}/{review.organ}"
    of = reviews.networks.get(name) or ReviewsOf(
        model_id=compared.model_id, van_id=review.van_id, fingerprint=compared.fingerprint, organ=review.organ
    )
    place = f"{review.frame_id}/{review.reader}"
    before = of.by_frame.get(place)
    if before is not None and before.review_id > review.review_id:
        return Outcome()
    if before is None and len(of.by_frame) >= MAX_REVIEWED:
        raise InvalidRecord("screening_too_large", f"more than {MAX_REVIEWED} frames of it have been reviewed")
    now = ReviewRow(
        review_id=review.review_id,
        dice=overlap.dice,
        iou=overlap.iou,
        outlined=overlap.outlined,
        predicted=compared.predicted_dice,
    )
    of = of.model_copy(update={"by_frame": {**of.by_frame, place: now}})
    after = ReviewsRow(networks={**reviews.networks, name: of})
    scanner = known.scanners.get(review.van_id, Scanner())
    record = ScreeningObserved(
        screening_id=review.screening_id,
        model_id=of.model_id,
        fingerprint=of.fingerprint,
        organ=of.organ,
        van_id=of.van_id,
        manufacturer=scanner.manufacturer,
        scanner_model=scanner.scanner_model,
        reviewed=tuple(by_frame(of)),
    )
    key = f"{review.screening_id}/reviews"
    return _rows({("screenings", key): after.model_dump_json().encode()}, [record])


def by_frame(of: ReviewsOf) -> Iterable[ReviewedFrame]:
    """Each reviewed frame once: the mean over the readers who outlined something there."""
    frames: dict[str, list[ReviewRow]] = {}
    for place, review in sorted(of.by_frame.items()):
        frames.setdefault(place.rpartition("/")[0], []).append(review)
    for reviews in frames.values():
        dice = [each.dice for each in reviews if each.dice is not None]
        iou = [each.iou for each in reviews if each.iou is not None]
        last = max(reviews, key=lambda each: each.review_id)
        yield ReviewedFrame(
            dice=round(sum(dice) / len(dice), 4) if dice else None,
            iou=round(sum(iou) / len(iou), 4) if iou else None,
            outlined=last.outlined,
            predicted=last.predicted,
        )


def erased(screening_id: str, row: Row) -> Outcome:
    """Forget a screening, and have whoever counted it forget it; what comes later of it is not kept again."""
    known, reviews = frames_row(row, screening_id), reviews_row(row, screening_id)
    names = dict.fromkeys(known.done, "none")
    names |= {name: of.model_id for name, of in reviews.networks.items()}
    records = [_forgotten(screening_id, name, model_id) for name, model_id in sorted(names.items())]
    rows: Rows = {
        **_frames_rows(screening_id, FramesRow(erased=True)),
        ("screenings", f"{screening_id}/reviews"): None,
    }
    return _rows(rows, records)


def _forgotten(screening_id: str, name: str, model_id: str) -> ScreeningObserved:
    van_id, fingerprint, organ = name.split("/")
    return ScreeningObserved(
        screening_id=screening_id,
        model_id=model_id,
        fingerprint=fingerprint,
        organ="breast" if organ == "breast" else "thyroid",
        van_id=van_id,
        erased=True,
    )


def frames_row(row: Row, screening_id: str) -> FramesRow:
    """What is known of a screening's frames."""
    data = row("screenings", screening_id)
    return FramesRow() if data is None else FramesRow.model_validate_json(data)


def reviews_row(row: Row, screening_id: str) -> ReviewsRow:
    """What readers have drawn of a screening."""
    data = row("screenings", f"{screening_id}/reviews")
    return ReviewsRow() if data is None else ReviewsRow.model_validate_json(data)


def _frames_rows(screening_id: str, known: FramesRow) -> Rows:
    return {("screenings", screening_id): known.model_dump_json().encode()}


def _rows(rows: Rows, records: Iterable[ScreeningObserved] = ()) -> Outcome:
    sent = tuple(Outgoing(Topic.SCREENING_OBSERVED, each.fingerprint, each) for each in records)
    published: Callable[[object], Rows] = lambda _offsets: rows  # noqa: E731
    return Outcome(records=(sent,) if sent else (), published=published)


def _lower(before: LookAt | None, result: FrameSegmented) -> LookAt:
    """Where to look: the frame whose outlines are expected to be worst, or the first one."""
    predicted = predicted_of(result)
    if before is not None and (predicted is None or (before.predicted is not None and before.predicted <= predicted)):
        return before
    return LookAt(sequence_id=result.sequence_id, frame_index=result.frame_index, predicted=predicted)


def _name(van_id: str, fingerprint: str) -> str:
    return f"{van_id}/{fingerprint}"


def _is_done(known: FramesRow, name: str) -> bool:
    return any(each.startswith(f"{name}/") for each in known.done)
