"""Codes and figures as a person reads them, in English."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sonovan.clinical.place import named_place
from sonovan.contracts.record import Organ, Side
from sonovan.contracts.results import (
    Adequacy,
    Category,
    Descriptor,
    Finding,
    IntendedUse,
    MissingFrames,
    RefusedPanel,
    Status,
)

UNSIGNED: Final = "UNSIGNED – NOT A RESULT"
UNSIGNED_ZH: Final = "未签署，非诊断结果"
UNSIGNED_MEANING: Final = (
    "Made by software from ultrasound frames. No reader has reviewed or signed it: "
    "it neither finds nor rules out disease."
)
NO_REGION: Final = "No region was outlined. This is not a negative result."

INTENDED_USE: Final[dict[IntendedUse, str]] = {
    "research": (
        "Not for diagnosis or treatment. Descriptors are suggested by software; "
        "the probability of malignancy, categories and advice are withheld."
    ),
    "measurement": (
        "For measurement only: outlines, sizes, scores and descriptors suggested by software; "
        "the probability of malignancy, categories and advice are withheld."
    ),
    "decision_support": (
        "Descriptors, the probability of malignancy, categories and advice are suggestions of software "
        "that a qualified reader confirms or rejects."
    ),
}

STATUS: Final[dict[Status, str]] = {
    "preliminary": "Preliminary: frames are still arriving",
    "incomplete": "Incomplete: frames are missing",
    "complete": "Complete: every frame is accounted for",
}

_REASONS: Final = {
    "not_seen": "planned, no frame seen",
    "nothing_assessable": "no frame could be assessed",
    "few_frames": "too few assessable frames",
    "low_assessable_share": "too many frames could not be assessed",
    "low_quality": "low picture quality",
    "motion": "too many frames blurred by motion",
    "side_unknown": "no side recorded",
    "not_breast_ultrasound": "frames do not look like ultrasound of a breast",
    "not_thyroid_ultrasound": "frames do not look like ultrasound of a thyroid",
    "no_contact": "the probe had no contact",
    "noise": "frames of mere noise",
    "blank": "blank frames",
    "saturated": "overexposed frames",
    "shadowed": "most of the picture lay in shadow",
    "too_small": "pictures too small",
    "frames_missing": "frames have not arrived",
    "frames_discarded": "frames discarded by the operator",
    "frames_held": "frames held back on the van",
    "frames_rejected": "frames rejected",
    "sequence_cut_short": "a file ended before its sweep did",
    "sequence_not_closed": "a sweep was not closed",
    "screening_not_closed": "the screening was not closed",
    "closings_contradict": "the van's closing records contradict each other",
}


def counted(number: int, thing: str) -> str:
    """`1 frame`, `2 frames`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def place(organ: Organ, side: Side | None, region: str | None = None) -> str:
    """Where in the body, as a heading: "Left breast"."""
    name = named_place(organ, side, region)
    return name[0].upper() + name[1:]


def reason(code: str) -> str:
    """A reason in words; an unknown code is shown with spaces for underscores."""
    return _REASONS.get(code, code.replace("_", " "))


def reasons(row: Adequacy) -> str:
    """All reasons of a row, or a dash."""
    return "; ".join(reason(code) for code in row.reasons) or "–"


def moment(value: datetime) -> str:
    """UTC, to the minute."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ranges(indices: Sequence[int]) -> str:
    """Sorted indices with runs drawn together: "3, 5–9"."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def missing(gap: MissingFrames) -> str:
    """Which frames of a sweep are missing."""
    if gap.indices is None:
        return "not closed: how many frames it has is not known"
    count = len(gap.indices) + gap.more
    return f"{count} frame{'s' if count != 1 else ''}: {ranges(gap.indices)}{' and further ones' if gap.more else ''}"


def refused_panel(found: RefusedPanel) -> str:
    """Which panel of which frames was not looked at, and why; panels are counted from 1."""
    count = len(found.indices) + found.more
    frames = f"frame{'s' if count != 1 else ''} no. {ranges(found.indices)}{' and further ones' if found.more else ''}"
    return f"panel {found.panel + 1} not assessable on {frames}: {reason(found.reason)}"


def size(finding: Finding) -> str:
    """Axes and area in mm, or the box and area in pixels where nobody knows the scale."""
    if finding.long_axis_mm is None or finding.short_axis_mm is None:
        return f"no scale: {finding.box[2]} × {finding.box[3]} pixels, area {finding.area_px} pixels"
    area = "" if finding.area_mm2 is None else f", area {finding.area_mm2:.1f} mm²"
    return f"{finding.long_axis_mm:.1f} × {finding.short_axis_mm:.1f} mm{area}"


def location(finding: Finding) -> str:
    """Position and view as the operator named them, and the centre of the box within the key frame."""
    named = [name.replace("_", " ") for name in (finding.position, finding.view) if name]
    left, top, width, height = finding.box
    where = ", ".join(named) or "position and view not recorded"
    return f"{where}; at column {left + width // 2}, row {top + height // 2} of the frame"


def frames_seen(finding: Finding) -> str:
    """On how many frames, which, and for how long."""
    count = len({member.frame_id for member in finding.members})
    first, last = finding.frame_span
    text = f"{count} frame{'s' if count != 1 else ''}"
    text += f", no. {first}" if first == last else f", no. {first} to {last}"
    return text if finding.duration_ms is None or first == last else f"{text}, {finding.duration_ms / 1000:.2f} s"


def category(found: Category | None) -> str:
    """A suggested category, or why there is none."""
    if found is None:
        return "no suggested category"
    if found.withheld or found.value is None:
        return f"{found.scheme}: withheld under this intended use"
    return f"{found.scheme} {found.value}, suggested for review"


def predicted_dice(value: float | None) -> str:
    """How far the outlines on the key frame can be expected to agree with a reader's."""
    return "not predicted" if value is None else f"Dice {value:.2f} expected"


UNCONFIRMED: Final = "unconfirmed: the network saw it, and its second step drew nothing there"


NOT_DETERMINED: Final = "not determined"

_NAMES: Final = {"posterior_features": "behind it", "halo": "echogenic halo", "echogenicity": "echo pattern"}
_VALUES: Final = {"iso_or_hyperechoic": "iso- or hyperechoic", "hyper_or_isoechoic": "hyper- or isoechoic"}


def descriptor_name(found: Descriptor) -> str:
    """What a descriptor speaks of: "margin", "skin thickening"."""
    return _NAMES.get(found.name, found.name.replace("_", " "))


def descriptor(found: Descriptor) -> str:
    """A descriptor's value and how sure the software is, or that it is not determined."""
    if found.value is None:
        return f"{NOT_DETERMINED} (likeliest value {_percent(found.probability)})"
    return f"{_VALUES.get(found.value, found.value.replace('_', ' '))} ({_percent(found.probability)})"


def malignant(finding: Finding) -> str | None:
    """The suggested probability of malignancy, or that it is withheld; None where no network says anything of it."""
    if finding.malignant_withheld:
        return "withheld under this intended use"
    if finding.malignant is None:
        return None
    return f"{_percent(finding.malignant)} by software, suggested for review: no diagnosis"


def _percent(share: float) -> str:
    """Never 0 or 100 %: a network is not certain."""
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else f"{share * 100:.0f} %"


def contrast(value: float | None) -> str:
    """Brightness against the surroundings."""
    if value is None:
        return "not measured"
    if abs(value) < 0.005:
        return "as bright as its surroundings"
    return f"{abs(value) * 100:.0f} % {'darker' if value < 0 else 'brighter'} than its surroundings"
