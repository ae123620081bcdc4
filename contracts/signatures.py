"""Ed25519 signatures of a van's records. Source: RFC 8032; the keys are raw 32 bytes, spelled in hex."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_CONTEXT: Final = b"sonovan record v1\x00"


def generate_key() -> bytes:
    """A new private key, 32 raw bytes. Keep it in a file that only its owner may read."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_key(private_key: bytes) -> str:
    """The public half of a private key, in hex."""
    key = Ed25519PrivateKey.from_private_bytes(private_key).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def sign(private_key: bytes, header: bytes, payload_sha256: bytes) -> bytes:
    """The 64-byte signature over the exact header bytes and the payload's sha256 (32 bytes)."""
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(_CONTEXT + payload_sha256 + header)


def verifies(public_key_hex: str, signature: bytes, header: bytes, payload_sha256: bytes) -> bool:
    """Whether this key made the signature over these header bytes and this sha256 of the payload."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key_hex))
        key.verify(signature, _CONTEXT + payload_sha256 + header)
    except (InvalidSignature, ValueError):
        return False
    return True
