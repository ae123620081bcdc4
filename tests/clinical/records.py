"""Small true records for the tests of clinical and reports."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sonovan.contracts.frames import FrameSegmented, Region, RegionMeasures
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import Adequacy, Finding, Member, ScreeningAssessed, Sighting
from sonovan.contracts.van import Panel, ScreeningClosed, SequenceClosed, SetAside

SCREENING = "0192f0c1-2345-7abc-8def-0123456789ab"
OTHER_SCREENING = "0192f0c1-2345-7abc-8def-0123456789ac"
SWEEP = "0192f0c1-2345-7abc-8def-000000000001"
SWEEP_2 = "0192f0c1-2345-7abc-8def-000000000002"
VAN = "van-1"
NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def region(ordinal: int = 0, left: int = 100, top: int = 80, size: int = 40, panel: int = 0, **other: Any) -> Region:
    half = (size - 1) / 2
    fields: dict[str, Any] = {
        "ordinal": ordinal,
        "panel": panel,
        "polygon": ((left, top), (left + size - 1, top), (left + size - 1, top + size - 1), (left, top + size - 1)),
        "box": (left, top, size, size),
        "centroid": (left + half, top + half),
        "area_px": size * size,
        "score_mean": 0.8,
        "score_max": 0.9,
        "measures": RegionMeasures(
            long_axis_px=size, short_axis_px=size, orientation_deg=0, circularity=0.8, solidity=1, mean_grey=50
        ),
    }
    return Region(**{**fields, **other})


def segmented(
    frame_index: int,
    regions: Sequence[Region] = (),
    *,
    sequence_id: str = SWEEP,
    organ: Organ = "breast",
    laterality: Side | None = "left",
    **other: Any,
) -> FrameSegmented:
    fields: dict[str, Any] = {
        "screening_id": SCREENING,
        "sequence_id": sequence_id,
        "frame_index": frame_index,
        "van_id": VAN,
        "organ": organ,
        "laterality": laterality,
        "captured_at": NOON,
        "time_ms": frame_index * 40.0,
        "rows": 480,
        "columns": 640,
        "channels": 1,
        "bits": 8,
        "codec": "png",
        "pixels_sha256": sha(f"{sequence_id}{frame_index}"),
        "panels": (Panel(ordinal=0, left=0, top=0, width=640, height=480),),
        "regions": tuple(regions),
        "quality": 0.9,
        "assessable": True,
        "image_key": f"{sequence_id}/{frame_index:06d}.png",
        "image_sha256": sha(f"image {sequence_id}{frame_index}"),
        "mask_key": "mask.png" if regions else None,
        "mask_sha256": sha("mask") if regions else None,
        "model_id": "lesion-1",
        "weights_sha256": sha("weights"),
        "fingerprint": sha("network with companions"),
        "provider": "openvino/bf16",
        "timings_ms": {"network": 9.0},
    }
    return FrameSegmented(**{**fields, **other})


def sequence_closed(frame_count: int, **other: Any) -> SequenceClosed:
    fields: dict[str, Any] = {
        "screening_id": SCREENING,
        "sequence_id": SWEEP,
        "van_id": VAN,
        "closing_number": 1,
        "frame_count": frame_count,
        "frames_digest": sha("frames"),
        "organ": "breast",
        "laterality": "left",
        "closed_at": NOON,
    }
    return SequenceClosed(**{**fields, **other})


def screening_closed(*sequence_ids: str, **other: Any) -> ScreeningClosed:
    fields: dict[str, Any] = {
        "screening_id": SCREENING,
        "van_id": VAN,
        "closing_number": 1,
        "sequence_ids": sequence_ids,
        "closed_at": NOON,
    }
    return ScreeningClosed(**{**fields, **other})


def discarded(frame_index: int) -> SetAside:
    return SetAside(frame_index=frame_index, reason="no_contact", discarded=True)


def held(frame_index: int) -> SetAside:
    return SetAside(frame_index=frame_index, reason="burned_in_annotation")


REPORT: Final = {
    "report_html_key": "a.html",
    "report_html_sha256": sha("page"),
    "report_json_key": "a.json",
    "report_json_sha256": sha("document"),
}
"""How a revision names its report."""


def sighting(frames: int = 5, sequence_id: str = SWEEP, *, ordinal: int = 0, **other: Any) -> Sighting:
    members = tuple(Member(frame_id=f"{sequence_id}/{10 + index:06d}", ordinal=ordinal) for index in range(frames))
    fields: dict[str, Any] = {
        "sequence_id": sequence_id,
        "panel": 0,
        "members": members,
        "frame_span": (10, 10 + frames - 1),
        "duration_ms": 40.0 * (frames - 1),
        "key_frame_id": members[frames // 2].frame_id,
        "key_ordinal": ordinal,
        "box": (100, 80, 60, 40),
        "area_px": 1900,
        "area_mm2": 76.0,
        "long_axis_mm": 12.1,
        "short_axis_mm": 8.0,
        "long_axis_px": 60.5,
        "short_axis_px": 40.0,
        "orientation_deg": 0.0,
        "score_mean": 0.86,
        "score_max": 0.97,
        "track_score": 0.9,
        "contrast": -0.42,
        "image_key": "image.png",
        "image_sha256": sha("image"),
        "mask_key": "mask.png",
        "mask_sha256": sha("mask"),
    }
    return Sighting(**{**fields, **other})


def finding(number: int = 1, frames: int = 5, **other: Any) -> Finding:
    """A finding with one sighting, unless `sightings` are given; fields of a sighting go to that one.

    Findings of other numbers have other regions of the same frames.
    """
    seen = {name: other.pop(name) for name in list(other) if name in Sighting.model_fields}
    ordinal = 0 if number == 1 or "members" in seen else number
    fields: dict[str, Any] = {
        "finding_id": sha(f"finding {number}"),
        "organ": "breast",
        "laterality": "left",
        "sightings": (sighting(frames, ordinal=ordinal, **seen),) if "sightings" not in other else (),
        "best_ordinal": 0,
    }
    return Finding(**{**fields, **other})


def adequacy(**other: Any) -> Adequacy:
    fields: dict[str, Any] = {
        "organ": "breast",
        "laterality": "left",
        "level": "adequate",
        "assessable_share": 0.95,
        "frames": 60,
    }
    return Adequacy(**{**fields, **other})


def assessed(**other: Any) -> ScreeningAssessed:
    fields: dict[str, Any] = {
        "screening_id": SCREENING,
        "van_id": VAN,
        "revision_id": sha("revision"),
        "revision_number": 2,
        "status": "complete",
        "as_of": NOON,
        "frames": 60,
        "adequacy": (adequacy(),),
        "findings": (finding(),),
        "model_id": "lesion-1",
        "weights_sha256": sha("weights"),
        "fingerprint": sha("network with companions"),
        "rules_version": "1.0",
    }
    return ScreeningAssessed(**{**fields, **other})
