"""Conclusions between the topic and the catalogue keep other readers from signing, for an hour at most."""

from sonovan.contracts.ids import mint_id
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.on_their_way import KEPT_MS, LONGEST_MS, OnTheirWay
from tests.storage.console.test_claims import Clock

HERS, ANOTHERS = mint_id(1, bytes), mint_id(2, bytes)


def test_others_wait_until_the_catalogue_tells_of_it_or_an_hour_is_over(console_database: ConsoleDatabase) -> None:
    clock = Clock()
    table = OnTheirWay(console_database, clock)
    for _ in range(2):
        assert table.begin(HERS, "c1", "dr-1", "a")
    assert table.other(HERS, "dr-2", []) == "dr-1"
    assert table.other(HERS, "dr-1", []) is None, "their own may have got lost"
    assert table.other(ANOTHERS, "dr-2", []) is None
    assert table.other(HERS, "dr-2", ["c1"]) is None
    assert table.other(HERS, "dr-2", []) is None, "it is forgotten once the catalogue told of it"
    table.begin(HERS, "c2", "dr-1", "a")
    clock.now += LONGEST_MS
    assert table.other(HERS, "dr-2", []) is None


def test_an_id_stands_for_one_content_for_a_day_and_what_is_not_told_of_is_counted(
    console_database: ConsoleDatabase,
) -> None:
    clock = Clock()
    table = OnTheirWay(console_database, clock)
    assert table.begin(HERS, "c1", "dr-1", "routine")
    clock.now += KEPT_MS - 1
    assert not table.begin(HERS, "c1", "dr-1", "biopsy"), "the first may have arrived"
    assert table.begin(HERS, "c1", "dr-1", "routine"), "the same may be sent again"
    assert table.begin(HERS, "c2", "dr-1", "biopsy")
    assert table.not_told_of(HERS, "dr-1", ["c2"]) == 1
    assert table.not_told_of(HERS, "dr-1", ["c1", "c2"]) == 0
    assert table.not_told_of(HERS, "dr-2", []) == table.not_told_of(ANOTHERS, "dr-1", []) == 0
    clock.now += 1
    assert table.begin(ANOTHERS, "c3", "dr-1", "routine")
    assert table.not_told_of(HERS, "dr-1", ["c2"]) == 0, "what is a day old is forgotten"
