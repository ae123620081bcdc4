"""Pixels to masks: preprocessing, networks, the engine that runs them.

Belongs here: opencv, onnxruntime and openvino; torch in `models/training/` only. Imports no other room.

    segmenter = models.load()
    found = segmenter.segment(pixels, "breast")     # found.regions, found.labels, found.quality
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.regions import FoundRegion as FoundRegion
    from models.segmenter import Segmentation as Segmentation
    from models.segmenter import Segmenter as Segmenter
    from models.segmenter import load as load

__all__ = ["FoundRegion", "Segmentation", "Segmenter", "load"]


def __getattr__(name: str) -> Any:
    """Loads opencv and the runtimes with the first use, not with the import of this room."""
    if name not in __all__:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    from models import segmenter

    return getattr(segmenter, name)
