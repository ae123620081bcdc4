from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.digests import result_digest
from sonovan.contracts.envelope import seal
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import encode_pixels
from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import decode_mask
from sonovan.models.regions import FoundDescriptor
from sonovan.models.segmenter import Refusal, Segmentation
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.rejecting import Unusable
from sonovan.stream_apps.segment.step import LoadedNetwork, SegmentedFrame, put_objects, segment_envelope
from sonovan.stream_apps.vans import VanRegistry
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

VAN = TestVan()
ENVELOPE = VAN.frame(3)


def segmented(
    value: bytes, registry: VanRegistry | None = None, segmenter: LoadedNetwork | None = None, **options: Any
) -> SegmentedFrame:
    return segment_envelope(
        value,
        append_time=options.pop("append_time", NOW),
        registry=registry or VAN.registry(),
        segmenter=segmenter or ThresholdSegmenter(),
        **options,
    )


def rejected(value: bytes, **options: Any) -> Unusable:
    with pytest.raises(Unusable) as caught:
        segmented(value, **options)
    return caught.value


def test_a_signed_frame_becomes_a_result_its_objects_and_a_receipt() -> None:
    frame = segmented(ENVELOPE, key=VAN.sequence_id.encode())
    record = frame.record
    assert (record.frame_id, record.van_id) == (f"{VAN.sequence_id}/000003", VAN.van_id)
    assert record.regions[0].box == (44, 41, 39, 39)
    assert record.regions[0].measures.area_mm2 == pytest.approx(record.regions[0].area_px * 0.02, abs=0.01)
    image, mask = frame.objects
    assert (image.bucket, image.key, image.data) == (Bucket.FRAMES, record.image_key, encode_pixels(bright_disc(3)))
    assert (mask.bucket, mask.key) == (Bucket.MASKS, record.mask_key)
    assert (record.weights_sha256, record.fingerprint) == ("ab" * 32, "cd" * 32)
    assert f"/{'cd' * 8}-" in mask.key
    assert np.array_equal(decode_mask(mask.data) == 1, bright_disc(3) > 200)
    assert (frame.receipt.kind, frame.receipt.item_id) == ("stored", record.frame_id)
    assert frame.receipt.content_sha256 == record.pixels_sha256


def test_what_quality_watches_goes_with_a_result_the_scanner_and_how_bright_its_frame_is() -> None:
    pixels = bright_disc(3)
    plain = segmented(ENVELOPE).record
    assert (plain.manufacturer, plain.scanner_model) == (None, None)
    assert plain.brightness == np.percentile(pixels[::4, ::4][pixels[::4, ::4] >= 8], 95, method="inverted_cdf")
    header = VAN.header(pixels, 3, manufacturer="mindray", model="DC-70")
    named = segmented(seal(header, VAN.private_key, encode_pixels(pixels))).record
    assert (named.manufacturer, named.scanner_model) == ("mindray", "DC-70")
    assert result_digest(named) == result_digest(plain)


def test_numbers_are_rounded_where_they_arise() -> None:
    region = segmented(ENVELOPE).record.regions[0]
    assert (region.polygon[0][0], region.score_mean, region.score_max) == (44.1, 0.912, 0.988)
    assert segmented(ENVELOPE).record.quality == 0.543


class _Describing(ThresholdSegmenter):
    reliable = True

    def segment(self, *arguments: Any, **options: Any) -> Segmentation:
        found = super().segment(*arguments, **options)
        look = (FoundDescriptor("margin", "circumscribed", 0.81234), FoundDescriptor("halo", None, 0.51))
        regions = tuple(
            replace(each, quality=0.87654, reliable=self.reliable, malignant=0.12345, descriptors=look)
            for each in found.regions
        )
        return replace(found, regions=regions)


class _Doubting(_Describing):
    reliable = False


def test_off_an_unreliable_outline_nothing_is_said_to_anybody_downstream() -> None:
    region = segmented(ENVELOPE, segmenter=_Doubting()).record.regions[0]
    assert (region.outline_unreliable, region.malignant, region.descriptors) == (True, None, ())
    assert (region.predicted_dice, region.score_mean) == (0.877, 0.912)


def test_what_a_region_looks_like_goes_with_it() -> None:
    region = segmented(ENVELOPE, segmenter=_Describing()).record.regions[0]
    assert (region.predicted_dice, region.outline_unreliable, region.malignant) == (0.877, False, 0.123)
    assert [(each.name, each.value, each.probability) for each in region.descriptors] == [
        ("margin", "circumscribed", 0.812),
        ("halo", None, 0.51),
    ]


class _Refusing(ThresholdSegmenter):
    def segment(self, *arguments: Any, **options: Any) -> Segmentation:
        return replace(super().segment(*arguments, **options), refusals=(Refusal(1, "not_breast_ultrasound"),))


def test_a_panel_that_was_refused_beside_an_accepted_one_goes_with_the_result() -> None:
    record = segmented(ENVELOPE, segmenter=_Refusing()).record
    assert record.assessable
    assert [(each.panel, each.reason) for each in record.refusals] == [(1, "not_breast_ultrasound")]


