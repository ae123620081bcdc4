"""A clinical record is corrected by a whole one with the next number."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.producers.correct import spool_correction
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


def sent(spool: Spool, features: dict[str, int] | None = None) -> str:
    (source,) = simulated_sources("breast", 1, 2, 0)
    screening = spool.open_screening(replace(VISIT, features=features), SIGNER, [source])
    compose_sequence(screening, source, mint_id())
    return screening.close().screening_id


def long_ago() -> datetime:
    return datetime(2001, 1, 1, tzinfo=UTC)


def record_of(item: Item) -> FeaturesRecorded:
    return FeaturesRecorded.decode(open_envelope(item.value).header)


def test_each_correction_has_the_next_number_though_the_clock_goes_back(spool: Spool) -> None:
    screening = sent(spool, features={"age_years": 45})
    corrected = [
        record_of(spool_correction(spool, SIGNER, screening, {"age_years": age}, now=long_ago)) for age in (54, 55)
    ]
    assert [(each.features_number, each.age_years) for each in corrected] == [(2, 54), (3, 55)]
    waiting = [name for name in spool.pending(99, 0) if "/features/" in name]
    assert waiting == [f"{screening}/features/{number}" for number in (1, 2, 3)]


def test_a_record_that_was_not_sent_at_first_is_the_first_one(spool: Spool) -> None:
    assert record_of(spool_correction(spool, SIGNER, sent(spool), {"age_years": 54})).features_number == 1


def test_what_was_stored_and_purged_is_still_counted(spool: Spool) -> None:
    screening = sent(spool, features={"age_years": 45})
    store_all(spool)
    assert spool.purge() > 0
    assert spool.status(screening).counts["stored"] == 0
    assert record_of(spool_correction(spool, SIGNER, screening, {"age_years": 54})).features_number == 2


def test_a_screening_that_this_van_never_sent_is_not_corrected(spool: Spool) -> None:
    with pytest.raises(InvalidRecord, match="no screening") as caught:
        spool_correction(spool, SIGNER, mint_id(), {"age_years": 54})
    assert caught.value.reason == "option_invalid"
    assert spool.pending(99, 0) == []
