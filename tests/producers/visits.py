"""A visit, a van and its vault for tests that need one."""

import os
from pathlib import Path

from sonovan.contracts.signatures import generate_key
from sonovan.contracts.van import Consent
from sonovan.producers.enrol import van_folder
from sonovan.producers.items import Signer, Visit
from sonovan.producers.vault import Vault

SIGNER = Signer("van-1", generate_key())
VISIT = Visit(subject_key="ab" * 32, site_code="site-1", consent=Consent(screening=True, ai=True))

PASSPHRASE = "seven words that only this test knows"
CHEAP_N = 2**10
"""scrypt's cost in tests: what it costs is not what they look at."""


def vault_of(state: Path, van_id: str) -> Vault:
    """The vault of a van that commands of this test open as well, by the passphrase that `tests/conftest.py` chose."""
    passphrase = os.environ["SONOVAN_VAN_PASSPHRASE"]
    return Vault.unlocked(van_folder(state, van_id), passphrase, n=CHEAP_N)


def vault_at(folder: Path) -> Vault:
    """A vault of the same key in every process of a test, without a passphrase."""
    return Vault(folder, b"k" * 32)
