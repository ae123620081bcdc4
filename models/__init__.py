"""Pixels to masks: preprocessing, networks, the engine that runs them.

Belongs here: opencv, onnxruntime and openvino; torch belongs to the room `training/`. Imports no other room.

    segmenter = models.load()
    found = segmenter.segment(pixels, "breast")     # found.regions, found.labels, found.quality
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonovan.models.regions import FoundRegion as FoundRegion
    from sonovan.models.segmenter import Segmentation as Segmentation
    from sonovan.models.segmenter import Segmenter as Segmenter
    from sonovan.models.segmenter import load as load

__all__ = ["FoundRegion", "Segmentation", "Segmenter", "load"]


def __getattr__(name: str) -> Any:
    """Loads opencv and the runtimes with the first use, not with the import of this room."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sonovan.models import segmenter

    return getattr(segmenter, name)
