"""Conclusions between the topic and the catalogue keep other readers from signing, for an hour at most."""

from sonovan.contracts.ids import mint_id
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.on_their_way import LONGEST_MS, OnTheirWay
from tests.storage.console.test_claims import Clock

HERS, ANOTHERS = mint_id(1, bytes), mint_id(2, bytes)


def test_others_wait_until_the_catalogue_tells_of_it_or_an_hour_is_over(console_database: ConsoleDatabase) -> None:
    clock = Clock()
    table = OnTheirWay(console_database, clock)
    for _ in range(2):
        table.begin(HERS, "c1", "dr-1")
    assert table.other(HERS, "dr-2", []) == "dr-1"
    assert table.other(HERS, "dr-1", []) is None, "their own may have got lost"
    assert table.other(ANOTHERS, "dr-2", []) is None
    assert table.other(HERS, "dr-2", ["c1"]) is None
    assert table.other(HERS, "dr-2", []) is None, "it is forgotten once the catalogue told of it"
    table.begin(HERS, "c2", "dr-1")
    clock.now += LONGEST_MS
    assert table.other(HERS, "dr-2", []) is None
