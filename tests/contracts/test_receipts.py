"""What the centre's signature under an answer covers, and what older vans and centres make of it."""

import json
from typing import Any

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.ids import mint_id
from sonovan.contracts.receipts import ReceiptSigner, key_bytes, signer_of, spelled_key
from sonovan.contracts.signatures import generate_key, public_key

KEY, NEXT = generate_key(), generate_key()
SCREENING = mint_id()
ANSWER = VanAnswered(
    van_id="van-1", kind="rejected", screening_id=SCREENING, item_id=f"{SCREENING}/opened", content_sha256="a" * 64,
    reason="van_unknown", retryable=True,
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
    assert len(VanAnswered.model_fields) == 12 + 1


def test_an_older_van_reads_a_signed_answer_and_a_newer_one_an_unsigned_one() -> None:
    document = json.loads(ReceiptSigner(KEY).sign(ANSWER).encode())
    for name in ("signature", "next_key"):
        del document[name]
    document["schema"] = "van.answered/1.0"
    old = VanAnswered.decode(json.dumps(document).encode())
    assert old == ANSWER
    document["from_a_newer_minor"] = 1
    document["schema"] = "van.answered/1.2"
    assert VanAnswered.decode(json.dumps(document).encode()) == ANSWER


def test_a_key_is_spelled_in_43_signs() -> None:
    assert len(spelled_key(KEY)) == 43
    assert key_bytes(spelled_key(KEY)) == KEY
