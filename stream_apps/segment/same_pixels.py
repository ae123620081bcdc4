"""Frames of one sweep that are the same to the bit: the network is run for one of them.

A scanner whose picture is frozen, or that sends each picture twice, makes frames without anything new in them. They are
results like any other, each with its own image, mask and place in the sweep; only what the network makes of the pixels
is taken from the frame before. The same pixels give the same bits on one network and provider, so nothing depends on
which of them comes first, or comes again: `repeats` tells whose result a frame took, and is part of no digest.
"""

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from sonovan.contracts.limits import MIB
from sonovan.contracts.van import FrameCaptured
from sonovan.models.segmenter import Segmentation

ROOM_BYTES: Final = 32 * MIB

Key = tuple[object, ...]


class SamePixels:
    """What was found in the newest frames of each sweep, by their pixels. May be used from several threads at once."""

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        """room_bytes: of pictures and masks that are kept; what was not asked for longest goes first."""
        self._room, self._held = room_bytes, 0
        self._known: OrderedDict[Key, tuple[int, Segmentation]] = OrderedDict()
        self._turn = threading.Lock()

    def found(self, frame: FrameCaptured, network: Key) -> tuple[int, Segmentation] | None:
        """The index of a frame of the same sequence with the same pixels, and what was found in it; None without one.

        network: what must be the same beside the frame, such as its fingerprint and provider.
        """
        key = _key(frame, network)
        with self._turn:
            known = self._known.get(key)
            if known is None:
                return None
            self._known.move_to_end(key)
        return known[0], replace(known[1], timings_ms={})

    def keep(self, frame: FrameCaptured, network: Key, found: Segmentation) -> None:
        """Keep what was found; the first frame that was kept of the same pixels stays."""
        key = _key(frame, network)
        with self._turn:
            if key in self._known:
                return
            self._known[key] = (frame.frame_index, found)
            self._held += _nbytes(found)
            while self._held > self._room:
                _, (_, gone) = self._known.popitem(last=False)
                self._held -= _nbytes(gone)


def _key(frame: FrameCaptured, network: Key) -> Key:
    """All that `segment` is given, by what names it: a hash of the pixels says nothing of their shape."""
    shape = (frame.rows, frame.columns, frame.channels, frame.bits)
    return (frame.sequence_id, frame.pixels_sha256, shape, frame.organ, frame.panels, *network)


def _nbytes(found: Segmentation) -> int:
    return found.grey.nbytes + found.labels.nbytes + sum(each.mask.nbytes for each in found.regions)
