"""Which findings somebody must be told of."""

from dataclasses import dataclass
from typing import Final

from sonovan.contracts.results import Finding

PERSISTENT_LESION: Final = "persistent_lesion"
"""The rule's name in alerts: a region linked over enough frames, large enough, scored highly enough."""

UNCONFIRMED: Final = "unconfirmed: on none of these frames did the network's second step draw it"


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """When `persistent_lesion` fires; every value is the least that fires.

    min_area_mm2 holds where the scale is known, min_area_px where it is not. min_score is held against the
    finding's `score_mean` (the mean over its best members).
    Defaults, for a site to confirm on its own sweeps: three frames, so that no single frame's error calls anybody;
    12 mm², about 4 mm across, just below the 5 mm from which ACR TI-RADS follows a nodule at all (Tessler 2017);
    200 px, about as much on a usual screen (0.25 mm per pixel).
    """

    min_frames: int = 3
    min_area_mm2: float = 12.0
    min_area_px: int = 200
    min_score: float = 0.6


def judge(finding: Finding, settings: AlertSettings) -> str | None:
    """Why this finding calls for an alert under `persistent_lesion`, in one line without personal data; or None.

    One that is `unconfirmed` is told all the same, and the reason says so.
    """
    frames = len({member.frame_id for member in finding.members})
    if finding.area_mm2 is not None:
        large, size = finding.area_mm2 >= settings.min_area_mm2, f"{finding.area_mm2:.1f} mm²"
    else:
        large, size = finding.area_px >= settings.min_area_px, f"area {finding.area_px} px (no scale)"
    if frames < settings.min_frames or not large or finding.score_mean < settings.min_score:
        return None
    reason = f"outlined on {frames} frames, {size} on the key frame, mean score {finding.score_mean:.2f}"
    return f"{reason}; {UNCONFIRMED}" if finding.unconfirmed else reason
