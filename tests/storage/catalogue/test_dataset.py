"""What an export of a data set reads from a catalogue: as it was at a moment, with consent as it is now."""

from datetime import date, timedelta

from sonovan.contracts.amendments import ConsentAmended, Voided
from sonovan.dataset.tables import concluded_in_codes
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.dataset import read_dataset
from sonovan.storage.catalogue.writing import write
from sonovan.storage.dataset_rows import FrameRow, ReviewRow, ScreeningRow
from tests.clinical.records import NOON, SCREENING, SWEEP, segmented
from tests.contracts.conclusions import THIRD
from tests.stream_apps.catalog.scene import ANOTHER, FIRST_REVIEW, SECOND_REVIEW, amended, changes, said

LATER_MS = round((NOON + timedelta(days=1)).timestamp() * 1000)


def read(
    database: Database, *more: object, until_ms: int = LATER_MS
) -> tuple[list[ScreeningRow], list[FrameRow], list[ReviewRow]]:
    with database.writing() as connection:
        write(connection, changes([*said(), *more]))  # type: ignore[list-item]
        return read_dataset(connection, until_ms)


def test_a_screening_is_read_with_its_woman_its_day_and_her_consent_as_amendments_have_it(database: Database) -> None:
    (screening,), _, _ = read(database)
    assert (screening.screening_id, screening.subject_key) == (SCREENING, ANOTHER)
    assert (screening.examined_on, screening.age_years, screening.site_code) == (date(2025, 3, 4), 52, "site-1")
    assert (screening.screening, screening.ai, screening.research, screening.void) == (True, True, False, False)


def test_frames_are_those_of_the_newest_revisions_network_with_their_right_side(database: Database) -> None:
    _, frames, reviews = read(database)
    assert [(frame.sequence_id == SWEEP, frame.frame_index) for frame in frames][:5] == [(True, n) for n in range(5)]
    assert len(frames) == 6  # five of one sweep, one of the other; none of a newer network
    assert {type(frame.assessable) for frame in frames} == {bool}
    assert [review.review_id for review in reviews] == [FIRST_REVIEW, SECOND_REVIEW]


def test_nothing_that_is_read_says_who_scanned(database: Database) -> None:
    found = read(database)
    with database.writing() as connection:
        scanned_by = connection.exec_driver_sql("SELECT DISTINCT operator FROM sequence_closing").scalars().all()
    assert "op-7" in scanned_by
    assert "op-7" not in repr(found)


def test_what_came_later_is_not_read_but_consent_that_was_taken_back_later_is(database: Database) -> None:
    records = said()
    first_review = next(place for place, each in enumerate(records) if getattr(each, "review_id", "") == FIRST_REVIEW)
    until = round((NOON + timedelta(seconds=first_review)).timestamp() * 1000)
    more = (amended(5, Voided(), "no_screening"), amended(6, ConsentAmended(withdrawn=("ai",)), "she_withdrew"))
    (screening,), frames, reviews = read(database, *more, segmented(4711), until_ms=until)
    assert len(frames) == 6
    assert [review.review_id for review in reviews] == [FIRST_REVIEW]
    assert (screening.void, screening.ai) == (True, False)


def test_before_the_first_revision_there_is_no_screening(database: Database) -> None:
    assert read(database, until_ms=round(NOON.timestamp() * 1000) + 1) == ([], [], [])


def test_what_a_reader_signed_and_what_became_of_her_are_read_as_they_stood_then(database: Database) -> None:
    records = said()
    (screening,), _, _ = read(database)
    assert concluded_in_codes(screening.conclusions) == (
        "breast.left BI-RADS:4A tissue_diagnosis", "thyroid.left TI-RADS:TR3 follow_up 12m",
    )  # fmt: skip
    assert screening.outcomes == ("called +1d", "core_biopsy breast.left malignant +16d")
    revised = next(place for place, each in enumerate(records) if getattr(each, "outcome_id", "") == THIRD)
    until = round((NOON + timedelta(seconds=revised)).timestamp() * 1000) - 1
    (before,), _, _ = read(database, until_ms=until)
    assert before.outcomes == ("called +1d", "core_biopsy breast.left benign +16d")
