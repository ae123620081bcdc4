"""Which network's results count for a screening: the first one's, or those of one that was promoted and is whole.

Everything follows from what was received, whatever its order. A promotion counts once every frame that counted before
it has a result of its network as well. A frame that comes later, of the earlier network alone, has the earlier one
count again: nothing that was segmented is left out for the sake of a newer network.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sonovan.clinical.track import MemberKey, box_overlap
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.promotions import PromotionInForce
from sonovan.contracts.results import ReaderFrame
from sonovan.stream_apps.assess.rows import PublishedRow, SequenceRow, VanPart

SAME_PLACE = 0.2
"""The least IoU of the boxes of two networks' regions of one frame that are one lesion's."""


@dataclass(frozen=True, slots=True)
class Counting:
    """The network that counts. other: None where it is that of the first result, as in `SequenceRow.bitmap_of`.

    part, sequences: the van's, as they would be had this network been the first. chain: the fingerprints of the
    networks that took over, one after another. promotion: the last one; None where none took over.
    """

    other: str | None
    part: VanPart
    sequences: Mapping[str, SequenceRow]
    chain: tuple[str, ...]
    promotion: PromotionInForce | None


def counting(part: VanPart, sequences: Mapping[str, SequenceRow]) -> Counting:
    """The network that counts for what this van sent of a screening. sequences: its sweeps by id."""
    other: str | None = None
    chain: list[str] = []
    promotion: PromotionInForce | None = None
    counted = part
    for each in part.promotions:
        following = None if each.fingerprint == part.fingerprint else each.fingerprint
        if following == other or counted.fingerprint is None:
            continue
        if all(not row.bitmap_of(other) & ~row.bitmap_of(following) for row in sequences.values()):
            promotion = PromotionInForce(
                promotion_id=each.promotion_id,
                because=each.because,
                by=each.by,
                promoted_at=each.promoted_at,
                instead_of=counted.fingerprint,
            )
            named = {"fingerprint": each.fingerprint, "model_id": each.model_id, "weights_sha256": each.weights_sha256}
            counted, other = part.model_copy(update=named), following
            chain.append(each.fingerprint)
    taken = {name: row.with_bitmap(None, row.bitmap_of(other)) for name, row in sequences.items()}
    return Counting(other, counted, taken if other is not None else sequences, tuple(chain), promotion)


def numbered_otherwise(reviewed: Iterable[ReaderFrame], fingerprint: str | None) -> dict[str, str]:
    """Frames whose regions a reader's review numbers after another network than the one that counts, by frame id."""
    return {
        each.frame_id: each.fingerprint for each in reviewed if each.fingerprint not in (None, fingerprint)
    }  # fmt: skip


def renumbered(
    published: PublishedRow,
    fingerprint: str,
    result_of: Callable[[str, str], FrameSegmented | None],
    results: Mapping[str, FrameSegmented],
    numbered: Mapping[str, str],
) -> dict[str, frozenset[MemberKey]]:
    """The members of every finding that was published, as regions of the results that count now.

    Regions of two networks have nothing to do with each other's ordinals: a region becomes the one of the same panel
    whose box overlaps it most, and is left out where none does by SAME_PLACE. So a lesion keeps its name, and the
    alerts about it, when another network takes over.
    fingerprint: of the network that counts. result_of: the result of a frame by a network, None where there is none.
    results: what counts now, by frame id. numbered: as `numbered_otherwise` gives it for these.
    """
    found, networks = published.findings(), published.networks()
    usual = published.fingerprint or fingerprint

    def now(network: str, member: MemberKey) -> int | None:
        frame, ordinal = member
        then = published.numbered.get(frame, network) if network == usual else network
        if then == numbered.get(frame, fingerprint):
            return ordinal
        return _counterpart(ordinal, result_of(frame, then), results.get(frame))

    return {
        name: frozenset(
            (each[0], place) for each in members if (place := now(networks.get(name, usual), each)) is not None
        )
        for name, members in found.items()
    }


def _counterpart(ordinal: int, before: FrameSegmented | None, after: FrameSegmented | None) -> int | None:
    region = _region(before, ordinal)
    if region is None or after is None:
        return None
    beside = [each for each in after.regions if each.panel == region.panel]
    nearest = max(beside, key=lambda each: (box_overlap(region, each), -each.ordinal), default=None)
    return nearest.ordinal if nearest is not None and box_overlap(region, nearest) >= SAME_PLACE else None


def _region(result: FrameSegmented | None, ordinal: int) -> Region | None:
    regions = () if result is None else result.regions
    return next((each for each in regions if each.ordinal == ordinal), None)
