"""The key of the centre's answers: made once, for its owner alone; another one takes over in two steps."""

import os
from pathlib import Path

import pytest

from sonovan.contracts.receipts import key_bytes
from sonovan.contracts.signatures import public_key
from sonovan.deploy.errors import DeployError
from sonovan.deploy.receipt_keys import receipt_keys, retire, rotate
from sonovan.deploy.state import StateFolder
from sonovan.stream_apps.settings import ReceiptSettings


def test_it_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    assert receipt_keys(state) == receipt_keys(StateFolder(tmp_path / "state"))
    assert (state.secrets / "receipts.json").stat().st_mode & 0o077 == 0
    assert receipt_keys(state).key not in repr(receipt_keys(state))


def test_another_one_is_announced_and_then_signs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder(tmp_path)
    first = receipt_keys(state)
    assert retire(state) == first, "there is nothing to retire"
    both = rotate(state)
    assert rotate(state) == both, "a second rotation before the first one is over makes no third key"
    assert both.public[0] == first.public[0]
    for name, value in both.environment.items():
        monkeypatch.setenv(name, value)
    settings = ReceiptSettings()
    assert settings.signer is not None
    assert settings.next_key is not None
    assert public_key(key_bytes(settings.next_key.get_secret_value())) == both.public[1]
    assert retire(state).public == both.public[1:]
    assert set(retire(state).environment) == {"SONOVAN_RECEIPTS_KEY"}


def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    receipt_keys(state)
    path = state.secrets / "receipts.json"
    path.write_text('{"key": "short"}')
    with pytest.raises(DeployError, match="put its copy back") as caught:
        receipt_keys(state)
    assert "short" not in str(caught.value)
    assert path.read_text() == '{"key": "short"}'


def test_without_a_key_nothing_is_signed_and_a_wrong_one_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(name.startswith("SONOVAN_RECEIPTS") for name in os.environ)
    assert ReceiptSettings().signer is None
    monkeypatch.setenv("SONOVAN_RECEIPTS_KEY", "a" * 42)
    with pytest.raises(ValueError, match="43 characters") as caught:
        ReceiptSettings()
    assert "a" * 42 not in str(caught.value)