def test_without_a_prediction_there_is_none_and_the_outline_is_not_relied_on() -> None:
    region = segmented(ENVELOPE).record.regions[0]
    assert (region.predicted_dice, region.outline_unreliable) == (None, True)


def test_the_same_frame_again_says_the_same() -> None:
    first, second = segmented(ENVELOPE), segmented(VAN.frame(3))
    assert result_digest(first.record) == result_digest(second.record)
    assert first.objects == second.objects


def test_a_frame_without_regions_is_a_result_and_stores_no_mask() -> None:
    frame = segmented(VAN.frame(0, np.tile(np.arange(60, dtype=np.uint8), (50, 1))))
    assert (frame.record.regions, frame.record.mask_key, frame.record.assessable) == ((), None, True)
    assert [item.bucket for item in frame.objects] == [Bucket.FRAMES]


def test_a_frame_that_cannot_be_assessed_is_a_result() -> None:
    record = segmented(VAN.frame(0, np.zeros((50, 60), np.uint8))).record
    assert (record.assessable, record.not_assessable_reason) == (False, "blank")


@given(place=st.integers(0, len(ENVELOPE) - 1), flip=st.integers(1, 255))
def test_an_altered_envelope_never_gives_a_result(place: int, flip: int) -> None:
    altered = bytearray(ENVELOPE)
    altered[place] ^= flip
    with pytest.raises(InvalidRecord):
        segmented(bytes(altered))


@given(length=st.integers(0, len(ENVELOPE) - 1))
def test_a_truncated_envelope_never_gives_a_result(length: int) -> None:
    with pytest.raises(InvalidRecord):
        segmented(ENVELOPE[:length])


@given(st.binary(max_size=200))
def test_noise_is_rejected_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(InvalidRecord):
        segmented(noise)


def test_a_van_that_is_not_enrolled_may_be_known_later() -> None:
    error = rejected(ENVELOPE, registry=VanRegistry())
    assert (error.reason, error.subject.van_id, error.subject.verified) == ("van_unknown", VAN.van_id, False)


def test_another_vans_signature_is_refused_and_proves_nothing() -> None:
    forged = TestVan(van_id=VAN.van_id, screening_id=VAN.screening_id, sequence_id=VAN.sequence_id).frame(3)
    error = rejected(forged)
    assert (error.reason, error.subject.verified) == ("signature_invalid", False)


def test_a_revoked_van_is_judged_by_when_its_frame_arrived() -> None:
    registry = VanRegistry()
    registry.learn(VAN.enrolled(revoked_at=NOW))
    assert segmented(ENVELOPE, registry=registry, append_time=NOW - timedelta(milliseconds=1)).record
    assert rejected(ENVELOPE, registry=registry, append_time=NOW).reason == "van_revoked"


def test_pixels_that_are_not_those_that_were_signed_are_rejected_as_verified() -> None:
    header = VAN.header(bright_disc(1), 1)
    error = rejected(seal(header, VAN.private_key, encode_pixels(bright_disc(2))))
    assert (error.reason, error.subject.verified) == ("pixels_corrupt", True)
    assert error.subject.frame_id == header.frame_id
    assert error.subject.content_sha256 == header.pixels_sha256


def test_a_header_from_a_newer_schema_can_still_be_answered() -> None:
    document = msgpack.unpackb(ENVELOPE)
    newer = document["header"].replace(b'"schema":"frame.captured/1.0"', b'"schema":"frame.captured/2.0"')

    class Newer:
        def encode(self) -> bytes:
            return bytes(newer)

    error = rejected(seal(Newer(), VAN.private_key, document["payload"]))  # type: ignore[arg-type]  # only encode is used
    assert (error.reason, error.subject.verified) == ("schema_from_future", True)
    assert error.subject.item_id == f"{VAN.sequence_id}/000003"


def test_the_messages_key_must_be_the_sequence() -> None:
    assert rejected(ENVELOPE, key=b"another").reason == "key_contradicts_record"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("too_large", "pixels_too_large"), ("organ_unknown", "record_invalid"), ("shape", "record_invalid")],
)
def test_what_the_models_cannot_take_is_rejected(theirs: str, ours: str) -> None:
    class Picky(ThresholdSegmenter):
        def segment(self, *_: object) -> Segmentation:
            raise UnusablePicture(theirs, "no")

    error = rejected(ENVELOPE, segmenter=Picky())
    assert (error.reason, error.subject.verified) == (ours, True)


def test_other_bytes_for_a_stored_frame_contradict_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    first = segmented(ENVELOPE)
    put_objects(store, first)
    put_objects(store, first)
    second = segmented(VAN.frame(3, bright_disc(4)))
    with pytest.raises(Unusable) as caught:
        put_objects(store, second)
    assert caught.value.reason == "frame_contradicts_stored"
    assert caught.value.subject == second.subject
    assert caught.value.subject.verified
    assert store.get(Bucket.FRAMES, first.record.image_key) == first.objects[0].data


def test_a_mask_that_contradicts_is_not_the_frames_fault(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    frame = segmented(ENVELOPE)
    store.put(frame.objects[1].bucket, frame.objects[1].key, b"other", "image/png")
    with pytest.raises(Unusable) as caught:
        put_objects(store, replace(frame))
    assert caught.value.reason == "object_contradicts_stored"
