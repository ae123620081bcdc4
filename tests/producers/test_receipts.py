"""Which answers a van believes: of the keys that it knows, of one that they announce, and of a disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.ids import mint_id, opened_item
from sonovan.contracts.receipts import ReceiptSigner
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item
from sonovan.producers.receipts import pin, pinned
from sonovan.producers.spool import REJECTED, SENT, STORED, Spool
from sonovan.producers.vault import Vault
from tests.producers.visits import SIGNER, VISIT, vault_at

OLD, NEW, STRANGE = generate_key(), generate_key(), generate_key()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_at(tmp_path / "van")


@pytest.fixture
def spool(vault: Vault) -> Iterator[Spool]:
    with Spool(vault.folder / "spool", vault) as opened:
        yield opened


def sent(spool: Spool) -> Item:
    """An item that the broker has acknowledged."""
    screening = spool.open_screening(VISIT, SIGNER).screening_id
    item = Item(opened_item(screening), Topic.SCREENING_OPENED, b"k", b"v" * 50, "a" * 64, screening)
    spool.put(item)
    spool.mark_sent(item.item_id)
    return item


def answer(item: Item, kind: str = "stored") -> VanAnswered:
    fields = {"van_id": "van-1", "kind": kind, "item_id": item.item_id, "content_sha256": item.content_sha256}
    return VanAnswered.model_validate({**fields, "screening_id": item.screening_id})


def report(screening_id: str) -> VanAnswered:
    return VanAnswered.model_validate(
        {
            "van_id": "van-1", "kind": "report", "screening_id": screening_id, "item_id": f"{screening_id}/report",
            "content_sha256": "a" * 64, "status": "complete", "revision_id": "a" * 64, "revision_number": 1,
        }
    )  # fmt: skip


def test_a_van_that_knows_no_key_takes_answers_as_before(spool: Spool) -> None:
    item = sent(spool)
    assert spool.take_answer(answer(item), 0, 1)
    assert spool.status().counts[STORED] == 1


@pytest.mark.parametrize("kind", ["stored", "rejected"])
@pytest.mark.parametrize("key", [None, STRANGE])
def test_one_that_knows_a_key_believes_no_other_and_reads_on(
    spool: Spool, vault: Vault, kind: str, key: bytes | None
) -> None:
    item = sent(spool)
    pin(vault, [public_key(OLD)])
    forged = answer(item, kind) if key is None else ReceiptSigner(key, STRANGE).sign(answer(item, kind))
    assert not spool.take_answer(forged, 0, 8)
    assert (spool.status().counts[SENT], spool.status().doubted, spool.positions()) == (1, 1, {0: 8})
    assert spool.load(item.item_id) is not None
    assert pinned(vault) == (public_key(OLD),)
    assert spool.take_answer(ReceiptSigner(OLD).sign(answer(item, kind)), 0, 9)
    assert spool.status().counts[STORED if kind == "stored" else REJECTED] == 1
    assert spool.status().doubted == 0


def test_a_report_that_nobody_signed_is_none(spool: Spool, vault: Vault) -> None:
    screening = sent(spool).screening_id
    pin(vault, [public_key(OLD)])
    assert not spool.take_answer(report(screening), 0, 1)
    assert spool.report(screening) is None
    assert spool.take_answer(ReceiptSigner(OLD).sign(report(screening)), 0, 2)
    assert spool.report(screening) is not None


def test_a_key_that_the_known_one_announces_takes_over_and_a_third_drops_the_first(spool: Spool, vault: Vault) -> None:
    pin(vault, [public_key(OLD)])
    first, second, third = sent(spool), sent(spool), sent(spool)
    assert not spool.take_answer(ReceiptSigner(NEW).sign(answer(second)), 0, 1)
    assert spool.take_answer(ReceiptSigner(OLD, NEW).sign(answer(first)), 0, 2)
    assert spool.take_answer(ReceiptSigner(NEW).sign(answer(second)), 0, 3)
    assert pinned(vault) == (public_key(OLD), public_key(NEW))
    last = generate_key()
    assert spool.take_answer(ReceiptSigner(NEW, last).sign(answer(third)), 0, 4)
    assert pinned(vault) == (public_key(NEW), public_key(last))
    assert not spool.take_answer(ReceiptSigner(OLD).sign(answer(sent(spool))), 0, 5)


def test_a_van_that_is_enrolled_anew_beside_a_running_upload_believes_the_new_key(spool: Spool, vault: Vault) -> None:
    pin(vault, [public_key(OLD)])
    first, second = sent(spool), sent(spool)
    assert spool.take_answer(ReceiptSigner(OLD).sign(answer(first)), 0, 1)
    pin(vault, [public_key(NEW)])
    assert spool.take_answer(ReceiptSigner(NEW).sign(answer(second)), 0, 2)


def test_on_a_disk_nothing_counts_but_the_centres_signature(spool: Spool, vault: Vault) -> None:
    item = sent(spool)
    assert not spool.answers.take(answer(item), None)
    pin(vault, [public_key(OLD)])
    assert not spool.answers.take(answer(item), None)
    assert spool.answers.take(ReceiptSigner(OLD).sign(answer(item)), None)
    assert spool.status().counts[STORED] == 1
    assert spool.positions() == {}


def test_an_answer_for_what_is_not_here_takes_no_room(spool: Spool, vault: Vault) -> None:
    item = sent(spool)
    pin(vault, [public_key(OLD)])
    strange = answer(item).model_copy(update={"item_id": opened_item(mint_id())})
    assert not spool.take_answer(strange, 0, 1)
    assert (spool.status().doubted, spool.answers.doubts) == (0, 1)
