"""Export to a disk and import at a real broker, by commands: twice, and while the van sends as well."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.answering import Answering
from sonovan.centre import Centre
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.depot import RECEIPTS
from sonovan.contracts.ids import mint_id
from sonovan.producers import enrol as enrolment
from sonovan.producers.spool import STORED, Spool
from tests.producers.visits import vault_of
from tests.services.test_van_upload import spooled

pytestmark = pytest.mark.services


@pytest.fixture
def van_id(centre: Centre) -> str:
    """A van that was enrolled by the command, which gives it the centre's key for disks as well."""
    name = f"depot-{mint_id()[-8:]}"
    vault_of(centre.path, name)  # cheap to open; the command would make one that is not
    assert run(build(), ["van", "enrol", name, "--state", str(centre.path)]) == 0
    return name


def test_a_disk_is_imported_twice_while_its_van_sends_and_everything_is_there_once(
    centre: Centre, van_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ("--state", str(centre.path))
    vault = vault_of(centre.path, van_id)
    with Spool(vault.folder / "spool", vault) as spool:
        screening = spooled(spool, enrolment.load_signer(vault, van_id), 6)
    capsys.readouterr()
    assert run(build(), ["van", "spool", "export", str(tmp_path), "--van", van_id, "--json", *state]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["items"], made["left"]) == (9, 0)
    assert run(build(), ["van", "spool", "status", "--van", van_id, "--json", *state]) == 0
    assert json.loads(capsys.readouterr().out)["exported"] == 9

    with Answering(centre, van_id, lambda answer: answer) as answering:
        for _ in range(2):
            assert run(build(), ["van", "spool", "import", made["folder"], *state]) == 0
            said = capsys.readouterr()
            assert f"van {van_id}: 9 items" in said.out
            assert "receipts on the disk: 9\n" in said.out
        assert run(build(), ["van", "spool", "retry", "--van", van_id, *state]) == 0
    assert len(set(answering.seen)) == 9
    assert len(answering.seen) >= 18, "each came by both imports"
    with Spool(vault.folder / "spool", vault) as spool:
        assert spool.status(screening).counts[STORED] == 9
        assert list((spool.folder / "items").iterdir()) == []


def test_receipts_on_the_disk_let_a_van_without_a_link_purge_and_forged_ones_do_not(
    centre: Centre, van_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--van", van_id, "--state", str(centre.path))
    vault = vault_of(centre.path, van_id)
    with Spool(vault.folder / "spool", vault) as spool:
        spooled(spool, enrolment.load_signer(vault, van_id), 3)
    capsys.readouterr()
    assert run(build(), ["van", "spool", "export", str(tmp_path), "--json", *options]) == 0
    folder = Path(json.loads(capsys.readouterr().out)["folder"])
    with Answering(centre, van_id):
        assert run(build(), ["van", "spool", "import", str(folder), "--state", str(centre.path)]) == 0
    vault.write("kafka", json.dumps({"bootstrap": "127.0.0.1:9", "username": "v", "password": "p"}).encode())  # no link
    signed = (folder / RECEIPTS).read_bytes()
    (folder / RECEIPTS).write_bytes(re.sub(rb'"signature":"[0-9a-f]{128}"', b'"signature":null', signed) + b"nothing")
    capsys.readouterr()
    assert run(build(), ["van", "spool", "receipts", str(folder), *options]) == 3
    said = capsys.readouterr()
    assert "0 receipts taken, 6 items still wait" in said.out
    assert "6 receipts are not signed by a key of the centre" in said.err
    (folder / RECEIPTS).write_bytes(signed)
    assert run(build(), ["van", "spool", "receipts", str(folder), *options]) == 0
    assert run(build(), ["van", "spool", "purge", *options]) == 0
    assert "6 items purged" in capsys.readouterr().out


def test_what_is_no_export_ends_with_2_and_one_line(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["van", "spool", "import", str(tmp_path), "--state", str(centre.path)]) == 2
    assert "manifest.sealed" in capsys.readouterr().err
