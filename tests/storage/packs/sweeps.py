"""A sweep's frames and masks as they lie alone in a store."""

from typing import Final

from sonovan.storage.keys import Bucket, image_key, mask_key, sweep_folder
from sonovan.storage.stores import ObjectStore
from tests.clinical.records import SWEEP, VAN, sha

FOLDER: Final = sweep_folder(VAN, SWEEP)
BYTES: Final = "application/octet-stream"

Objects = dict[tuple[Bucket, str], bytes]


def objects_of(frames: int, sequence_id: str = SWEEP) -> Objects:
    """Frames with a mask each; what a frame holds follows from its number."""
    made: Objects = {}
    for index in range(frames):
        made[Bucket.FRAMES, image_key(VAN, sequence_id, index, "jls")] = f"frame {index}".encode() * 50
        mask = f"mask {index}".encode()
        made[Bucket.MASKS, mask_key(VAN, sequence_id, index, "f" * 64, sha(f"{index}"))] = mask
    return made


def fill(store: ObjectStore, objects: Objects) -> Objects:
    """Put them, and give them back."""
    for (bucket, key), data in objects.items():
        store.put(bucket, key, data, BYTES)
    return objects


def read(store: ObjectStore, objects: Objects) -> Objects:
    """The same objects as the store has them now. Raises KeyError where one is gone."""
    return {(bucket, key): store.get(bucket, key) for bucket, key in objects}
