"""A disk between van and centre: imported twice while the same van sends, it gives one complete revision."""

from pathlib import Path

import pytest

from sonovan.producers import enrol as enrolment
from sonovan.producers.screening import compose_sequence
from sonovan.producers.spool import STORED, Spool
from tests.journeys.account import assert_sound, wait_for
from tests.journeys.van import Van, sources_of_sweep, sweep
from tests.journeys.world import World
from tests.producers.visits import VISIT, vault_of

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]


def test_a_disk_that_is_imported_twice_while_its_van_sends_gives_the_revision_of_the_link(
    world: World, tmp_path: Path
) -> None:
    world.work()
    van = Van(world)
    world.sonovan("van", "enrol", van.van_id)
    vault = vault_of(world.centre.path, van.van_id)
    known = van.screening(sweep())
    (source,) = sources_of_sweep(sweep(), world.centre.path)
    with Spool(vault.folder / "spool", vault) as spool:
        signer = enrolment.load_signer(vault, van.van_id)
        screening = spool.open_screening(VISIT, signer, [source], screening_id=known.screening_id)
        compose_sequence(screening, source, known.ids.sequence_ids[0])
        screening.close()
    made = world.sonovan("van", "spool", "export", str(tmp_path), "--van", van.van_id, "--json")
    sending = world.command("van", "spool", "retry", "--van", van.van_id)
    for folder in (made["folder"], str(tmp_path)):  # the export itself, and the disk that it lies on
        world.sonovan("van", "spool", "import", folder)
    told = world.sonovan("van", "spool", "receipts", str(tmp_path), "--van", van.van_id)
    assert f"{3 + len(sweep())} receipts taken, 0 items still wait" in told, "the stages signed them"
    out, err = sending.communicate(timeout=600)
    assert sending.returncode == 0, f"{out}\n{err}\n{world.log_tails()}"
    assert wait_for(world, known, "complete").revision_id == known.embedded().revision_id
    with Spool(vault.folder / "spool", vault) as spool:
        counts = spool.status(known.screening_id).counts
    assert counts == {**dict.fromkeys(counts, 0), STORED: 3 + len(sweep())}
    assert_sound(world, known)
