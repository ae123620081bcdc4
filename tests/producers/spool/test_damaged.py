"""A body on the van's disk that is damaged or gone costs its item, and nothing else."""

from datetime import date
from pathlib import Path

import pytest

from sonovan.contracts.depot import centre_public_key, generate_centre_key
from sonovan.producers.export import export
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.standing import van_state, woman_state
from sonovan.producers.lights import she_may_leave, van_may_leave
from sonovan.producers.spool import HELD, ITEM_DAMAGED, QUEUED, REJECTED, ItemDamaged, Spool
from tests.producers.gateway.vans import running, send, study
from tests.producers.spool.test_spool import composed, store_all
from tests.producers.visits import SIGNER, vault_at


def frame_with_file(spool: Spool) -> tuple[str, Path]:
    """The first frame that waits, and its body."""
    name = next(each for each in spool.pending(100, 0.0) if each.endswith("/000000"))
    (row,) = spool._db.read("SELECT file FROM items WHERE item_id = ?", name)
    return name, spool.folder / "items" / row[0]


def damage(body: Path, *, gone: bool) -> None:
    if gone:
        body.unlink()
    else:
        body.write_bytes(body.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize("gone", [False, True])
def test_an_export_takes_everything_else_and_the_light_says_what_is_damaged(tmp_path: Path, gone: bool) -> None:
    vault = vault_at(tmp_path)
    with Spool(tmp_path / "spool", vault, least_free_bytes=2**20) as spool, open_desk(vault) as desk:
        composed(spool, 4)
        name, body = frame_with_file(spool)
        kept = body.read_bytes()
        damage(body, gone=gone)
        with pytest.raises(ItemDamaged, match=name):
            spool.load(name)
        waiting = spool.status().counts[QUEUED]
        (tmp_path / "disk").mkdir()
        made = export(spool, SIGNER, centre_public_key(generate_centre_key()), tmp_path / "disk")
        assert made.items == waiting - 1
        assert [(each.item_id, each.reason) for each in spool.rejected()] == [(name, ITEM_DAMAGED)]
        light = van_may_leave(van_state(tmp_path, desk, spool, date.today()))
        assert ("items_damaged", 1) in [(each.code, each.value) for each in light.notes]
        assert "items_to_retry" not in [each.code for each in light.reasons]
        assert made.left == 0

        body.write_bytes(kept)  # a copy of the folder is put back
        spool.retry()
        assert spool.load(name) is not None
        assert spool.status().counts[REJECTED] == 0


def test_a_purge_leaves_what_is_damaged_and_its_screening(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", vault_at(tmp_path), least_free_bytes=2**20) as spool:
        screening = composed(spool, 2)
        name, body = frame_with_file(spool)
        damage(body, gone=False)
        spool.set_aside(name)
        store_all(spool)
        assert spool.purge() == 0
        assert [each.item_id for each in spool.rejected(screening)] == [name]
        assert body.exists()


def test_her_light_is_red_while_something_of_hers_is_damaged(tmp_path: Path) -> None:
    with running(tmp_path) as van:
        entry = van.expect()
        send(van.port, study(tmp_path / "a.dcm"))
        van.settled()
        name, _ = frame_with_file(van.spool)
        van.spool.set_aside(name)
        light = she_may_leave(woman_state(van.vault.folder, van.desk, van.spool, entry))
        assert ("hers_damaged", 1) in [(each.code, each.value) for each in light.reasons]


def test_what_is_held_meanwhile_stays_held(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", vault_at(tmp_path), least_free_bytes=2**20) as spool:
        composed(spool, 2)
        name, _ = frame_with_file(spool)
        with spool._db.transaction():
            spool._db.write("UPDATE items SET state = ? WHERE item_id = ?", HELD, name)
        spool.set_aside(name)
        assert spool.rejected() == []
