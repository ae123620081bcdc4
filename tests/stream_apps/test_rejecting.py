import hashlib

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.reasons import FINAL, RETRYABLE
from sonovan.storage.keys import Bucket, quarantine_key
from sonovan.stream_apps.rejecting import Coordinates, Subject, Unusable, message_key, reject
from tests.stream_apps.segment.frames import NOW

AT = Coordinates("frame.captured.v1", 3, 17, NOW)
FRAME = f"{mint_id()}/000004"
SUBJECT = Subject("van-a", mint_id(), FRAME, FRAME, "ab" * 32, verified=True)


def test_the_same_message_is_rejected_in_the_same_words() -> None:
    error = Unusable(InvalidRecord("pixels_corrupt", "broken"), SUBJECT)
    assert reject("segment", error, AT, b"bytes") == reject("segment", error, AT, b"bytes")
    assert (
        reject("assess", error, AT, b"bytes").record.rejection_id
        != reject("segment", error, AT, b"bytes").record.rejection_id
    )


def test_the_bytes_go_to_quarantine_as_they_came() -> None:
    rejection = reject("segment", InvalidRecord("envelope_corrupt", "broken"), AT, b"bytes")
    assert rejection.quarantine.bucket is Bucket.QUARANTINE
    assert rejection.quarantine.data == b"bytes"
    assert (
        rejection.record.quarantine_key == quarantine_key(rejection.record.content_sha256) == rejection.quarantine.key
    )


def test_a_message_without_a_value_is_rejected_like_any_other() -> None:
    rejection = reject("segment", InvalidRecord("envelope_corrupt", "nothing"), AT, None)
    assert rejection.quarantine.data == b""
    assert rejection.record.content_sha256 == hashlib.sha256(b"").hexdigest()


def test_a_record_of_which_nothing_is_known_has_no_receipt_and_is_keyed_by_its_rejection() -> None:
    rejection = reject("segment", InvalidRecord("envelope_corrupt", "broken"), AT, b"bytes")
    assert rejection.receipt is None
    assert not rejection.record.verified
    assert message_key(rejection.record) == rejection.record.rejection_id


def test_a_known_record_is_answered_and_meets_its_screening() -> None:
    rejection = reject("segment", Unusable(InvalidRecord("van_unknown", "who"), SUBJECT), AT, b"bytes")
    assert rejection.receipt is not None
    assert (rejection.receipt.kind, rejection.receipt.item_id, rejection.receipt.retryable) == (
        "rejected",
        FRAME,
        True,
    )
    assert rejection.record.verified
    assert message_key(rejection.record) == SUBJECT.screening_id


def test_the_message_for_people_stays_out_of_the_record() -> None:
    text = "Mrs Somebody's frame"
    rejection = reject("segment", InvalidRecord("record_invalid", text), AT, b"bytes")
    assert text.encode() not in rejection.record.encode()


def test_only_what_may_change_is_retryable() -> None:
    for reason in RETRYABLE | FINAL:
        assert reject("segment", InvalidRecord(reason, ""), AT, b"").record.retryable == (reason in RETRYABLE)
