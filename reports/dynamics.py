"""A lesion's course over the frames of a sweep, as a small drawing for the page and the figures beside it."""

from typing import Final

from markupsafe import Markup

from sonovan.contracts.results import Sighting
from sonovan.reports.words import Words

WIDE: Final = 160
HIGH: Final = 36


def area_plot(sighting: Sighting) -> Markup:
    """Area over the frames as an inline SVG without script or style, from 0 to its largest; empty without a course."""
    if sighting.dynamics is None:
        return Markup("")
    samples = sighting.dynamics.samples
    first, last = samples[0].frame_index, samples[-1].frame_index
    largest = max(each.area_px for each in samples)
    points = " ".join(
        f"{2 + (WIDE - 4) * (each.frame_index - first) / max(last - first, 1):.1f},"
        f"{HIGH - 2 - (HIGH - 4) * each.area_px / largest:.1f}"
        for each in samples
    )
    line = f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    floor = f'<line x1="0" y1="{HIGH - 1}" x2="{WIDE}" y2="{HIGH - 1}" stroke="currentColor" stroke-opacity="0.3"/>'
    box = f'viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}"'
    return Markup(f'<svg class="course" role="img" {box}>{floor}{line}</svg>')  # noqa: S704  # figures alone


def course(sighting: Sighting, words: Words) -> str:
    """The course in words: least and largest area, steadiness, spread of the contrast, motion where it is known."""
    dynamics = sighting.dynamics
    if dynamics is None:
        return ""
    scaled = [each.area_mm2 for each in dynamics.samples if each.area_mm2 is not None]
    if len(scaled) == len(dynamics.samples):
        told = [words.text("course_area_mm2", least=min(scaled), most=max(scaled))]
    else:
        areas = [each.area_px for each in dynamics.samples]
        told = [words.text("course_area_px", least=min(areas), most=max(areas))]
    told.append(words.text("course_steadiness", share=dynamics.steadiness * 100))
    if dynamics.contrast_spread is not None:
        told.append(words.text("course_contrast", spread=dynamics.contrast_spread))
    if dynamics.against_tissue_mm is not None:
        told.append(words.text("course_motion_mm", way=dynamics.against_tissue_mm))
    elif dynamics.against_tissue_px is not None:
        told.append(words.text("course_motion_px", way=dynamics.against_tissue_px))
    return words.text("comma").join(told)
