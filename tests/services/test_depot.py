"""Export to a disk and import at a real broker, by commands: twice, and while the van sends as well."""

import json
from pathlib import Path

import pytest

from benchmarks.answering import Answering
from sonovan.centre import Centre
from sonovan.cli import build
from sonovan.cli.failures import run
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
            assert f"van {van_id}: 9 items" in capsys.readouterr().out
        assert run(build(), ["van", "spool", "retry", "--van", van_id, *state]) == 0
    assert len(set(answering.seen)) == 9
    assert len(answering.seen) >= 18, "each came by both imports"
    with Spool(vault.folder / "spool", vault) as spool:
        assert spool.status(screening).counts[STORED] == 9
        assert list((spool.folder / "items").iterdir()) == []


def test_what_is_no_export_ends_with_2_and_one_line(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["van", "spool", "import", str(tmp_path), "--state", str(centre.path)]) == 2
    assert "manifest.sealed" in capsys.readouterr().err
