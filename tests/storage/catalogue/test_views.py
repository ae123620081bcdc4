"""What people read: amendments in force hold, the newest revision counts, and nothing says who she is."""

import pytest
from sqlalchemy import text

from sonovan.contracts.amendments import ConsentAmended, Voided
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.views import FOR_READERS, VIEWS
from sonovan.storage.catalogue.writing import write
from sonovan.storage.keys import review_mask_key
from tests.clinical.records import SWEEP, assessed, finding, region, segmented, sha
from tests.storage.catalogue.dump import asked
from tests.stream_apps.catalog.scene import (
    ANOTHER,
    FIRST_PROMOTION,
    SECOND_PROMOTION,
    SECOND_REVIEW,
    amended,
    changes,
    said,
)


@pytest.fixture
def told(database: Database) -> Database:
    """A catalogue with the whole scene."""
    with database.writing() as connection:
        write(connection, changes())
    return database


def also(database: Database, *records: object) -> None:
    """The scene, and then these."""
    with database.writing() as connection:
        write(connection, changes([*said(), *records]))  # type: ignore[list-item]


def test_a_screening_is_of_the_woman_and_under_the_consent_of_the_amendments_in_force(told: Database) -> None:
    (row,) = asked(told, "SELECT * FROM screenings")
    assert (bool(row["consent_screening"]), bool(row["consent_research"])) == (True, False)
    assert (row["revision_number"], row["status"], row["age_years"], row["palpable_lump"]) == (
        3,
        "complete",
        52,
        "left",
    )
    assert asked(told, "SELECT subject_key FROM women") == [{"subject_key": ANOTHER}]
    assert [row["kind"] for row in asked(told, "SELECT kind FROM amendments ORDER BY amendment_number")] == [
        "woman",
        "consent",
    ]


def test_the_findings_are_those_of_the_newest_revision_with_addresses_in_place_of_keys(told: Database) -> None:
    rows = asked(told, "SELECT finding_id, organ, malignant, image_address FROM findings ORDER BY ordinal")
    assert [row["finding_id"] for row in rows] == [sha("finding 1"), sha("finding 3")]
    assert rows[0]["image_address"] == f"sonovan://frames/{SWEEP}/000012"
    (mask,) = asked(told, f"SELECT mask_address FROM sightings WHERE sequence_id = '{SWEEP}'")
    assert mask["mask_address"] == f"sonovan://masks/{SWEEP}/000012/{sha('network with companions')[:16]}"


def test_where_a_reader_outlined_a_lesion_its_mask_is_the_readers_and_the_predicted_one_the_machines(
    told: Database,
) -> None:
    drawn = finding(
        1, malignant=0.7, key_frame_id=f"{SWEEP}/000011", mask_key=review_mask_key(SWEEP, 11, SECOND_REVIEW),
        mask_sha256=sha("drawn"), reader_frames=(11,),
    )  # fmt: skip
    machine = segmented(11, (region(),))
    also(told, machine, assessed(revision_number=4, revision_id=sha("four"), findings=(drawn, finding(2))))
    rows = asked(
        told,
        "SELECT mask_address, predicted_mask_address, outlined_by_reader FROM sightings ORDER BY ordinal",
    )
    network = f"sonovan://masks/{SWEEP}/0000{{}}/{sha('network with companions')[:16]}"
    assert [(row["mask_address"], row["predicted_mask_address"], bool(row["outlined_by_reader"])) for row in rows] == [
        (f"sonovan://reviews/{SECOND_REVIEW}", network.format(11), True),
        (network.format(12), None, False),
    ]
    records = asked(told, "SELECT record_id, predicted_mask_address FROM breast_records ORDER BY record_id")
    assert network.format(11) in [row["predicted_mask_address"] for row in records]


def test_each_revision_names_its_network_and_each_promotion_whether_it_counts(told: Database) -> None:
    also(
        told,
        assessed(revision_number=4, revision_id=sha("four"), fingerprint=sha("a candidate"), findings=()),
    )
    rows = asked(told, "SELECT revision_number, fingerprint, newest, after_another_network FROM revisions ORDER BY 1")
    assert [(row["revision_number"], bool(row["newest"]), bool(row["after_another_network"])) for row in rows] == [
        (1, False, False), (2, False, False), (3, False, False), (4, True, True),
    ]  # fmt: skip
    assert rows[-1]["fingerprint"] == sha("a candidate")
    rows = asked(told, "SELECT promotion_id, counts, first_revision_number FROM promotions ORDER BY promotion_id")
    assert [(row["promotion_id"], bool(row["counts"]), row["first_revision_number"]) for row in rows] == [
        (FIRST_PROMOTION, False, None), (SECOND_PROMOTION, True, 4),
    ]  # fmt: skip


def test_a_frame_of_another_network_than_the_screenings_is_a_shadow(told: Database) -> None:
    rows = asked(
        told, f"SELECT frame_index, shadow FROM frames WHERE sequence_id = '{SWEEP}' ORDER BY frame_index, shadow"
    )
    assert [(row["frame_index"], bool(row["shadow"])) for row in rows] == [
        (0, False), (1, False), (1, True), (2, False), (3, False), (4, False),
    ]  # fmt: skip


