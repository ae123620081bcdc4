"""What the centre's signature under an answer covers, and what older vans and centres make of it."""

import json
from typing import Any

import pytest

from sonovan.contracts.answers import Pointed, PointedPlace, VanAnswered
from sonovan.contracts.description import Location
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.receipts import (
    ReceiptSigner,
    _places_statement,
    key_bytes,
    signer_of,
    spelled_key,
    vouched_places,
)
from sonovan.contracts.signatures import generate_key, public_key

KEY, NEXT = generate_key(), generate_key()
SCREENING = mint_id()
ANSWER = VanAnswered(
    van_id="van-1", kind="rejected", screening_id=SCREENING, item_id=f"{SCREENING}/opened", content_sha256="a" * 64,
    reason="van_unknown", retryable=True,
)  # fmt: skip

PLACE = PointedPlace(
    finding_id="e" * 64, organ="breast", laterality="left", location=Location(hour=10, nipple_distance_mm=35),
    key_frame_id=frame_id(SCREENING, 7), outline=((10, 20), (30.5, 20), (30.5, 40)),
)  # fmt: skip
REPORT = VanAnswered(
    van_id="van-1", kind="report", screening_id=SCREENING, item_id=f"{SCREENING}/report/{'a' * 64}",
    content_sha256="a" * 64, status="complete", revision_number=3, findings=1, pointed=Pointed(places=(PLACE,)),
)  # fmt: skip


def test_a_signed_answer_travels_and_names_its_signer() -> None:
    sent = VanAnswered.decode(ReceiptSigner(KEY, NEXT).sign(ANSWER).encode())
    assert signer_of(sent, [public_key(NEXT), public_key(KEY)]) == public_key(KEY)
    assert sent.next_key == public_key(NEXT)
    assert signer_of(sent, [public_key(NEXT)]) is None
    assert signer_of(ANSWER, [public_key(KEY)]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"van_id": "van-2"}, {"kind": "stored"}, {"screening_id": mint_id()}, {"item_id": f"{mint_id()}/opened"},
        {"content_sha256": "b" * 64}, {"reason": "other"}, {"retryable": False}, {"status": "complete"},
        {"revision_id": "c" * 64}, {"revision_number": 2}, {"findings": 0}, {"next_key": "d" * 64},
    ],
)  # fmt: skip
def test_no_field_can_be_changed_under_the_signature(change: dict[str, Any]) -> None:
    changed = ReceiptSigner(KEY).sign(ANSWER).model_copy(update=change)
    assert signer_of(changed, [public_key(KEY)]) is None


def test_every_field_but_the_signature_is_among_the_changes_above() -> None:
    assert len(VanAnswered.model_fields) == 12 + 1 + len(["pointed"]), "the places have a signature of their own"


def test_places_travel_under_a_signature_of_their_own_that_holds_them_to_their_answer() -> None:
    sent = VanAnswered.decode(ReceiptSigner(KEY, NEXT).sign(REPORT).encode())
    assert sent.pointed is not None
    assert sent.pointed.places == (PLACE,)
    assert vouched_places(sent, [public_key(NEXT), public_key(KEY)]) == sent.pointed
    assert vouched_places(sent, [public_key(NEXT)]) is None
    assert vouched_places(REPORT, [public_key(KEY)]) is None, "nobody signed them"
    for change in ({"places": ()}, {"more": 2}, {"places": (PLACE.model_copy(update={"laterality": "right"}),)}):
        other = sent.model_copy(update={"pointed": sent.pointed.model_copy(update=change)})
        assert vouched_places(other, [public_key(KEY)]) is None, change
    anothers = sent.model_copy(update={"screening_id": mint_id()})
    assert vouched_places(anothers, [public_key(KEY)]) is None, "they are of one screening alone"


def test_an_older_van_that_drops_the_places_finds_the_answer_signed() -> None:
    document = json.loads(ReceiptSigner(KEY).sign(REPORT).encode())
    del document["pointed"]
    document["schema"] = "van.answered/1.1"
    assert signer_of(VanAnswered.decode(json.dumps(document).encode()), [public_key(KEY)]) == public_key(KEY)


def test_an_older_van_reads_a_signed_answer_and_a_newer_one_an_unsigned_one() -> None:
    document = json.loads(ReceiptSigner(KEY).sign(ANSWER).encode())
    for name in ("signature", "next_key"):
        del document[name]
    document["schema"] = "van.answered/1.0"
    old = VanAnswered.decode(json.dumps(document).encode())
    assert old == ANSWER
    document["from_a_newer_minor"] = 1
    document["schema"] = "van.answered/1.3"
    assert VanAnswered.decode(json.dumps(document).encode()) == ANSWER


def test_a_key_is_spelled_in_43_signs() -> None:
    assert len(spelled_key(KEY)) == 43
    assert key_bytes(spelled_key(KEY)) == KEY


def test_places_without_an_amendment_are_signed_as_by_a_centre_that_does_not_know_of_them() -> None:
    assert REPORT.pointed is not None
    sent = ReceiptSigner(KEY).sign(REPORT)
    assert sent.pointed is not None
    after = REPORT.model_copy(update={"pointed": REPORT.pointed.model_copy(update={"amended": 2})})
    amended = ReceiptSigner(KEY).sign(after)
    assert amended.pointed is not None
    assert vouched_places(amended, [public_key(KEY)]) == amended.pointed
    fewer = amended.model_copy(update={"pointed": amended.pointed.model_copy(update={"amended": None})})
    assert vouched_places(fewer, [public_key(KEY)]) is None, "nobody takes the number away"
    assert b"amended" not in _places_statement(sent, sent.pointed)
    assert b"amended" in _places_statement(amended, amended.pointed)
