"""What the van can read: DICOM files, clips, pictures and folders of them, each as a `Source` of frames."""

from sonovan.producers.sources.inputs import Inputs, open_source, open_sources
from sonovan.producers.sources.reasons import SOURCE_REASONS, SOURCE_WARNINGS, Warned, refusal
from sonovan.producers.sources.source import (
    Box,
    CapturedFrame,
    CaptureOptions,
    LostFrame,
    Pixels,
    Source,
    capture_options,
)

__all__ = [
    "SOURCE_REASONS",
    "SOURCE_WARNINGS",
    "Box",
    "CaptureOptions",
    "CapturedFrame",
    "Inputs",
    "LostFrame",
    "Pixels",
    "Source",
    "Warned",
    "capture_options",
    "open_source",
    "open_sources",
    "refusal",
]
