"""Objects that were replaced behind the records, with the account of a worker that was taken over."""

from collections.abc import Callable
from io import BytesIO

import pytest
from minio import Minio

from sonovan.contracts.errors import InvalidRecord
from sonovan.outputs import report_of
from sonovan.storage.frames import StoredFrame, stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.assess.report import key_pictures, store_report
from sonovan.stream_apps.assess.revise import Revision
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from tests.attacks.conftest import ObjectStoreAlone
from tests.clinical.records import assessed, finding
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

pytestmark = pytest.mark.services


def overwrite(taken_over: ObjectStoreSettings, bucket: Bucket, key: str | None, data: bytes) -> None:
    """Put without a condition, as MinIO lets every account that may put."""
    secret = taken_over.secret_key.get_secret_value()
    client = Minio(taken_over.endpoint, taken_over.access_key, secret, secure=False, region="us-east-1")
    client.put_object(bucket, str(key), BytesIO(data), len(data))


def refused(read: Callable[[], object]) -> bool:
    with pytest.raises(InvalidRecord) as caught:
        read()
    return caught.value.reason == "object_contradicts_record"


def result(store: MinioStore, van: TestVan, index: int) -> StoredFrame:
    envelope = van.frame(index, bright_disc(index))
    frame = segment_envelope(envelope, append_time=NOW, registry=van.registry(), segmenter=ThresholdSegmenter())
    put_objects(store, frame)
    return stored_frame(store, frame.record)


def test_an_image_or_a_mask_that_was_replaced_is_named_and_not_shown(object_store: ObjectStoreAlone) -> None:
    taken_over, van = object_store.accounts["segment"], TestVan()
    store = MinioStore(taken_over)
    found, other = result(store, van, 0), result(store, van, 9)
    image, mask = (store.get(Bucket.FRAMES, other.result.image_key), other.mask())
    assert mask is not None
    overwrite(taken_over, Bucket.FRAMES, found.result.image_key, image)
    overwrite(taken_over, Bucket.MASKS, found.result.mask_key, mask)
    assert all(refused(read) for read in (found.pixels, found.labels, found.mask))


def test_a_report_draws_no_picture_of_an_image_that_was_replaced(object_store: ObjectStoreAlone) -> None:
    taken_over, van = object_store.accounts["segment"], TestVan()
    store = MinioStore(taken_over)
    found, other = result(store, van, 0), result(store, van, 9)
    member = {"frame_id": found.result.frame_id, "ordinal": 0}
    named = {"sequence_id": van.sequence_id, "key_frame_id": found.result.frame_id, "members": (member,)}
    revision = assessed(screening_id=van.screening_id, findings=(finding(1, 1, **named),))
    results = {found.result.frame_id: found.result}
    reader = MinioStore(object_store.accounts["assess"])
    assert len(key_pictures(revision, results, reader)) == 1
    overwrite(taken_over, Bucket.FRAMES, found.result.image_key, store.get(Bucket.FRAMES, other.result.image_key))
    assert key_pictures(revision, results, reader) == {}


@pytest.mark.parametrize("part", ["html", "json"])
def test_a_report_that_was_replaced_is_named_and_not_shown(object_store: ObjectStoreAlone, part: str) -> None:
    taken_over = object_store.accounts["assess"]
    unlike = "1" if part == "html" else "2"
    revision = Revision(assessed(revision_id=unlike * 64), {})
    named = store_report(revision, MinioStore(taken_over), "research")
    reader = MinioStore(object_store.accounts["reader"])
    assert all(report_of(named, reader))
    key = named.report_html_key if part == "html" else named.report_json_key
    overwrite(taken_over, Bucket.REPORTS, key, b"nothing was found")
    assert refused(lambda: report_of(named, reader))
