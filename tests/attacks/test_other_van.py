"""A van that knows the ids of another van's sweep, and sends frames of its own under them first."""

import numpy as np
import pytest

from sonovan.storage.frames import stored_frame
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.segment.step import SegmentedFrame, put_objects, segment_envelope
from sonovan.stream_apps.vans import VanRegistry
from tests.attacks.conftest import ObjectStoreAlone
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

pytestmark = pytest.mark.services


def taken_in(store: MinioStore, envelope: bytes, registry: VanRegistry) -> SegmentedFrame:
    """A frame's message through `segment`: verified, segmented, stored."""
    frame = segment_envelope(envelope, append_time=NOW, registry=registry, segmenter=ThresholdSegmenter())
    put_objects(store, frame)
    return frame


def test_who_knows_a_sequence_id_and_stores_first_takes_no_frame_from_its_owner(object_store: ObjectStoreAlone) -> None:
    owner = TestVan("van-a")
    thief = TestVan("van-b", screening_id=owner.screening_id, sequence_id=owner.sequence_id)
    registry = VanRegistry()
    for van in (owner, thief):
        registry.learn(van.enrolled())
    store = MinioStore(object_store.accounts["segment"])
    forged = taken_in(store, thief.frame(0, bright_disc(20)), registry)
    accepted = taken_in(store, owner.frame(0, bright_disc(0)), registry)
    assert (forged.receipt.kind, accepted.receipt.kind) == ("stored", "stored")
    assert np.array_equal(stored_frame(store, accepted.record).pixels(), bright_disc(0))
    assert np.array_equal(stored_frame(store, forged.record).pixels(), bright_disc(20))
