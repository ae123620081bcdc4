"""A van is enrolled at a centre that settings alone name, as one in containers is: there is no state folder of it."""

import json
import stat
from pathlib import Path

import pytest

from benchmarks.answering import Answering
from sonovan.centre import Centre
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.ids import mint_id
from sonovan.producers.enrol import load_signer
from sonovan.producers.receipts import pinned
from sonovan.producers.spool import Spool
from tests.producers.visits import vault_of
from tests.services.test_van_upload import spooled

pytestmark = pytest.mark.services


@pytest.fixture
def told(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an operator of such a centre sets."""
    given = {
        "SONOVAN_ENROL_BROKER": centre.kafka().bootstrap,
        "SONOVAN_ENROL_VANS": centre.services.kafka_vans_bootstrap,
        "SONOVAN_ENROL_CA": str(centre.state.certificates / "trusted.pem"),
        "SONOVAN_ENROL_RECEIPTS": ",".join(centre.receipt_keys().public),
        "SONOVAN_KAFKA_ADMIN_PASSWORD": centre.kafka().password.get_secret_value(),
        "SONOVAN_KAFKA_REGISTRAR_PASSWORD": centre.kafka("registrar").password.get_secret_value(),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_a_van_is_enrolled_sends_is_enrolled_again_and_revoked_by_settings_alone(
    centre: Centre, told: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, state = f"told-{mint_id()[-8:]}", ("--state", str(tmp_path))
    vault = vault_of(tmp_path, name)
    for _ in range(2):
        assert run(build(), ["van", "enrol", name, *state]) == 0
        account = json.loads(vault.read("kafka") or b"")
    assert {path.name for path in tmp_path.iterdir()} == {"vans"}
    assert pinned(vault) == centre.receipt_keys().public
    assert account["bootstrap"] == told["SONOVAN_ENROL_VANS"]
    assert run(build(), ["van", "site", "new", *state]) in (0, 2)  # 2: it was the centre's first and has one
    with Answering(centre, name):
        assert run(build(), ["van", "simulate", "--frames", "2", *state]) == 0
        assert run(build(), ["van", "spool", "retry", *state]) == 0
    capsys.readouterr()
    assert run(build(), ["van", "spool", "status", "--json", *state]) == 0
    assert json.loads(capsys.readouterr().out)["stored"] == 5
    assert run(build(), ["van", "spool", "export", str(tmp_path / "disk"), *state]) == 2, "no key for disks was told"
    assert run(build(), ["van", "revoke", name, *state]) == 0
    assert run(build(), ["van", "simulate", "--frames", "1", "--van", name, *state]) == 2


def test_a_disk_is_imported_where_settings_alone_name_the_centre(
    centre: Centre,
    told: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key_file = tmp_path / "centre" / "disk.key"
    monkeypatch.setenv("SONOVAN_DEPOT_BROKER", told["SONOVAN_ENROL_BROKER"])
    monkeypatch.setenv("SONOVAN_DEPOT_KEY_FILE", str(key_file))
    for account in ("reader", "retrier"):
        password = centre.kafka(account).password.get_secret_value()
        monkeypatch.setenv(f"SONOVAN_KAFKA_{account.upper()}_PASSWORD", password)
    assert run(build(), ["van", "spool", "key"]) == 0
    monkeypatch.setenv("SONOVAN_ENROL_DEPOT_KEY", capsys.readouterr().out.strip())
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    name, state = f"told-{mint_id()[-8:]}", ("--state", str(tmp_path / "van"))
    vault = vault_of(tmp_path / "van", name)
    assert run(build(), ["van", "enrol", name, *state]) == 0
    with Spool(vault.folder / "spool", vault) as spool:
        spooled(spool, load_signer(vault, name), 2)
    capsys.readouterr()
    assert run(build(), ["van", "spool", "export", str(tmp_path / "disk"), "--json", *state]) == 0
    folder = json.loads(capsys.readouterr().out)["folder"]
    with Answering(centre, name):
        assert run(build(), ["van", "spool", "import", folder]) == 0
    assert "receipts on the disk: 5\n" in capsys.readouterr().out
    assert run(build(), ["van", "spool", "receipts", folder, *state]) == 0
    assert "5 receipts taken, 0 items still wait" in capsys.readouterr().out
    monkeypatch.delenv("SONOVAN_KAFKA_READER_PASSWORD")
    assert run(build(), ["van", "spool", "import", folder]) == 5
    assert "SONOVAN_KAFKA_READER_PASSWORD: Field required" in capsys.readouterr().err


def test_a_setting_that_is_missing_or_no_file_is_named(
    told: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["van", "enrol", "told-1", "--state", str(tmp_path)]
    monkeypatch.setenv("SONOVAN_ENROL_CA", str(tmp_path / "none.pem"))
    assert run(build(), command) == 5
    assert "SONOVAN_ENROL_CA: cannot read" in capsys.readouterr().err
    monkeypatch.delenv("SONOVAN_KAFKA_REGISTRAR_PASSWORD")
    assert run(build(), command) == 5
    assert "SONOVAN_KAFKA_REGISTRAR_PASSWORD: Field required" in capsys.readouterr().err
