"""The vault: what opens it, what does not, and what it says then."""

import json
from pathlib import Path

import pytest

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.producers.vault import VAULT_FILE, Vault, change_passphrase
from tests.producers.visits import CHEAP_N, PASSPHRASE


def made(folder: Path) -> Vault:
    return Vault.create(folder, PASSPHRASE, n=CHEAP_N)


def test_what_was_sealed_opens_with_the_same_passphrase_alone(tmp_path: Path) -> None:
    sealed = made(tmp_path).seal(b"secret", "words")
    assert Vault.unlock(tmp_path, PASSPHRASE).unseal(sealed, "words") == b"secret"
    with pytest.raises(InvalidRecord) as caught:
        Vault.unlock(tmp_path, PASSPHRASE + "?")
    assert caught.value.reason == "passphrase_wrong"
    for word in (str(tmp_path), "nobody can read", "revoke the van"):
        assert word in caught.value.message
    assert PASSPHRASE not in caught.value.message


def test_neither_passphrase_nor_key_nor_secret_lies_on_the_disk(tmp_path: Path) -> None:
    vault = made(tmp_path)
    vault.write("signing_key", b"thirty-two bytes of a signing key")
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSPHRASE.encode() not in on_disk
    assert b"thirty-two" not in on_disk
    assert vault.read("signing_key") == b"thirty-two bytes of a signing key"
    assert vault.read("another") is None
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path, *tmp_path.iterdir()))


@pytest.mark.parametrize("change", ["cut", "flip", "version", "about"])
def test_changed_bytes_are_refused(change: str, tmp_path: Path) -> None:
    vault = made(tmp_path)
    sealed = vault.seal(b"secret", "words")
    changed = {
        "cut": sealed[:-1],
        "flip": sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
        "version": b"\x02" + sealed[1:],
        "about": sealed,
    }[change]
    with pytest.raises(Fatal, match="changed or damaged"):
        vault.unseal(changed, "words" if change != "about" else "other words")


def test_the_same_secret_is_sealed_to_other_bytes_each_time_and_its_keyed_hash_stays(tmp_path: Path) -> None:
    vault = made(tmp_path)
    assert vault.seal(b"secret", "") != vault.seal(b"secret", "")
    assert vault.mac("1.2.840") == Vault.unlock(tmp_path, PASSPHRASE).mac("1.2.840")
    (tmp_path / "other").mkdir()
    assert vault.mac("1.2.840") != made(tmp_path / "other").mac("1.2.840")


def test_a_vault_is_never_made_over_another(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(Fatal, match="close all"):
        made(tmp_path)
    assert Vault.unlocked(tmp_path, PASSPHRASE).folder == tmp_path


def test_another_passphrase_may_be_chosen_and_opens_what_was_sealed_before(tmp_path: Path) -> None:
    sealed = made(tmp_path).seal(b"secret", "")
    with pytest.raises(InvalidRecord):
        change_passphrase(tmp_path, "not the one it has", "another one, also long", n=CHEAP_N)
    change_passphrase(tmp_path, PASSPHRASE, "another one, also long", n=CHEAP_N)
    assert Vault.unlock(tmp_path, "another one, also long").unseal(sealed, "") == b"secret"
    with pytest.raises(InvalidRecord):
        Vault.unlock(tmp_path, PASSPHRASE)


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord, match="at least 12"):
        Vault.create(tmp_path, "short")
    assert list(tmp_path.iterdir()) == []


def test_a_vault_that_is_gone_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord) as caught:
        Vault.unlock(tmp_path, PASSPHRASE)
    assert caught.value.reason == "vault_missing"
    made(tmp_path)
    path = tmp_path / VAULT_FILE
    held = json.loads(path.read_text())
    for field, wrong in (("n", 2**40), ("kdf", "none"), ("salt", "00"), ("sealed_key", "ab")):
        path.write_text(json.dumps(held | {field: wrong}))
        with pytest.raises(Fatal, match="damaged"):
            Vault.unlock(tmp_path, PASSPHRASE)
