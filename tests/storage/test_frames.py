"""What is stored of a frame: pixels and label mask come back, and nothing else passes for them."""

from pathlib import Path

import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

VAN = TestVan()


def kept(store: FolderStore, index: int = 3) -> FrameSegmented:
    """Segment a frame and store its objects."""
    frame = segment_envelope(VAN.frame(index), append_time=NOW, registry=VAN.registry(), segmenter=ThresholdSegmenter())
    put_objects(store, frame)
    return frame.record


def overwritten(store: FolderStore, bucket: Bucket, key: str, data: bytes) -> None:
    store.path(bucket, key).write_bytes(data)


def test_pixels_and_labels_are_those_that_were_stored(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    found = stored_frame(store, kept(store))
    assert np.array_equal(found.pixels(), bright_disc(3))
    assert np.array_equal(found.labels(), (bright_disc(3) > 200).astype(np.uint8))


def test_a_frame_without_a_region_has_an_empty_mask(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record = kept(store).model_copy(update={"regions": (), "mask_key": None, "mask_sha256": None})
    labels = stored_frame(store, record).labels()
    assert (labels.shape, labels.any()) == ((record.rows, record.columns), np.False_)


def test_what_is_gone_is_a_key_error(tmp_path: Path) -> None:
    record = kept(FolderStore(tmp_path / "one"))
    found = stored_frame(FolderStore(tmp_path / "other"), record)
    with pytest.raises(KeyError):
        found.pixels()
    with pytest.raises(KeyError):
        found.labels()


def test_other_bytes_under_the_same_names_are_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record, other = kept(store), kept(store, 4)
    assert record.mask_key is not None
    assert other.mask_key is not None
    overwritten(store, Bucket.FRAMES, record.image_key, store.get(Bucket.FRAMES, other.image_key))
    overwritten(store, Bucket.MASKS, record.mask_key, b"no mask")
    found = stored_frame(store, record)
    for read in (found.pixels, found.labels, found.mask):
        with pytest.raises(InvalidRecord) as caught:
            read()
        assert caught.value.reason == "object_contradicts_record"


def test_a_treated_frame_is_verified_first_and_its_mask_stays(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record, other = kept(store), kept(store, 4)
    found = stored_frame(store, record, lambda pixels: pixels // 2)
    assert np.array_equal(found.pixels(), bright_disc(3) // 2)
    assert np.array_equal(found.labels(), (bright_disc(3) > 200).astype(np.uint8))
    overwritten(store, Bucket.FRAMES, record.image_key, store.get(Bucket.FRAMES, other.image_key))
    with pytest.raises(InvalidRecord):
        found.pixels()
