"""Which earlier screening counts, on both databases."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Record
from sonovan.storage.catalogue.asking import Limits, ask
from sonovan.storage.catalogue.cine import cine_of
from sonovan.storage.catalogue.comparing import EARLIER, Visit, earlier_of, visit_of
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import REPORT, assessed, sha
from tests.stream_apps.catalog.scene import amended, changes, erased, opened

FIRST: Final = "0192f0b0-2345-7abc-8def-0123456789ab"
SECOND: Final = "0192f0b8-2345-7abc-8def-0123456789ab"
UNREPORTED: Final = "0192f0c0-2345-7abc-8def-0123456789ab"
NOW: Final = "0192f0c8-2345-7abc-8def-0123456789ab"
OTHER: Final = {"kind": "woman", "subject_key": "b" * 64, "slip_number": None}
VOID: Final = {"kind": "void"}


def visits() -> list[Record]:
    """Three screenings of one woman, each with a report."""
    found: list[Record] = []
    for screening_id in (FIRST, SECOND, NOW):
        found.append(opened(screening_id=screening_id))
        found.append(assessed(screening_id=screening_id, revision_id=sha(screening_id), **REPORT))
    return found


def of(screening_id: str, number: int, amendment: Any, because: str) -> Record:
    return amended(number, amendment, because).model_copy(update={"screening_id": screening_id})


def earlier(database: Database, *more: Record) -> str | None:
    with database.writing() as connection:
        write(connection, changes([*visits(), *more]))
        found = earlier_of(connection, NOW)
        compared = None if found is None else found.visit.screening_id
        assert shown_beside(connection) == compared, "pictures beside are those of the screening that is compared with"
    return compared


def shown_beside(connection: Connection) -> str | None:
    """Whose pictures stand beside hers; None also where hers may not be shown."""
    with suppress(InvalidRecord):
        return cine_of(connection, NOW).earlier_screening_id
    return None


def test_the_newest_earlier_screening_with_a_report_counts(database: Database) -> None:
    assert earlier(database) == SECOND


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ([of(SECOND, 1, VOID, "no_screening")], FIRST),
        ([of(SECOND, 1, VOID, "no_screening"), of(SECOND, 2, {"kind": "taken_back", "amendment_number": 1},
                                                  "amended_by_mistake")], SECOND),
        ([of(SECOND, 1, OTHER, "wrong_woman")], FIRST),
        ([of(SECOND, 1, {"kind": "consent", "withdrawn": ["ai"]}, "she_withdrew")], FIRST),
        ([erased(SECOND)], FIRST),
        ([opened(screening_id=UNREPORTED)], SECOND),
        ([of(NOW, 1, OTHER, "wrong_woman")], None),
        ([of(NOW, 1, VOID, "no_screening")], None),
        ([of(NOW, 1, {"kind": "consent", "withdrawn": ["screening"]}, "she_withdrew")], None),
    ],
    ids=["void", "void taken back", "another woman's", "without consent", "erased", "not reported",
         "this one another woman's", "this one void", "this one without consent"],
)  # fmt: skip
def test_what_does_not_count_is_not_compared_with(database: Database, more: list[Record], counts: str | None) -> None:
    assert earlier(database, *more) == counts


def test_whoever_only_reads_may_ask_which_one_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    database = open_database(url)
    database.prepare()
    with database.writing() as connection:
        write(connection, changes(visits()))
    database.close()
    (row,) = ask(url, EARLIER.format(screening=f"'{NOW}'"), Limits(rows=1)).rows
    assert visit_of(row) == Visit(SECOND, "site-1", 0)


def test_the_first_screening_of_a_woman_has_none_before_it(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes(visits()))
        assert earlier_of(connection, FIRST) is None
