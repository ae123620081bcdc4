"""Codes and figures as a person reads them, in English."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import (
    Adequacy,
    Advice,
    Category,
    Finding,
    IntendedUse,
    MissingFrames,
    RefusedPanel,
    Sighting,
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
    "examination_inadequate": "the examination is inadequate",
    "examination_incomplete": "the examination is incomplete",
    "not_assessed": "not assessed",
    "not_fully_assessed": "not fully assessed",
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


_PLACES: Final[dict[Organ, dict[Side | None, str]]] = {
    "breast": {
        "left": "Left breast",
        "right": "Right breast",
        "isthmus": "Breast, side not recorded",
        None: "Breast, side not recorded",
    },
    "thyroid": {
        "left": "Left thyroid lobe",
        "right": "Right thyroid lobe",
        "isthmus": "Thyroid isthmus",
        None: "Thyroid, side not recorded",
    },
}

_ADVICE: Final = {
    "scan_again": "{place}: {because}. Scan again while the woman is here, or recall her.",
    "say_which_side": "Some frames name no side: correct the record before review.",
    "send_missing_frames": (
        "Part of the examination has not arrived: keep the van's spool until every frame is stored ({because})."
    ),
}


def counted(number: int, thing: str) -> str:
    """`1 frame`, `2 frames`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def place(organ: Organ, side: Side | None, region: str | None = None) -> str:
    """Where in the body, as a heading: "Left breast"."""
    name = _PLACES[organ][side]
    return f"{name}, {region.replace('_', ' ')}" if region else name


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


def size(sighting: Sighting) -> str:
    """Axes and area in mm, or the box and area in pixels where nobody knows the scale."""
    if sighting.long_axis_mm is None or sighting.short_axis_mm is None:
        return f"no scale: {sighting.box[2]} × {sighting.box[3]} pixels, area {sighting.area_px} pixels"
    area = "" if sighting.area_mm2 is None else f", area {sighting.area_mm2:.1f} mm²"
    return f"{sighting.long_axis_mm:.1f} × {sighting.short_axis_mm:.1f} mm{area}"


def location(sighting: Sighting) -> str:
    """Position and view as the operator named them, and the centre of the box within the key frame."""
    named = [name.replace("_", " ") for name in (sighting.position, sighting.view) if name]
    left, top, width, height = sighting.box
    where = ", ".join(named) or "position and view not recorded"
    return f"{where}; at column {left + width // 2}, row {top + height // 2} of the frame"


def frames_seen(sighting: Sighting) -> str:
    """On how many frames, which, and for how long."""
    count = sighting.frame_count
    first, last = sighting.frame_span
    text = f"{count} frame{'s' if count != 1 else ''}"
    text += f", no. {first}" if first == last else f", no. {first} to {last}"
    return text if sighting.duration_ms is None or first == last else f"{text}, {sighting.duration_ms / 1000:.2f} s"


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


def because(reasons: Sequence[Because]) -> str:
    """What a rule found, in words, with its figures."""
    return ", ".join(_reason_with_figure(each) for each in reasons)


def _reason_with_figure(found: Because) -> str:
    if found.value is None:
        return reason(found.code)
    if found.unit == "1" and not isinstance(found.value, str):
        return f"{reason(found.code)} ({found.value * 100:.0f} %)"
    return f"{reason(found.code)} ({found.value}{' ' + found.unit if found.unit else ''})"


def category_reasons(found: Category) -> str:
    """Of what a category speaks, why, and by which rule."""
    return f"{place(found.organ, found.laterality)}: {because(found.because)}; rule {found.rule}"


def advice(found: Advice) -> str:
    """An advice as a person reads it, or that it is withheld."""
    if found.withheld:
        return f"{found.rule.replace('_', ' ').capitalize()}: advice withheld under this intended use"
    if found.rule == "reader_must_review":
        return _review(next((each.value for each in found.because if isinstance(each.value, int)), 0))
    where = place(found.organ, found.laterality, found.region) if found.organ else ""
    return _ADVICE[found.rule].format(place=where, because=because(found.because))


def _review(findings: int) -> str:
    if findings == 0:
        return f"{NO_REGION} A reader reviews the frames and signs."
    what = "the outlined region" if findings == 1 else f"the {findings} outlined regions"
    return f"A reader reviews {what} and the frames around, and signs."
