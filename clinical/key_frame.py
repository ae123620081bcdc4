"""Choose the frame on which a lesion is shown and measured, and say why it may be larger than it looks there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.frames import FrameSegmented, Region

LARGE: Final = 0.8
"""A member is one of the large ones with this share of the largest area: its diameters are then some 10 % shorter."""

CUT_BY_EDGE: Final = "outline_cut_by_edge"
"""The edge of the scan cuts the outline on the key frame, or on the frame that shows the lesion largest."""
SWEEP_ENDS: Final = "sweep_ends_on_it"
"""The lesion is shown, or shown largest, on the first or last assessable frame of a sequence with several."""

Shown = Sequence[tuple[FrameSegmented, Region]]
"""The members of one track: each frame that shows the lesion, with the region in it, in order of the frames."""


@dataclass(frozen=True, slots=True)
class Key:
    """place: of the member that shows the lesion best. at_least: why it may be larger than measured there."""

    place: int
    at_least: tuple[Because, ...]


def sequence_ends(results: Iterable[FrameSegmented]) -> dict[str, tuple[int, int]]:
    """The first and the last assessable frame's index of each sequence that has any, by sequence id."""
    ends: dict[str, tuple[int, int]] = {}
    for result in results:
        if result.assessable:
            first, last = ends.get(result.sequence_id, (result.frame_index, result.frame_index))
            ends[result.sequence_id] = (min(first, result.frame_index), max(last, result.frame_index))
    return ends


def key_of(shown: Shown, ends: Mapping[str, tuple[int, int]]) -> Key:
    """The key frame of one track's members, and why the lesion may be larger than it is there.

    Members whose outline is reliable come before the others, and of these the ones that the scan's edge does not cut
    before those that it cuts. Of those that remain, the ones with `LARGE` of the largest area count as large; of these
    the one with the highest predicted Dice is the key frame (one without a prediction comes last), then the highest
    `score_mean`, then the largest, then the earliest.
    The lesion is at least so large where the key frame, or the frame on which a reliable outline is largest, is cut or
    is an end of its sequence (`sequence_ends`; a sequence of one frame has no ends). Where no outline is reliable, all
    count as if they were. Areas are in mm² where every member has a scale.
    """
    sizes = _areas([region for _, region in shown])
    places = [place for place, (_, region) in enumerate(shown) if not region.outline_unreliable] or range(len(shown))
    whole = [place for place in places if not shown[place][1].cut] or places
    least = LARGE * max(sizes[place] for place in whole)
    key = max((place for place in whole if sizes[place] >= least), key=lambda place: _worth(place, shown, sizes))
    told = {key, max(places, key=lambda place: (sizes[place], -place))}
    at_least = []
    if any(shown[place][1].cut for place in told):
        at_least.append(Because(code=CUT_BY_EDGE))
    if any(_is_end(shown[place][0], ends) for place in told):
        at_least.append(Because(code=SWEEP_ENDS))
    return Key(key, tuple(at_least))


def _areas(regions: Sequence[Region]) -> list[float]:
    in_mm2 = [region.measures.area_mm2 for region in regions]
    known = [area for area in in_mm2 if area is not None]
    return known if len(known) == len(regions) else [float(region.area_px) for region in regions]


def _worth(place: int, shown: Shown, sizes: Sequence[float]) -> tuple[float, float, float, int]:
    region = shown[place][1]
    predicted = -1.0 if region.predicted_dice is None else region.predicted_dice
    return predicted, region.score_mean, sizes[place], -place


def _is_end(frame: FrameSegmented, ends: Mapping[str, tuple[int, int]]) -> bool:
    first, last = ends.get(frame.sequence_id, (frame.frame_index, frame.frame_index))
    return first < last and frame.frame_index in (first, last)
