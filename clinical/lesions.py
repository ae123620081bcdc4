"""Turn lesions into findings: a sighting for each track that shows one, and which sighting is the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.descriptors import over_frames, suspicion
from sonovan.clinical.dynamics import dynamics_of
from sonovan.clinical.key_frame import key_of
from sonovan.clinical.location import extent_of, location_of
from sonovan.clinical.track import MemberKey, Track
from sonovan.clinical.track_score import largest_pieces, track_features, track_score
from sonovan.contracts.because import Because
from sonovan.contracts.description import Outline
from sonovan.contracts.frames import FrameSegmented, Region, RegionMeasures
from sonovan.contracts.results import Finding, Member, Sighting

TOP_MEMBERS: Final = 3
"""A sighting's `score_mean` is the mean over this many of its best members (all, where there are fewer)."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion: the tracks that show it, at most one for each sequence and panel, lowest member first.

    joined: why tracks of several sweeps or views are taken for one lesion; empty for a single track.
    """

    tracks: tuple[Track, ...]
    joined: tuple[Because, ...] = ()

    @property
    def members(self) -> tuple[MemberKey, ...]:
        """The members of all tracks, lowest first."""
        return tuple(sorted(member for track in self.tracks for member in track.members))


def finding_of(
    lesion: Lesion,
    results: Mapping[str, FrameSegmented],
    finding_id: str,
    ends: Mapping[str, tuple[int, int]],
) -> Finding:
    """The finding that a lesion makes; `results` holds at least the frames of its tracks and those beside them, by id.

    ends: of each sequence, as `sonovan.clinical.key_frame.sequence_ends` gives them for all results.
    Organ and side are those of its first track. Raises KeyError for a member without a result.
    """
    tracks = sorted(lesion.tracks, key=lambda track: track.members[0])
    shown = [_shown(track, results) for track in tracks]
    pieces = [largest_pieces(members) for members in shown]
    sightings = tuple(
        _sighting(track, members, frames, ends, (_named(track.before, results), _named(track.after, results)))
        for track, members, frames in zip(tracks, shown, pieces, strict=True)
    )
    regions = [region for frames in pieces for _, region in frames]
    score = suspicion(regions)
    return Finding(
        finding_id=finding_id,
        organ=tracks[0].organ,
        laterality=tracks[0].laterality,
        sightings=sightings,
        best_ordinal=best_of(sightings),
        joined=lesion.joined,
        malignant=score and score[0],
        malignant_range=score and score[1],
        outline_unreliable=all(region.outline_unreliable for region in regions),
        descriptors=over_frames(tracks[0].organ, regions),
        location=location_of(tracks[0].organ, tracks[0].laterality, sightings),
        extent=extent_of(sightings) if tracks[0].organ == "thyroid" else None,
    )


def best_of(sightings: Sequence[Sighting]) -> int:
    """The place of the sighting that shows a lesion best.

    One that the network's decoder drew comes before an `unconfirmed` one, then the highest `score_mean` decides, then
    the number of frames; of equals it is the first.
    """
    rank = [(not each.unconfirmed, each.score_mean, each.frame_count) for each in sightings]
    return rank.index(max(rank))


def cut_to(finding: Finding, sequence_id: str) -> Finding | None:
    """The finding with the sightings of one sequence alone, None where it has none; the lesion's own fields stay."""
    sightings = tuple(each for each in finding.sightings if each.sequence_id == sequence_id)
    if not sightings:
        return None
    return finding.model_copy(update={"sightings": sightings, "best_ordinal": best_of(sightings)})


_Shown = list[tuple[FrameSegmented, Region]]


def _shown(track: Track, results: Mapping[str, FrameSegmented]) -> _Shown:
    return [(results[frame_id], region_of(results[frame_id], ordinal)) for frame_id, ordinal in track.members]


def _sighting(
    track: Track,
    shown: _Shown,
    frames: _Shown,
    ends: Mapping[str, tuple[int, int]],
    beside: tuple[FrameSegmented | None, FrameSegmented | None],
) -> Sighting:
    """Shown and measured on the key frame (`sonovan.clinical.key_frame.key_of`). `unconfirmed` where all members are.

    `duration_ms` is None unless the first and the last frame carry a time. frames: the largest member of each frame.
    beside: the frames next to its first and last one.
    """
    regions = [region for _, region in shown]
    key = key_of(shown, ends)
    frame, region = shown[key.place]
    top = sorted((region.score_mean for region in regions), reverse=True)[:TOP_MEMBERS]
    first, last = shown[0][0], shown[-1][0]
    timed = first.time_ms is not None and last.time_ms is not None
    return Sighting(
        sequence_id=track.sequence_id,
        panel=track.panel,
        view=frame.view,
        position=frame.position,
        nipple_distance_mm=frame.nipple_distance_mm,
        members=tuple(Member(frame_id=frame_id, ordinal=ordinal) for frame_id, ordinal in track.members),
        frame_span=(first.frame_index, last.frame_index),
        duration_ms=round((last.time_ms or 0.0) - (first.time_ms or 0.0), 3) if timed else None,
        key_frame_id=frame.frame_id,
        key_ordinal=region.ordinal,
        box=region.box,
        area_px=region.area_px,
        area_mm2=region.measures.area_mm2,
        long_axis_mm=region.measures.long_axis_mm,
        short_axis_mm=region.measures.short_axis_mm,
        long_axis_px=region.measures.long_axis_px,
        short_axis_px=region.measures.short_axis_px,
        orientation_deg=region.measures.orientation_deg,
        at_least=key.at_least,
        place=region.place,
        score_mean=round(math.fsum(top) / len(top), 4),
        score_max=max(region.score_max for region in regions),
        track_score=track_score(track_features(frames, *beside)),
        contrast=region.measures.contrast,
        dynamics=dynamics_of(frames),
        cnr=region.measures.cnr,
        gcnr=region.measures.gcnr,
        outline=_outline(region.measures),
        unconfirmed=all(each.unconfirmed for each in regions),
        predicted_dice=region.predicted_dice,
        outline_unreliable=region.outline_unreliable,
        image_key=frame.image_key,
        image_sha256=frame.image_sha256,
        mask_key=frame.mask_key,
        mask_sha256=frame.mask_sha256,
    )


def _outline(measures: RegionMeasures) -> Outline:
    return Outline(
        circularity=measures.circularity,
        solidity=measures.solidity,
        angularity=measures.angularity,
        lobulations=measures.lobulations,
        radial_deviation=measures.radial_deviation,
    )


def _named(frame_id: str | None, results: Mapping[str, FrameSegmented]) -> FrameSegmented | None:
    return None if frame_id is None else results[frame_id]


def region_of(result: FrameSegmented, ordinal: int) -> Region:
    """The region of this ordinal. Raises KeyError where the result has none."""
    for region in result.regions:
        if region.ordinal == ordinal:
            return region
    raise KeyError(f"{result.frame_id} has no region {ordinal}")
