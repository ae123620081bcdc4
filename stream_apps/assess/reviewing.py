"""What readers drew, beside the results of a screening: kept by frame, and put in their place where it counts.

A review is a record like any other: it may come before the result of its frame, twice, or after the screening was told
of, and what counts follows from all that are known (`sonovan.clinical.reviewed.in_force`).
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sonovan.clinical.reviewed import fits, in_force
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import frame_id
from sonovan.contracts.results import ReaderFrame
from sonovan.contracts.reviews import FrameReviewed
from sonovan.stream_apps.assess.assessment import FromOpener
from sonovan.stream_apps.assess.known import Known
from sonovan.stream_apps.assess.rows import ReviewsRow, reviews_key

log = logging.getLogger(__name__)

MOST_REVIEWS: Final = 16
"""Reviews of one frame that are kept: the newest, by their ids."""


def take_review(review: FrameReviewed, known: Known) -> Known:
    """What is known with this review, of a screening that goes on. Its sweep's row says which of the frame's counts.

    Raises InvalidRecord for a review of the id of another one.
    """
    key = reviews_key(review.frame_id, review.van_id)
    reviews = {each.review_id: each for each in _reviews(known, key)}
    if reviews.setdefault(review.review_id, review) != review:
        raise InvalidRecord("record_contradicts_stored", "another review of this id is stored")
    kept = tuple(reviews[name] for name in sorted(reviews)[-MOST_REVIEWS:])
    counts = in_force(kept)
    row = known.sequence(review.sequence_id, review.van_id)
    reviewed = {**row.reviewed, review.frame_index: None if counts is None else counts.review_id}
    row = row.model_copy(update={"reviewed": dict(sorted(reviewed.items()))})
    known = known.with_sequence(review.sequence_id, review.van_id, row)
    data = ReviewsRow(reviews=kept).model_dump_json().encode()
    return replace(known, results={**known.results, key: data}, again=True)


def counting_reviews(
    told: FromOpener, known: Known, results: Mapping[str, FrameSegmented]
) -> tuple[Known, dict[str, FrameReviewed]]:
    """The reviews that count in the place of these results, by frame id; and what is known, with the sweeps' rows as
    they are once a review whose row was torn off is forgotten, which then comes again.
    """
    found: dict[str, FrameReviewed] = {}
    for sequence_id, row in told.sequences.items():
        torn = []
        for index, review_id in row.reviewed.items():
            name = frame_id(sequence_id, index)
            if review_id is None:
                continue
            reviews = {each.review_id: each for each in _reviews(known, reviews_key(name, told.opening.van_id))}
            if review_id not in reviews:
                torn.append(index)
            elif name in results and not fits(results[name], reviews[review_id]):
                log.error("review %s is of another picture than the one that is stored", review_id)
            elif name in results:
                found[name] = reviews[review_id]
        if torn:
            log.warning("sequence %s: %d frames have no review yet that was marked", sequence_id, len(torn))
            stored = known.sequence(sequence_id, told.opening.van_id)
            kept = {index: each for index, each in stored.reviewed.items() if index not in torn}
            known = known.with_sequence(sequence_id, told.opening.van_id, stored.model_copy(update={"reviewed": kept}))
    return known, found


def reader_frames(reviews: Mapping[str, FrameReviewed]) -> tuple[ReaderFrame, ...]:
    """What a revision says of the reviews that count, in the order of the frames' ids."""
    return tuple(
        ReaderFrame(
            frame_id=name,
            review_id=review.review_id,
            reader=review.reader,
            verdict="drawn" if review.verdict == "drawn" else "corrected",
            regions=len(review.regions or ()),
            fingerprint=None if review.compared is None else review.compared.fingerprint,
        )
        for name, review in sorted(reviews.items())
    )


def _reviews(known: Known, key: str) -> tuple[FrameReviewed, ...]:
    data = known.result(key)
    return () if data is None else ReviewsRow.model_validate_json(data).reviews
