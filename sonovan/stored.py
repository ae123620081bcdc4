"""What is stored of frames: one of them, or the results and masks of a run that are read when they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frames import FrameSegmented
from sonovan.models.despeckle import despeckled as without_speckle
from sonovan.scratch import Scratch
from sonovan.storage import frames as stored
from sonovan.storage.stores import ObjectStore


def stored_frame(store: ObjectStore, result: FrameSegmented, *, despeckled: bool = False) -> stored.StoredFrame:
    """What a store has of the frame of a result: `.pixels()`, `.labels()`, `.mask()`.

    despeckled: with less speckle, (rows, columns) uint8, as `sonovan.models.despeckle.despeckled` gives them.
    For the eye: networks see frames as they are stored (docs/despeckle.md).
    """
    return stored.stored_frame(store, result, without_speckle if despeckled else None)


class StoredResults(Sequence[FrameSegmented]):
    """The results in a scratch file, in the order of their frames' ids; each is decoded when it is asked for.

    show: what becomes of a result before it is given out.
    """

    def __init__(self, scratch: Scratch, show: Callable[[FrameSegmented], FrameSegmented] = lambda each: each) -> None:
        self.scratch, self._show = scratch, show
        self._keys = scratch.keys("results")

    def shown(self, show: Callable[[FrameSegmented], FrameSegmented]) -> "StoredResults":
        """The same results, each as `show` gives it."""
        return StoredResults(self.scratch, show)

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, place: int) -> FrameSegmented: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[FrameSegmented, ...]: ...
    def __getitem__(self, place: int | slice) -> FrameSegmented | tuple[FrameSegmented, ...]:
        if isinstance(place, slice):
            return tuple(self._read(key) for key in self._keys[place])
        return self._read(self._keys[place])

    def _read(self, key: str) -> FrameSegmented:
        data = self.scratch.row("results", key)
        if data is None:
            raise KeyError(key)
        return self._show(FrameSegmented.decode(data))


class StoredMasks(Mapping[str, NDArray[np.uint8]]):
    """Label masks by frame id: (rows, columns) uint8, the region's ordinal + 1. Each is decoded when asked for."""

    def __init__(self, frames: Sequence[FrameSegmented], store: ObjectStore) -> None:
        """frames: whose masks lie in `store`; those without a region have none."""
        self._store, self._frames = store, frames
        self._places = {frame.frame_id: place for place, frame in enumerate(frames) if frame.mask_key is not None}

    def __getitem__(self, frame_id: str) -> NDArray[np.uint8]:
        return stored_frame(self._store, self._frames[self._places[frame_id]]).labels()

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
