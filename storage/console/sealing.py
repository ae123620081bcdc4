"""Secrets that must be read again (those of second factors) are sealed by a key that does not lie in the database."""

import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sonovan.contracts.errors import Fatal, Transient

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Seal:
    """The key in one file of mode 0600, made when it is first needed. Whoever has the database alone reads nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def close(self, secret: bytes, about: str) -> bytes:
        """AES-256-GCM of a secret that is good for `about` (an account) alone. Raises Transient, Fatal."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key()).encrypt(nonce, secret, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The secret. Raises Fatal where another key, or for another account, closed it, or it was changed."""
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            raise Fatal(f"what was sealed for {about} does not open by {self._file}") from None

    def hashed(self, code: str, about: str) -> str:
        """HMAC-SHA256 of a short code, so that the database alone does not let anybody try all codes."""
        return hmac.new(self._key(), f"{about}:{code}".encode(), sha256).hexdigest()

    def _key(self) -> bytes:
        try:
            if not self._file.exists():
                self._make()
            key = self._file.read_bytes()
        except OSError as error:
            raise Transient(f"cannot read {self._file}: {error.strerror}") from error
        if len(key) != KEY_BYTES:
            raise Fatal(f"{self._file} is damaged: restore it, or give everybody another second factor")
        return key

    def _make(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(os.urandom(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(beside, self._file)  # never over one that another process has made meanwhile
        except FileExistsError:
            return
        finally:
            beside.unlink()
