"""The site's secret, and the subject key made from it, which joins a woman's visits without her name.

All vans of a site share one secret, each has it sealed in its vault, and none in the clear. The site's first van makes
it; every other one gets it as a file that only a code opens, which goes another way than the file. Keep such a file and
its code: with another secret, later visits of a woman no longer have the subject key of her earlier ones.
"""

import base64
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import subject_key
from sonovan.producers.vault import Vault
from sonovan.producers.wrapping import KEY_BYTES, SCRYPT_N, unwrap, wrap

_NAME: Final = "site_secret"
_ABOUT: Final = b"sonovan site secret v1"
_CODE_BYTES: Final = 15
_GROUP: Final = 4
_CHECK_DIGITS: Final = 8
_LONGEST_FILE: Final = 4096


def new_secret(vault: Vault) -> str:
    """Make the secret of a site that has none yet; its check, as `check`.

    Raises InvalidRecord `option_invalid` where the van has one: a second one would part a woman's visits.
    """
    if vault.read(_NAME) is not None:
        raise InvalidRecord("option_invalid", f"this van has its site's secret already, check {check(vault)}")
    return _keep(vault, secrets.token_bytes(KEY_BYTES))


def check(vault: Vault) -> str | None:
    """Eight hex digits, the same on every van of the site, which tell nothing of the secret; None without one."""
    secret = vault.read(_NAME)
    if secret is None:
        return None
    return hmac.new(secret, b"sonovan site check", hashlib.sha256).hexdigest()[:_CHECK_DIGITS]


def export_secret(vault: Vault, file: Path, *, n: int = SCRYPT_N) -> str:
    """Write the secret to a file for another van; the code that opens it, of 120 random bits.

    Raises InvalidRecord `site_secret_missing`, Transient where the file cannot be written.
    """
    secret = _secret(vault)
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    try:
        file.write_text(wrap(secret, letters, _ABOUT, n), encoding="utf-8")
    except OSError as error:
        raise Transient(f"cannot write {file}: {error.strerror}") from error
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def import_secret(vault: Vault, file: Path, code: str, *, replace: bool = False) -> str:
    """Take over the secret that another van exported; its check, as `check`. The same one again is harmless.

    replace: whether a secret that the van has may go. Raises InvalidRecord `option_invalid` for another file, a wrong
    code, or a van that has another secret.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            secret = unwrap(stream.read(_LONGEST_FILE), "".join(code.lower().replace("-", " ").split()), _ABOUT)
    except OSError as error:
        raise InvalidRecord("option_invalid", f"cannot read {file}: {error.strerror}") from None
    except ValueError:
        raise InvalidRecord("option_invalid", f"{file} is no site secret that sonovan van site export wrote") from None
    if secret is None or len(secret) != KEY_BYTES:
        raise InvalidRecord("option_invalid", f"this code does not open {file}")
    held = vault.read(_NAME)
    if held is not None and held != secret and not replace:
        message = (
            f"this van has another site's secret, check {check(vault)}: the visits that it sent so far would no longer"
            " be joined with later ones; --replace if that is meant"
        )
        raise InvalidRecord("option_invalid", message)
    return _keep(vault, secret)


def visit_key(vault: Vault, person: str | None) -> str:
    """The subject key of a person id within this site; without an id, a key that no other visit has.

    Raises InvalidRecord `option_invalid` for an empty id, `site_secret_missing`.
    """
    if person is None:
        return secrets.token_hex(KEY_BYTES)
    if not person.strip():
        raise InvalidRecord("option_invalid", "--person: the person id is empty")
    return subject_key(_secret(vault), person)


def _secret(vault: Vault) -> bytes:
    secret = vault.read(_NAME)
    if secret is None:
        message = (
            "this van has no secret of its site, which a person id needs: bring it from another van of the site with"
            " sonovan van site export and import; on the first van of a new site type sonovan van site new"
        )
        raise InvalidRecord("site_secret_missing", message)
    if len(secret) != KEY_BYTES:
        raise Fatal(f"the site's secret in {vault.folder} is damaged: import it again")
    return secret


def _keep(vault: Vault, secret: bytes) -> str:
    vault.write(_NAME, secret)
    return str(check(vault))
