"""What a reader drew on a frame in the place of what the machine had outlined there: which review counts, and what
becomes of the frame's result.

A reader's outline replaces the machine's with all that is measured within it. What a network said of the lesion stays
where its outline was not a bad one; nothing is said of the lesion's look off an outline that the reader threw away.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sonovan.clinical.track import box_overlap
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.results import Finding, Sighting
from sonovan.contracts.reviews import FrameReviewed

BAD_OUTLINE: Final = 0.3
"""An outline whose box overlaps the reader's by less (IoU) was a bad one: what a network read off it is dropped. Below
this IoU lie the outlines that the expected Dice is to withhold (docs/decisions/0026)."""


def may_revise(review: FrameReviewed) -> bool:
    """Whether a review may change a frame's result: the reader had seen the machine's, and what was drawn was measured.

    A blind review measures the machine. Whoever drew blind sees both masks afterwards, and says what shall count by
    another review, which is not blind.
    """
    return not review.blind and (review.verdict == "agreed" or review.regions is not None)


def in_force(reviews: Iterable[FrameReviewed]) -> FrameReviewed | None:
    """The review of one frame that counts, None where the machine's result does.

    Of each reader the review with the highest id counts, of all readers' the newest of those that do not agree with
    the machine: a reader takes back by agreement what they drew themselves, and nothing of anybody else's.
    """
    newest: dict[str, FrameReviewed] = {}
    for review in sorted(filter(may_revise, reviews), key=lambda each: each.review_id):
        newest[review.reader] = review
    drawn = [each for each in newest.values() if each.verdict != "agreed"]
    return max(drawn, key=lambda each: each.review_id, default=None)


def fits(result: FrameSegmented, review: FrameReviewed) -> bool:
    """Whether a review was drawn on the very frame of a result, and names no panel that the frame does not have."""
    panels = max(len(result.panels), 1)
    drawn_on = review.image_sha256 == result.image_sha256
    return drawn_on and all(region.panel < panels for region in review.regions or ())


def with_review(result: FrameSegmented, review: FrameReviewed) -> FrameSegmented:
    """The result of a frame as the reader has it: mask and regions are the review's.

    A frame on which a reader outlines a lesion could be assessed, whatever the machine thought of it; a frame in colour
    stays what it is. What the reader outlined nothing on is as assessable as before.
    """
    regions = tuple(_with_look(each, result.regions) for each in review.regions or ())
    drawn = {each.panel for each in regions}
    read = bool(drawn) and result.mode == "grey"
    return result.model_copy(
        update={
            "regions": regions,
            "mask_key": review.mask_key,
            "mask_sha256": review.mask_sha256,
            **({"assessable": True, "not_assessable_reason": None} if read else {}),
            "refusals": tuple(each for each in result.refusals if not read or each.panel not in drawn),
        }
    )


def told_of_readers(finding: Finding, reviewed: Iterable[str]) -> Finding:
    """The finding with the frames of each sighting whose outline is a reader's. reviewed: ids of such frames."""
    by_reader = frozenset(reviewed)
    sightings = tuple(_told(each, by_reader) for each in finding.sightings)
    return finding if sightings == finding.sightings else finding.model_copy(update={"sightings": sightings})


def _told(sighting: Sighting, by_reader: frozenset[str]) -> Sighting:
    frames = sorted({member.frame_id for member in sighting.members} & by_reader)
    if not frames:
        return sighting
    told: dict[str, object] = {"reader_frames": tuple(int(each.rpartition("/")[2]) for each in frames)}
    if sighting.key_frame_id in by_reader:  # nothing is expected of the outline that others are measured against
        told["predicted_dice"] = None
    return sighting.model_copy(update=told)


def _with_look(drawn: Region, machine: Sequence[Region]) -> Region:
    """A reader's region with what the network says of the lesion's look, where its outline was not a bad one."""
    beside = [each for each in machine if each.panel == drawn.panel]
    nearest = max(beside, key=lambda each: (box_overlap(drawn, each), -each.ordinal), default=None)
    if nearest is None or box_overlap(drawn, nearest) < BAD_OUTLINE:
        return drawn
    return drawn.model_copy(update={"malignant": nearest.malignant, "descriptors": nearest.descriptors})
