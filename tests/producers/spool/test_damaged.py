"""A body on the van's disk that is damaged or gone costs its item, and nothing else."""

from datetime import date
from pathlib import Path

import pytest

from sonovan.contracts.depot import centre_public_key, generate_centre_key
from sonovan.producers.export import export
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.standing import van_state
from sonovan.producers.lights import van_may_leave
from sonovan.producers.spool import ITEM_DAMAGED, QUEUED, REJECTED, ItemDamaged, Spool
from tests.producers.spool.test_spool import composed
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
        assert ("items_damaged", 1) in [(each.code, each.value) for each in light.reasons]
        assert "items_to_retry" not in [each.code for each in light.reasons]

        body.write_bytes(kept)  # a copy of the folder is put back
        spool.retry()
        assert spool.load(name) is not None
        assert spool.status().counts[REJECTED] == 0


def test_what_stays_damaged_is_let_go_by_a_purge(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", vault_at(tmp_path), least_free_bytes=2**20) as spool:
        composed(spool, 2)
        name, body = frame_with_file(spool)
        damage(body, gone=False)
        spool.mark_rejected(name, ITEM_DAMAGED, retryable=True)
        before = len(list((spool.folder / "items").iterdir()))
        assert spool.purge() == 1
        assert spool.rejected() == []
        assert len(list((spool.folder / "items").iterdir())) == before - 1
