"""The second factor: codes of six digits that change every half minute (RFC 6238), and recovery codes on paper."""

import secrets
from typing import Final

import pyotp
import segno

from sonovan.storage.console.accounts import Account, Accounts
from sonovan.storage.console.sealing import Seal

STEP_S: Final = 30
DRIFT: Final = 1
"""So many steps may a phone's clock be off."""
RECOVERY_CODES: Final = 10
_SIGNS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_ISSUER: Final = "sonovan"


def minted() -> str:
    """A new secret of 160 bits, in Base32."""
    return pyotp.random_base32()


def qr_code(secret: str, account: str) -> str:
    """What a phone's app reads, as SVG: the secret, the account's code, and the programme's name."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)
    return str(segno.make(uri, error="m").svg_inline(border=4, svgclass="qr", light="white", omitsize=True))


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """The time step of which a code is, at most DRIFT away from now; None for a wrong one."""
    digits = "".join(code.split())
    now = now_ms // 1000 // STEP_S
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):  # all of them, so that it takes as long in any case
        if pyotp.utils.strings_equal(pyotp.TOTP(secret).generate_otp(step), digits):
            found = step
    return found


def recovery_codes() -> list[str]:
    """New recovery codes of 49 bits each, to be printed."""
    one = ["".join(secrets.choice(_SIGNS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    return [f"{each[:5]}-{each[5:]}" for each in one]


def plain(code: str) -> str:
    """A recovery code as it is hashed: without what people type between the signs."""
    return "".join(sign for sign in code.lower() if sign.isalnum())


def shown(accounts: Accounts, seal: Seal, account: Account, code: str, now_ms: int) -> str | None:
    """How a person has shown their second factor: `totp` or `recovery`, and neither works twice; None where not."""
    if account.totp_secret is None:
        return None
    step = step_of(seal.open(account.totp_secret, account.code).decode(), code, now_ms)
    if step is not None:
        return "totp" if accounts.use_step(account.code, step) else None
    spent = accounts.use_recovery(account.code, seal.hashed(plain(code), account.code))
    return "recovery" if spent else None
