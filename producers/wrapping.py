"""A key of 32 bytes, encrypted so that a passphrase opens it: the vault's own key, and the site's secret under way.

scrypt makes a key of the passphrase, AES-256-GCM encrypts with it, bound to what the key is for.

Sources: RFC 7914 (scrypt; N = 2^17, r = 8 as OWASP's password storage sheet has it), NIST SP 800-38D (GCM).
"""

import os
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field, ValidationError

from sonovan.contracts.record import Part

SCRYPT_N: Final = 2**17
KEY_BYTES: Final = 32

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class _Wrapped(Part):
    """What the file holds; hex. n: scrypt's cost, at most what 1 GiB of memory serves."""

    version: Literal[1]
    kdf: Literal["scrypt"]
    n: int = Field(ge=2**10, le=2**20)
    r: Literal[8]
    p: Literal[1]
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    sealed_key: str = Field(pattern=r"^[0-9a-f]{122}$")


def wrap(key: bytes, passphrase: str, about: bytes, n: int = SCRYPT_N) -> str:
    """The text of a file from which `unwrap` gives the key again. key: 32 bytes. n: scrypt's cost, a power of two."""
    salt, nonce = os.urandom(16), os.urandom(_NONCE_BYTES)
    sealed = _VERSION + nonce + AESGCM(_stretched(passphrase, salt, n)).encrypt(nonce, key, about)
    held = _Wrapped(version=1, kdf="scrypt", n=n, r=8, p=1, salt=salt.hex(), sealed_key=sealed.hex())
    return held.model_dump_json(indent=1)


def unwrap(text: str, passphrase: str, about: bytes) -> bytes | None:
    """The key, or None where this passphrase does not open it. Raises ValueError for a text that is damaged."""
    try:
        held = _Wrapped.model_validate_json(text)
    except ValidationError:
        raise ValueError("damaged") from None
    sealed = bytes.fromhex(held.sealed_key)
    key = _stretched(passphrase, bytes.fromhex(held.salt), held.n)
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], about)
    except InvalidTag:
        return None


def _stretched(passphrase: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=8, p=1).derive(passphrase.encode())
