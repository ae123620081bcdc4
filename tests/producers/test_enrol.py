"""Which authorities a van trusts for the centre."""

import hashlib
import json
import ssl
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.deploy.authority import LISTENER, Authority
from sonovan.producers.enrol import load_kafka, trust
from sonovan.producers.vault import Vault
from tests.producers.visits import vault_at

VAN = "van-1"
ACCOUNT = {"bootstrap": "127.0.0.1:9", "username": "van-van-1", "password": "of this test"}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = vault_at(tmp_path / "van")
    vault.write("kafka", json.dumps(ACCOUNT).encode())
    return vault


@pytest.fixture
def centre(tmp_path: Path) -> Authority:
    (tmp_path / "centre").mkdir()
    authority = Authority(tmp_path / "centre")
    authority.ensure(("centre.example",))
    return authority


def test_a_van_trusts_what_it_is_brought_and_its_account_stays(vault: Vault, centre: Authority) -> None:
    trusted = centre.trusted()
    told = trust(vault, VAN, f"# of the centre, 2026\n{trusted}")
    assert told == [hashlib.sha256(ssl.PEM_cert_to_DER_cert(trusted)).hexdigest()]
    assert told == [each.sha256 for each in centre.described() if each.what == "authority"]
    kafka = load_kafka(vault, VAN)
    assert (kafka.ca, kafka.username, kafka.mechanism) == (trusted, ACCOUNT["username"], "SCRAM-SHA-256")
    centre.renew()
    assert len(trust(vault, VAN, centre.trusted())) == 2


@pytest.mark.parametrize("text", ["", "no certificate, beyond ASCII: 证书", "the listener's own"])
def test_what_holds_no_authority_is_refused_and_changes_nothing(text: str, vault: Vault, centre: Authority) -> None:
    given = (centre.folder / LISTENER).read_text() if text == "the listener's own" else text
    with pytest.raises(InvalidRecord, match="no certificates in PEM"):
        trust(vault, VAN, given)
    assert load_kafka(vault, VAN).ca is None
