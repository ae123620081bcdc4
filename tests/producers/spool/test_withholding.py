"""What stays on the van when she withdraws her consent, and goes when that is taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.amendments import Amendment, ConsentAmended, Purpose, TakenBack
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.topics import Topic
from sonovan.producers.amend import spool_amendment
from sonovan.producers.spool import HELD, QUEUED, SENT, STORED, WITHHELD, Spool
from tests.producers.spool.test_spool import answer, begun, fill, frame, items_of, messages
from tests.producers.visits import SIGNER, vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "van" / "spool", vault_at(tmp_path / "van")) as opened:
        yield opened


def amend(spool: Spool, screening: str, amendment: Amendment) -> None:
    because = "amended_by_mistake" if amendment.kind == "taken_back" else "she_withdrew"
    spool_amendment(spool, SIGNER, screening, amendment, because)


def withdraw(spool: Spool, screening: str, *uses: Purpose) -> None:
    amend(spool, screening, ConsentAmended(withdrawn=uses))


def topics(spool: Spool) -> dict[str, int]:
    """How many messages of each topic may go now, on any link."""
    found = [message.topic for message in messages(spool)]
    return {topic: found.count(topic) for topic in dict.fromkeys(found)}


CONTROL = {Topic.SCREENING_OPENED: 1, Topic.SCREENING_AMENDED: 1, Topic.SEQUENCE_CLOSED: 1, Topic.SCREENING_CLOSED: 1}


@pytest.mark.parametrize(
    ("uses", "going", "withheld"),
    [
        (("ai",), {**CONTROL, Topic.FEATURES_RECORDED: 1}, 3),
        (("screening",), CONTROL, 4),
        (("research", "sharing"), {**CONTROL, Topic.FEATURES_RECORDED: 1, Topic.FRAME_CAPTURED: 3}, 0),
    ],
)
def test_of_a_screening_whose_consent_is_withdrawn_records_alone_are_sent_that_say_so(
    spool: Spool, uses: tuple[Purpose, ...], going: dict[str, int], withheld: int
) -> None:
    screening, other = begun(spool), begun(spool)
    fill(spool, items_of(screening, mint_id(), 3))
    withdraw(spool, screening, *uses)
    assert topics(spool) == going
    assert spool.status(screening).counts[WITHHELD] == withheld
    assert spool.status(screening).waiting == sum(going.values())
    fill(spool, items_of(other, mint_id(), 2))
    assert spool.status(other).counts == {**dict.fromkeys(spool.status().counts, 0), QUEUED: 6}
    assert spool.purge() == 0


def test_what_comes_later_is_released_or_tried_again_stays_as_well_also_after_a_restart(tmp_path: Path) -> None:
    sequence = mint_id()
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        screening = begun(spool)
        fill(spool, [frame(screening, sequence, 0), frame(screening, sequence, 1), frame(screening, sequence, 2)])
        spool.mark_sent(frame_id(sequence, 1))
        spool.mark_rejected(frame_id(sequence, 2), "van_unknown", retryable=True)
        withdraw(spool, screening, "ai")
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        fill(spool, [frame(screening, sequence, 3), frame(screening, sequence, 4, held="text_uncertain")])
        assert spool.status(screening).counts[HELD] == 1
        assert frame_id(sequence, 1) not in spool.pending(99, 1e12), "what was under way is not sent again"
        spool.retry()
        counts = spool.status(screening).counts
        assert (counts[SENT], counts[WITHHELD], counts[QUEUED]) == (0, 4, 1)
        assert {message.topic for message in messages(spool)} == {Topic.SCREENING_AMENDED}


def test_it_goes_once_that_is_taken_back_unless_another_withdrawal_holds(spool: Spool) -> None:
    screening = begun(spool)
    fill(spool, items_of(screening, mint_id(), 2))
    withdraw(spool, screening, "screening")
    withdraw(spool, screening, "ai")
    amend(spool, screening, TakenBack(amendment_number=1))
    assert spool.status(screening).counts[WITHHELD] == 2, "her answers go, the pictures do not"
    amend(spool, screening, TakenBack(amendment_number=2))
    assert spool.status(screening).counts[WITHHELD] == 0
    assert topics(spool)[Topic.FRAME_CAPTURED] == 2


def test_what_had_left_before_is_still_acknowledged_and_stored(spool: Spool) -> None:
    screening, sequence = begun(spool), mint_id()
    flying = frame(screening, sequence, 0)
    fill(spool, [flying])
    withdraw(spool, screening, "ai")
    spool.mark_sent(flying.item_id)
    assert spool.status(screening).counts[WITHHELD] == 1
    assert spool.take_answer(answer(flying), 0, 1)
    assert spool.status(screening).counts[STORED] == 1


def test_what_is_withheld_is_erased_with_its_files_and_a_withdrawal_taken_back_queues_nothing(spool: Spool) -> None:
    screening, other = begun(spool), begun(spool)
    fill(spool, items_of(screening, mint_id(), 3))
    fill(spool, items_of(other, mint_id(), 2))
    withdraw(spool, screening, "ai")
    before = len(list((spool.folder / "items").iterdir()))
    assert spool.erase_withheld(other) == 0
    assert spool.erase_withheld(screening) == 3
    assert len(list((spool.folder / "items").iterdir())) == before - 3
    assert spool.status(screening).counts[WITHHELD] == 0
    amend(spool, screening, TakenBack(amendment_number=1))
    assert topics(spool) == {**CONTROL, Topic.SCREENING_AMENDED: 2, Topic.FEATURES_RECORDED: 2,
                             Topic.SCREENING_OPENED: 2, Topic.SEQUENCE_CLOSED: 2, Topic.SCREENING_CLOSED: 2,
                             Topic.FRAME_CAPTURED: 2}  # fmt: skip
