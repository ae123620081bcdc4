"""A van amends what it sent by records with the next numbers, and says which sweep is meant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.amendments import Amendment, ConsentAmended, ScreeningAmended, SideAmended, TakenBack, Voided
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MAX_AMENDMENTS
from sonovan.contracts.topics import Topic
from sonovan.producers.amend import spool_amendment, sweeps_of
from sonovan.producers.items import Item
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import Spool
from tests.producers.spool.test_spool import store_all
from tests.producers.visits import SIGNER, VISIT, vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, vault_at(tmp_path)) as opened:
        yield opened


def sent(spool: Spool, sweeps: int = 1) -> str:
    sources = simulated_sources("breast", sweeps, 2, 0)
    screening = spool.open_screening(VISIT, SIGNER, sources)
    for source in sources:
        compose_sequence(screening, source, mint_id())
    return screening.close().screening_id


def amend(spool: Spool, screening: str, amendment: Amendment, because: str, by: str | None = None) -> Item:
    return spool_amendment(
        spool, SIGNER, screening, amendment, because, by=by, now=lambda: datetime(2001, 1, 1, tzinfo=UTC)
    )


def record_of(item: Item) -> ScreeningAmended:
    return ScreeningAmended.decode(open_envelope(item.value).header)


def test_each_amendment_has_the_next_number_and_all_it_takes(spool: Spool) -> None:
    screening = sent(spool)
    (sweep,) = sweeps_of(spool, screening, [])
    made = [
        amend(spool, screening, SideAmended(sequence_ids=(sweep,), laterality="right"), "side_entered_wrong", "op-7"),
        amend(spool, screening, ConsentAmended(withdrawn=("research",)), "she_withdrew"),
        amend(spool, screening, TakenBack(amendment_number=1), "amended_by_mistake"),
    ]
    assert [each.item_id for each in made] == [f"{screening}/amended/{number}" for number in (1, 2, 3)]
    assert [record_of(each).by for each in made] == ["op-7", None, None]
    assert all(each.key == screening.encode() for each in made)


def test_what_was_stored_and_purged_is_still_counted(spool: Spool) -> None:
    screening = sent(spool)
    amend(spool, screening, Voided(), "no_screening")
    sweeps = spool.sequence_ids(screening)
    store_all(spool)
    assert spool.purge() > 0
    assert spool.sequence_ids(screening) == sweeps
    again = amend(spool, screening, Voided(), "no_screening")
    assert record_of(again).amendment_number == 2


@pytest.mark.parametrize(
    ("amendment", "because", "silenced"),
    [
        (Voided(), "no_screening", True),
        (ConsentAmended(withdrawn=("ai",)), "she_withdrew", True),
        (ConsentAmended(withdrawn=("research", "screening")), "she_withdrew", True),
        (ConsentAmended(withdrawn=("research", "sharing")), "she_withdrew", False),
    ],
)
def test_no_machine_of_the_van_looks_at_her_pictures_after_it_and_after_a_restart(
    tmp_path: Path, amendment: Amendment, because: str, silenced: bool
) -> None:
    vault = vault_at(tmp_path)
    with Spool(tmp_path, vault) as spool:
        screening, other = sent(spool), sent(spool)
        with pytest.raises(InvalidRecord):
            amend(spool, screening, amendment, because, by="Li Na")
        assert screening not in spool.silenced
        amend(spool, screening, amendment, because)
    with Spool(tmp_path, vault) as again:
        assert (screening in again.silenced, other in again.silenced) == (silenced, False)


def test_an_amendment_goes_before_frames_that_still_wait(spool: Spool) -> None:
    screening = sent(spool)
    item = amend(spool, screening, Voided(), "no_screening")
    order = spool.pending(100, 0)
    assert order.index(item.item_id) < min(order.index(each) for each in order if each.endswith("/000000"))


@pytest.mark.parametrize(
    ("amendment", "because", "by", "told"),
    [
        (Voided(), "two_slips", None, "--because is one of wrong_woman"),
        (Voided(), "no_screening", "Wang Xiaomei", "never a name"),
        (TakenBack(amendment_number=1), "amended_by_mistake", None, "has 0 amendments"),
    ],
)
def test_what_cannot_be_is_refused_with_the_word_to_change(
    spool: Spool, amendment: Amendment, because: str, by: str | None, told: str
) -> None:
    screening = sent(spool)
    with pytest.raises(InvalidRecord, match=told) as caught:
        amend(spool, screening, amendment, because, by)
    assert caught.value.reason == "option_invalid"
    assert spool.newest(screening, Topic.SCREENING_AMENDED) == 0


def test_a_screening_that_this_van_never_sent_is_not_amended(spool: Spool) -> None:
    with pytest.raises(InvalidRecord, match="no screening"):
        amend(spool, mint_id(), Voided(), "no_screening")


def test_a_screening_is_not_amended_for_ever(spool: Spool) -> None:
    screening = sent(spool)
    for _ in range(MAX_AMENDMENTS):
        amend(spool, screening, Voided(), "no_screening")
    with pytest.raises(InvalidRecord, match=f"{MAX_AMENDMENTS} times"):
        amend(spool, screening, Voided(), "no_screening")


def test_which_sweep_is_meant_is_said_where_there_are_several(spool: Spool) -> None:
    screening, other = sent(spool, sweeps=2), sent(spool)
    with pytest.raises(InvalidRecord, match="say which sweeps") as caught:
        sweeps_of(spool, screening, [])
    first, second = spool.sequence_ids(screening)
    assert first in caught.value.message
    assert sweeps_of(spool, screening, [second, second]) == (second,)
    with pytest.raises(InvalidRecord, match="the screening has"):
        sweeps_of(spool, screening, [spool.sequence_ids(other)[0]])
