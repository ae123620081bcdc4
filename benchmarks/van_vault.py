"""The vault of a van that a benchmark enrols; its passphrase stays in this process and its children."""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Final

from sonovan.producers.enrol import van_folder
from sonovan.producers.vault import Vault

_VARIABLE: Final = "SONOVAN_VAN_PASSPHRASE"


@cache
def vault_of(state: Path, van_id: str) -> Vault:
    """The vault of this van, made where there is none; commands that this process starts can open it as well."""
    passphrase = os.environ.setdefault(_VARIABLE, secrets.token_hex(16))
    return Vault.unlocked(van_folder(state, van_id), passphrase)
