"""What is sent again to a centre that was restored from a backup."""

from pathlib import Path

from sonovan.producers.spool import QUEUED, STORED, Spool
from tests.producers.spool.test_spool import composed, messages, store_all
from tests.producers.visits import vault_at

PLENTY = 2**20


def counts(spool: Spool) -> tuple[int, int]:
    found = spool.status().counts
    return found[QUEUED], found[STORED]


def test_what_the_centre_has_had_and_is_still_here_is_queued_again(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path), keep_bytes=PLENTY) as spool:
        composed(spool)
        before = {message.item_id: message for message in messages(spool)}
        stored = store_all(spool)
        assert counts(spool) == (0, stored)
        assert spool.resend() == stored
        assert {message.item_id: message for message in messages(spool)} == before
        assert store_all(spool) == stored
        assert counts(spool) == (0, stored)


def test_what_is_no_longer_here_cannot_be_sent_again(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        composed(spool)
        stored = store_all(spool)
        assert spool.resend() == 0
        assert counts(spool) == (0, stored)
