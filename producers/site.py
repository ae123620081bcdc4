"""The site's secret, and the subject key made from it, which joins a woman's visits without her name."""

import secrets
from pathlib import Path

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.ids import mint_id, subject_key
from sonovan.producers.private_files import write_private


def site_secret(state: Path) -> bytes:
    """The site's secret, 32 bytes, made at first use in `<state>/site/secret`.

    Keep a copy: with another secret, later visits of a woman no longer have the subject key of her earlier ones.
    Raises Fatal where the file is not such a secret, Transient where it cannot be written.
    """
    path = state / "site" / "secret"
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    try:
        secret = bytes.fromhex(path.read_text(encoding="utf-8").strip())
    except (ValueError, OSError) as error:
        raise Fatal(f"{path} is not a site secret; put the site's own back, or name another --state") from error
    if len(secret) < 32:
        raise Fatal(f"{path} is too short for a site secret; put the site's own back")
    return secret


def visit_key(state: Path, person: str | None) -> str:
    """The subject key of a person id within this site; without an id, a key that no other visit has.

    Raises InvalidRecord `option_invalid` for an empty id.
    """
    try:
        return subject_key(site_secret(state), f"anonymous-{mint_id()}" if person is None else person)
    except ValueError as error:
        raise InvalidRecord("option_invalid", f"--person: {error}") from None
