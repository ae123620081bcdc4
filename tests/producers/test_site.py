"""The site's secret: two vans that share it join a woman's visits, and no disk shows it."""

import base64
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.site import check, export_secret, import_secret, new_secret, visit_key
from sonovan.producers.vault import Vault
from tests.producers.visits import CHEAP_N, PASSPHRASE


def van(folder: Path) -> Vault:
    return Vault.create(folder, PASSPHRASE, n=CHEAP_N)


def test_two_vans_of_a_site_join_a_womans_visits_and_their_disks_show_nothing_of_the_secret(tmp_path: Path) -> None:
    first, second, file = van(tmp_path / "van-1"), van(tmp_path / "van-2"), tmp_path / "site"
    made = new_secret(first)
    code = export_secret(first, file, n=CHEAP_N)
    assert import_secret(second, file, code.upper().replace("-", " ")) == made == check(second)
    assert visit_key(first, " 4711 ") == visit_key(second, "4711") != visit_key(second, "4712")

    secret = first.read("site_secret")
    assert secret is not None
    on_disks = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for shown in (
        secret,
        secret.hex().encode(),
        base64.b64encode(secret),
        code.encode(),
        code.replace("-", "").encode(),
    ):
        assert shown not in on_disks
    assert first.read("site_secret") == second.read("site_secret")
    assert b"4711" not in on_disks


def test_vans_of_two_sites_give_a_woman_two_keys(tmp_path: Path) -> None:
    first, second = van(tmp_path / "a"), van(tmp_path / "b")
    assert new_secret(first) != new_secret(second)
    assert visit_key(first, "4711") != visit_key(second, "4711")


def test_without_the_secret_a_person_id_is_refused_and_nobody_is_anybody(tmp_path: Path) -> None:
    vault = van(tmp_path)
    with pytest.raises(InvalidRecord, match="sonovan van site export and import") as caught:
        visit_key(vault, "4711")
    assert caught.value.reason == "site_secret_missing"
    assert len({visit_key(vault, None) for _ in range(3)}) == 3
    with pytest.raises(InvalidRecord, match="--person: the person id is empty"):
        visit_key(vault, " ")


def test_a_second_secret_is_neither_made_nor_imported_by_mistake(tmp_path: Path) -> None:
    first, other, file = van(tmp_path / "a"), van(tmp_path / "b"), tmp_path / "site"
    mine = new_secret(first)
    with pytest.raises(InvalidRecord, match=mine):
        new_secret(first)
    theirs = new_secret(other)
    code = export_secret(other, file, n=CHEAP_N)
    with pytest.raises(InvalidRecord, match="another site's secret"):
        import_secret(first, file, code)
    assert check(first) == mine
    assert import_secret(other, file, code) == theirs
    assert import_secret(first, file, code, replace=True) == theirs


@pytest.mark.parametrize(
    ("text", "said"), [("{}", "no site secret"), (None, "cannot read"), ("\xff", "no site secret")]
)
def test_another_file_is_named(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "site").write_text(text, encoding="latin-1")
    with pytest.raises(InvalidRecord, match=said):
        import_secret(van(tmp_path / "van"), tmp_path / "site", "code")


def test_a_wrong_code_and_the_vault_of_a_van_open_nothing(tmp_path: Path) -> None:
    first, file = van(tmp_path / "a"), tmp_path / "site"
    new_secret(first)
    export_secret(first, file, n=CHEAP_N)
    with pytest.raises(InvalidRecord, match="this code does not open"):
        import_secret(van(tmp_path / "b"), file, "aaaa-bbbb-cccc-dddd-eeee-ffff")
    word = "onewordoftwelveletters"  # a code has no spaces either
    Vault.create(tmp_path / "c", word, n=CHEAP_N)
    with pytest.raises(InvalidRecord, match="this code does not open"):
        import_secret(first, tmp_path / "c" / "vault.json", word)
