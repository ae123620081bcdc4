"""The key by which a centre signs its answers to vans, kept with the other secrets of a state folder.

One key signs. While another one takes over there are two: the next one is announced in every answer, so that a van that
uploads meanwhile knows it by the time it signs (docs/decisions/0094).
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonovan.contracts.receipts import key_bytes, spelled_key
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import write_private
from sonovan.deploy.state import StateFolder

_KEY: Final = r"^[A-Za-z0-9_-]{43}$"


class ReceiptKeys(BaseModel):
    """key: signs. next_key: takes over. Both are private keys as settings spell them (`contracts.receipts`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: str = Field(pattern=_KEY, repr=False)
    next_key: str | None = Field(default=None, pattern=_KEY, repr=False)

    @property
    def public(self) -> tuple[str, ...]:
        """The public halves in hex, that of the key that signs first."""
        return tuple(public_key(key_bytes(each)) for each in (self.key, self.next_key) if each is not None)

    @property
    def environment(self) -> dict[str, str]:
        """What a worker that answers vans is told."""
        following = {} if self.next_key is None else {"SONOVAN_RECEIPTS_NEXT_KEY": self.next_key}
        return {"SONOVAN_RECEIPTS_KEY": self.key} | following


def receipt_keys(state: StateFolder) -> ReceiptKeys:
    """The keys of a state folder, the first one made at first use, for its owner alone.

    Raises DeployError where the file is damaged: another key in its place would have vans believe nothing.
    """
    found = _read(_path(state))
    if found is not None:  # read without the lock: an `up` may hold it
        return found
    with state.lock():
        found = _read(_path(state))
        return _written(state, ReceiptKeys(key=_new())) if found is None else found


def rotate(state: StateFolder) -> ReceiptKeys:
    """Make the key that takes over; the same one where it was made before."""
    with state.lock():
        found = receipt_keys(state)
        if found.next_key is not None:
            return found
        return _written(state, ReceiptKeys(key=found.key, next_key=_new()))


def retire(state: StateFolder) -> ReceiptKeys:
    """Let the next key sign, and delete the one before; nothing is done where there is one key alone."""
    with state.lock():
        found = receipt_keys(state)
        return found if found.next_key is None else _written(state, ReceiptKeys(key=found.next_key))


def _path(state: StateFolder) -> Path:
    return state.secrets / "receipts.json"


def _new() -> str:
    return spelled_key(generate_key())


def _written(state: StateFolder, keys: ReceiptKeys) -> ReceiptKeys:
    write_private(_path(state), keys.model_dump_json())
    return keys


def _read(path: Path) -> ReceiptKeys | None:
    try:
        return ReceiptKeys.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise DeployError(f"{path} is damaged; put its copy back: it holds the key that vans know") from None