def test_the_newest_review_of_a_reader_counts_and_is_the_expert_mask_of_the_breast_record(told: Database) -> None:
    assert [row["review_id"] for row in asked(told, "SELECT review_id FROM counted_reviews")] == [SECOND_REVIEW]
    (row,) = asked(told, "SELECT * FROM breast_records")
    assert (row["side"], row["age_years"]) == ("left", 52)
    assert row["dice"] is None, "the reader outlined nothing there, so that there is nothing to overlap with"
    assert row["image_address"] == f"sonovan://frames/{SWEEP}/000012"
    assert row["screening_date"] == "2025-03-04"
    (lobe,) = asked(told, "SELECT * FROM thyroid_records")
    assert (lobe["lobe"], lobe["suggested_ti_rads"], lobe["blood_flow"]) == ("left", None, None)


def test_a_side_that_was_examined_and_shows_nothing_has_a_record_with_its_best_frame(database: Database) -> None:
    also(database, assessed(revision_number=4, revision_id=sha("four"), findings=()))
    (row,) = asked(database, "SELECT side, image_address, malignant FROM breast_records")
    assert row == {"side": "left", "image_address": f"sonovan://frames/{SWEEP}/000000", "malignant": None}


def test_an_alert_stands_as_its_newest_record_says_with_who_answered(told: Database) -> None:
    (row,) = asked(told, "SELECT state, answered_by, answers, organ FROM alerts WHERE answers > 0")
    assert row == {"state": "vanished", "answered_by": "nurse-1", "answers": 1, "organ": "breast"}


def test_a_van_has_its_newest_report_and_a_fault_that_ended_stands_no_more(told: Database) -> None:
    rows = asked(told, "SELECT van_id, waiting, screenings, faults FROM vans")
    assert rows == [{"van_id": "van-1", "waiting": 1, "screenings": 1, "faults": 0}]


@pytest.mark.parametrize(
    ("amendment", "because"),
    [(Voided(), "no_screening"), (ConsentAmended(withdrawn=("screening",)), "she_withdrew")],
    ids=["void", "screening withdrawn"],
)
def test_nothing_of_a_void_screening_or_one_that_she_withdrew_is_in_the_programmes_records(
    database: Database, amendment: object, because: str
) -> None:
    also(database, amended(5, amendment, because))
    assert asked(database, "SELECT * FROM breast_records") == []
    (row,) = asked(database, "SELECT age_years, clinical_data FROM screenings")
    assert row == {"age_years": None, "clinical_data": None}


def test_a_silenced_revision_shows_no_finding(database: Database) -> None:
    silent = assessed(
        revision_number=9, revision_id=sha("silent"), findings=(),
        amendments=({"amendment_number": 5, "kind": "void", "because": "no_screening"},),
    )  # fmt: skip
    also(database, silent)
    assert asked(database, "SELECT * FROM findings") == []
    (row,) = asked(database, "SELECT findings, suspicion FROM screenings")
    assert row == {"findings": None, "suspicion": None}
    assert asked(database, "SELECT * FROM worklist") == []


def test_the_worklist_begins_with_the_most_suspicious_and_then_the_oldest(database: Database) -> None:
    ids = [f"0192f0c1-2345-7abc-8def-00000000000{number}" for number in range(1, 5)]
    scores = (0.2, 0.9, None, 0.9)
    revised = [
        assessed(screening_id=name, revision_id=sha(name), findings=(finding(1, malignant=score),))
        for name, score in zip(ids, scores, strict=True)
    ]
    with database.writing() as connection:
        write(connection, changes(revised))
    listed = [row["screening_id"] for row in asked(database, "SELECT screening_id FROM worklist LIMIT 50")]
    assert listed == [ids[1], ids[3], ids[2], ids[0]]


def test_no_view_that_readers_may_ask_shows_a_subject_key_or_a_slip(told: Database) -> None:
    with told.writing() as connection:
        for name in FOR_READERS:
            columns = set(connection.execute(text(f"SELECT * FROM {name}")).keys())
            assert not columns & {"subject_key", "slip_number", "image_key", "mask_key", "report_html_key"}, name
    assert set(FOR_READERS) < set(VIEWS)


def test_a_page_of_the_worklist_is_read_off_an_index_and_sorts_nothing(database: Database) -> None:
    """So it takes as long among a hundred thousand screenings as among a hundred."""
    with database.writing() as connection:
        if database.dialect == "postgresql":  # tiny tables would be read whole
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = connection.exec_driver_sql("EXPLAIN SELECT * FROM worklist LIMIT 50").all()
            plan = "\n".join(str(row[0]) for row in rows)
            assert "Sort" not in plan
        else:
            rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN SELECT * FROM worklist LIMIT 50").all()
            plan = "\n".join(str(row[3]) for row in rows)
            assert "TEMP B-TREE" not in plan
    assert "screening_by_suspicion" in plan
