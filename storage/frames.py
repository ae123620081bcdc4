"""What is stored of a frame, found by its result: the pixels as they came and the label mask, both verified."""

from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frame_codec import Pixels, decode_verified
from sonovan.contracts.frames import FrameSegmented
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """The objects of one result; each is fetched when it is asked for.

    treated: what becomes of the pixels before they are given out; None leaves them as the van sent them.
    """

    store: ObjectStore
    result: FrameSegmented
    treated: Callable[[Pixels], Pixels] | None = None

    def pixels(self) -> Pixels:
        """(rows, columns) or (rows, columns, 3) red, green, blue, uint8 or uint16: the frame as the van sent it, or as
        `treated` makes it.

        Raises KeyError where it is not stored, InvalidRecord `object_contradicts_record` where what is stored is not
        what the result names, Transient and Fatal as ObjectStore.get.
        """
        result = self.result
        pixels = decode_verified(
            get_named(self.store, Bucket.FRAMES, result.image_key, result.image_sha256),
            codec=result.codec,
            rows=result.rows,
            columns=result.columns,
            channels=result.channels,
            bits=result.bits,
            sha256=result.pixels_sha256,
        )
        return pixels if self.treated is None else self.treated(pixels)

    def labels(self) -> NDArray[np.uint8]:
        """(rows, columns) uint8: a region's ordinal + 1, 0 for nothing; all 0 where the frame has no region.

        Raises as `pixels`.
        """
        mask = self.mask()
        if mask is None:
            return np.zeros((self.result.rows, self.result.columns), np.uint8)
        return np.asarray(imagecodecs.png_decode(mask), np.uint8)

    def mask(self) -> bytes | None:
        """The label mask as it is stored, an 8-bit grey PNG; None where the frame has no region. Raises as `pixels`."""
        result = self.result
        if result.mask_key is None or result.mask_sha256 is None:
            return None
        return get_named(self.store, Bucket.MASKS, result.mask_key, result.mask_sha256)


def stored_frame(
    store: ObjectStore, result: FrameSegmented, treated: Callable[[Pixels], Pixels] | None = None
) -> StoredFrame:
    """What `store` has of the frame of a result: `.pixels()`, `.labels()`, `.mask()`.

    treated: see `StoredFrame`; the pixels are verified as they are stored before it sees them.
    """
    return StoredFrame(store, result, treated)
