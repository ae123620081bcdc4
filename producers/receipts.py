"""Which keys of the centre a van believes: those that it got when it was enrolled, and what those announced later."""

import json
from collections.abc import Sequence
from typing import Final

from sonovan.contracts.answers import Pointed, VanAnswered
from sonovan.contracts.receipts import signer_of, vouched_places
from sonovan.producers.vault import Vault

_KEYS: Final = "receipt_keys"
MOST_KEYS: Final = 2
"""The key that signs, and the one that takes over."""


def pin(vault: Vault, public_keys: Sequence[str]) -> None:
    """Believe answers that these keys (hex) signed, and no others, from now on."""
    vault.write(_KEYS, json.dumps(list(public_keys)[:MOST_KEYS]).encode())


def pinned(vault: Vault) -> tuple[str, ...]:
    """The keys whose answers the van believes; empty for a van that was enrolled before the centre signed."""
    data = vault.read(_KEYS)
    return () if data is None else tuple(json.loads(data))


class ReceiptTrust:
    """What a van believes of answers in its topic. Raises Transient and Fatal as the vault does."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._keys = vault, pinned(vault)

    @property
    def pinned(self) -> bool:
        """Whether this van knows a key of the centre; one that knows none believes its topic of answers."""
        return bool(self._keys)

    def believes(self, answer: VanAnswered) -> bool:
        """Whether a known key signed the answer, or none is known. A key that it announces is known from then on."""
        if not self._keys:
            self._keys = pinned(self._vault)  # this van may have been enrolled anew meanwhile
            if not self._keys:
                return True
        signer = signer_of(answer, self._keys)
        if signer is None and answer.signature is not None:
            self._keys = pinned(self._vault)
            signer = signer_of(answer, self._keys)
        if signer is None:
            return False
        if answer.next_key is not None and answer.next_key not in self._keys:
            self._keys = (signer, answer.next_key)
            pin(self._vault, self._keys)
        return True

    def places(self, answer: VanAnswered) -> Pointed | None:
        """The places in an answer that `believes` took: those that a known key signed, or any where none is known."""
        return vouched_places(answer, self._keys) if self._keys else answer.pointed
