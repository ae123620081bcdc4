"""What the van can read: DICOM files, clips, pictures and folders of them, each as a `Source` of frames."""

from producers.sources.inputs import Inputs, open_source, open_sources
from producers.sources.reasons import SOURCE_REASONS, refusal
from producers.sources.source import Box, CapturedFrame, CaptureOptions, LostFrame, Pixels, Source, capture_options

__all__ = [
    "SOURCE_REASONS",
    "Box",
    "CaptureOptions",
    "CapturedFrame",
    "Inputs",
    "LostFrame",
    "Pixels",
    "Source",
    "capture_options",
    "open_source",
    "open_sources",
    "refusal",
]
