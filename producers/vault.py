"""The van's vault: one key, which a passphrase opens, for all that lies on the laptop's disk.

`vault.json` in the van's folder holds a random data key, encrypted under a key that scrypt derives from the
passphrase. The passphrase is written nowhere. Items of the spool, personal columns of its database, the van's signing
key and its account of Kafka are encrypted with keys that follow from the data key, one for each use, by AES-256-GCM:
what was changed, cut short or put in another's place is refused, never read.

Whoever forgets the passphrase has lost what the van holds and the centre has not stored yet; nothing else opens it.

Sources: `producers/wrapping.py` (scrypt), NIST SP 800-38D (GCM, random nonces of 96 bits, far below 2^32 messages for
a key), RFC 5869 (HKDF).
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.producers.private_files import write_private
from sonovan.producers.wrapping import KEY_BYTES, SCRYPT_N, unwrap, wrap

VAULT_FILE: Final = "vault.json"
SHORTEST_PASSPHRASE: Final = 12

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_WRAPPING: Final = b"sonovan vault v1"


class Vault:
    """The opened vault of one folder. Two vaults of one folder open each other's bytes."""

    def __init__(self, folder: Path, data_key: bytes) -> None:
        """data_key: 32 bytes. `create`, `unlock` and `unlocked` make vaults; tests may give a key of their own."""
        self.folder = folder
        self._bodies = AESGCM(_derived(data_key, b"bodies"))
        self._mac_key = _derived(data_key, b"names")

    @classmethod
    def create(cls, folder: Path, passphrase: str, *, n: int = SCRYPT_N) -> Self:
        """A new vault in a folder that has none. n: scrypt's cost, a power of two.

        Raises InvalidRecord `option_invalid` for a passphrase that is too short, Fatal where there is a vault already,
        Transient where the file cannot be written.
        """
        if vault_exists(folder):
            raise Fatal(f"{folder / VAULT_FILE} exists; a new vault would close all that lies under it for ever")
        data_key = os.urandom(KEY_BYTES)
        _write(folder, data_key, passphrase, n)
        return cls(folder, data_key)

    @classmethod
    def unlock(cls, folder: Path, passphrase: str) -> Self:
        """The vault of a folder.

        Raises InvalidRecord `vault_missing` or `passphrase_wrong`, Fatal where the file is damaged.
        """
        return cls(folder, _read(folder, passphrase))

    @classmethod
    def unlocked(cls, folder: Path, passphrase: str, *, n: int = SCRYPT_N) -> Self:
        """The vault of a folder, made where there is none yet; errors as of `create` and `unlock`."""
        return cls.unlock(folder, passphrase) if vault_exists(folder) else cls.create(folder, passphrase, n=n)

    def seal(self, data: bytes, about: str) -> bytes:
        """`data` encrypted. about: what it is, such as an item's id; only under the same words it opens again."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._bodies.encrypt(nonce, data, about.encode())

    def unseal(self, sealed: bytes, about: str) -> bytes:
        """What `seal` was given. Raises Fatal for bytes that this vault did not seal under these words."""
        try:
            if sealed[:1] != _VERSION:
                raise InvalidTag
            nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
            return self._bodies.decrypt(nonce, rest, about.encode())
        except (InvalidTag, ValueError) as error:
            message = f"what lies in {self.folder} was changed or damaged, or belongs to another vault"
            raise Fatal(f"{message}; keep the folder as it is, and ask before anything is deleted") from error

    def mac(self, text: str) -> str:
        """A keyed hash, in hex, by which a text (a UID, a path) is found again and not read. HMAC-SHA256."""
        return hmac.new(self._mac_key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

    def write(self, name: str, data: bytes) -> None:
        """Keep a small secret as the file `<name>.sealed`, in one step. Raises Transient."""
        write_private(self.folder / f"{name}.sealed", self.seal(data, name))

    def read(self, name: str) -> bytes | None:
        """The secret of this name; None if there is none. Raises Fatal where it is damaged, Transient."""
        path = self.folder / f"{name}.sealed"
        try:
            return self.unseal(path.read_bytes(), name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Transient(f"cannot read {path}: {error.strerror}") from error


def vault_exists(folder: Path) -> bool:
    """Whether the folder has a vault, whatever opens it."""
    return (folder / VAULT_FILE).exists()


def change_passphrase(folder: Path, old: str, new: str, *, n: int = SCRYPT_N) -> None:
    """Let another passphrase open the vault from now on; nothing that it holds is encrypted again.

    A copy of the old `vault.json` still opens with the old passphrase. Errors as of `create` and `unlock`.
    """
    _write(folder, _read(folder, old), new, n)


def _write(folder: Path, data_key: bytes, passphrase: str, n: int) -> None:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        message = f"the passphrase of a van has at least {SHORTEST_PASSPHRASE} characters; take several words"
        raise InvalidRecord("option_invalid", message)
    write_private(folder / VAULT_FILE, wrap(data_key, passphrase, _WRAPPING, n))


def _read(folder: Path, passphrase: str) -> bytes:
    path = folder / VAULT_FILE
    try:
        key = unwrap(path.read_text(encoding="utf-8"), passphrase, _WRAPPING)
    except FileNotFoundError:
        raise InvalidRecord("vault_missing", f"there is no {path}; enrol the van, or put its copy back") from None
    except OSError as error:
        raise Transient(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Fatal(f"{path} is damaged; put its copy back, for nothing else opens what the van holds") from error
    if key is None:
        message = (
            f"this passphrase does not open {path}. Without the right one nobody can read what the van holds, nor send"
            " it: look for it where the site keeps it. If it is lost for good, what was not sent is lost with it:"
            " revoke the van, move its folder away and enrol it again"
        )
        raise InvalidRecord("passphrase_wrong", message)
    return key


def _derived(data_key: bytes, use: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=_WRAPPING + b" " + use).derive(data_key)
