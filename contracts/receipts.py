"""The centre's signature under what it answers a van, and which keys of the centre a van believes.

A van deletes what it holds on a receipt, so a receipt must be the centre's own word, whoever else may write into the
van's topic of answers. It is an Ed25519 signature (RFC 8032) over the answer's fields in a fixed order, so that an
older van, which drops the field, and an older centre, which has none, understand each other.
"""

import base64
import json
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sonovan.contracts.answers import Pointed, VanAnswered
from sonovan.contracts.signatures import public_key

_CONTEXT: Final = b"sonovan receipt v1\x00"
_SIGNED: Final = (
    "van_id", "kind", "screening_id", "item_id", "content_sha256", "reason", "retryable", "status", "revision_id",
    "revision_number", "findings", "next_key",
)  # fmt: skip
"""What the signature covers: every field but itself and the places, which came later and have a signature of their own:
a van that drops them still finds its receipt signed."""
_PLACES_CONTEXT: Final = b"sonovan places v1\x00"


def key_bytes(spelled: str) -> bytes:
    """The 32 bytes of a private key as settings spell it: 43 characters of URL-safe base64. Raises ValueError."""
    return base64.urlsafe_b64decode(spelled + "=")


def spelled_key(private_key: bytes) -> str:
    """A private key, 32 bytes, as settings spell it."""
    return base64.urlsafe_b64encode(private_key).decode().rstrip("=")


class ReceiptSigner:
    """Signs answers with the centre's key. Safe to call from several threads."""

    def __init__(self, private_key: bytes, next_key: bytes | None = None) -> None:
        """private_key, next_key: 32 raw bytes. next_key: takes over later; each answer announces its public half."""
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._next = None if next_key is None else public_key(next_key)

    def sign(self, answer: VanAnswered) -> VanAnswered:
        """The answer with the signature, and with the key that takes over where there is one."""
        announcing = answer.model_copy(update={"next_key": self._next})
        signed = {"signature": self._key.sign(_statement(announcing)).hex()}
        if announcing.pointed is None:
            return announcing.model_copy(update=signed)
        places = {"signature": self._key.sign(_places_statement(announcing, announcing.pointed)).hex()}
        return announcing.model_copy(update={**signed, "pointed": announcing.pointed.model_copy(update=places)})


def signer_of(answer: VanAnswered, public_keys: Iterable[str]) -> str | None:
    """Which of these keys (hex) signed the answer; None where it is unsigned, or none of them did."""
    if answer.signature is None:
        return None
    signature, statement = bytes.fromhex(answer.signature), _statement(answer)
    return next((key for key in public_keys if _made(key, signature, statement)), None)


def vouched_places(answer: VanAnswered, public_keys: Iterable[str]) -> Pointed | None:
    """The places of an answer, where one of these keys (hex) signed them with it; else None."""
    pointed = answer.pointed
    if pointed is None or pointed.signature is None:
        return None
    signature, statement = bytes.fromhex(pointed.signature), _places_statement(answer, pointed)
    return pointed if any(_made(key, signature, statement) for key in public_keys) else None


def _made(public_key_hex: str, signature: bytes, statement: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key_hex)).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _statement(answer: VanAnswered) -> bytes:
    fields = answer.model_dump(mode="json")
    return _CONTEXT + json.dumps([fields[name] for name in _SIGNED], ensure_ascii=False, separators=(",", ":")).encode()


def _places_statement(answer: VanAnswered, pointed: Pointed) -> bytes:
    places = pointed.model_dump(mode="json", exclude={"signature"})
    if pointed.amended is None:  # as a van or a centre signs and checks it that does not know this field
        del places["amended"]
    told = json.dumps(places, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return _PLACES_CONTEXT + _statement(answer) + told
