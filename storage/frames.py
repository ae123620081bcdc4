"""What is stored of a frame, found by its result: the pixels as they came and the label mask, both verified."""

import hashlib
import hmac
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import Pixels, decode_verified
from sonovan.contracts.frames import FrameSegmented
from sonovan.storage.keys import Bucket, mask_digest
from sonovan.storage.stores import ObjectStore


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """The objects of one result; each is fetched when it is asked for."""

    store: ObjectStore
    result: FrameSegmented

    def pixels(self) -> Pixels:
        """(rows, columns) or (rows, columns, 3) red, green, blue, uint8 or uint16: the frame as the van sent it.

        Raises KeyError where it is not stored, InvalidRecord `pixels_corrupt` where what is stored is not that frame,
        Transient and Fatal as ObjectStore.get.
        """
        result = self.result
        return decode_verified(
            self.store.get(Bucket.FRAMES, result.image_key),
            codec=result.codec,
            rows=result.rows,
            columns=result.columns,
            channels=result.channels,
            bits=result.bits,
            sha256=result.pixels_sha256,
        )

    def labels(self) -> NDArray[np.uint8]:
        """(rows, columns) uint8: a region's ordinal + 1, 0 for nothing; all 0 where the frame has no region.

        Raises as `pixels`.
        """
        if self.result.mask_key is None:
            return np.zeros((self.result.rows, self.result.columns), np.uint8)
        return stored_labels(self.store, self.result.mask_key)


def stored_frame(store: ObjectStore, result: FrameSegmented) -> StoredFrame:
    """What `store` has of the frame of a result: `.pixels()` and `.labels()`."""
    return StoredFrame(store, result)


def stored_labels(store: ObjectStore, mask_key: str) -> NDArray[np.uint8]:
    """The label mask (rows, columns) uint8 of this key. Raises as `StoredFrame.pixels`."""
    data = store.get(Bucket.MASKS, mask_key)
    digest = mask_digest(mask_key)
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest()[: len(digest)], digest):
        raise InvalidRecord("pixels_corrupt", "the stored mask is not the one of its key")
    return np.asarray(imagecodecs.png_decode(data), np.uint8)
