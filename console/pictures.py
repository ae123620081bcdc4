"""What is stored of a frame, fetched for whoever reads it.

What is read is checked twice: the object by the sha256 in its record, the pixels by their own. The console fetches it
itself; no browser is given an address of the object store.
"""

import numpy as np

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import Pixels, decode_verified
from sonovan.models.masks import decode_mask
from sonovan.models.runs import Labels, Runs, runs_of
from sonovan.storage.catalogue.cine import StoredPicture
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named


def pixels_of(store: ObjectStore, picture: StoredPicture) -> Pixels:
    """The frame as the van sent it.

    Raises KeyError where it is not stored, InvalidRecord `object_contradicts_record` or `pixels_corrupt` where what is
    stored is not that frame, `address_unknown` for a row of an earlier catalogue, Transient and Fatal as the store.
    """
    if picture.channels is None or picture.bits is None:
        told = f"{picture.frame_id}: the catalogue is of an earlier version; make it again: sonovan catalog rebuild"
        raise InvalidRecord("address_unknown", told)
    return decode_verified(
        get_named(store, Bucket.FRAMES, picture.image_key, picture.image_sha256),
        codec=picture.codec,
        rows=picture.rows,
        columns=picture.columns,
        channels=picture.channels,
        bits=picture.bits,
        sha256=picture.pixels_sha256,
    )


def machine_labels(store: ObjectStore, key: str | None, sha256: str | None) -> Labels | None:
    """A network's or a reader's mask, by its record's key and sha256; None where nothing was outlined. Raises as
    `pixels_of`, and UnusablePicture for what is no mask."""
    return None if key is None or sha256 is None else decode_mask(get_named(store, Bucket.MASKS, key, sha256))


def machine_runs(store: ObjectStore, picture: StoredPicture) -> Runs:
    """What the machine outlined on a frame, as runs; none where it outlined nothing. Raises as `pixels_of`, and
    InvalidRecord `object_contradicts_record` for a mask of another size."""
    labels = machine_labels(store, picture.mask_key, picture.mask_sha256)
    if labels is None:
        return np.zeros((0, 4), np.uint16)
    if labels.shape != (picture.rows, picture.columns):
        raise InvalidRecord("object_contradicts_record", f"the mask of {picture.frame_id} has another size than it")
    return runs_of(labels)
