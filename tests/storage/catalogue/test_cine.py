"""What a reader is shown of a screening's pictures, and what not."""

import pytest
from sqlalchemy import text

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.van import Panel
from sonovan.storage.catalogue.cine import cine_of, marks_of, pictures_between, tracks_of
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import SCREENING, SWEEP, SWEEP_2, segmented, sha
from tests.stream_apps.catalog.scene import ANOTHER_SCREENING, amended, changes, opened, said


@pytest.fixture
def filled(database: Database) -> Database:
    """A catalogue that knows the whole scene."""
    with database.writing() as connection:
        write(connection, changes())
    return database


def test_a_screening_has_its_sweeps_with_frames_in_order_and_what_was_refused(filled: Database) -> None:
    with filled.writing() as connection:
        cine = cine_of(connection, SCREENING)
    assert (cine.site_code, cine.revision_number) == ("site-1", 3)
    assert cine.clinical is not None
    assert cine.clinical["palpable_lump"] == "left"
    first, second = cine.sweeps
    assert (first.sequence_id, first.organ, first.expected) == (SWEEP, "breast", 6)
    assert [frame.frame_index for frame in first.frames] == [0, 1, 2, 3, 4]
    assert first.rejected == {9: "pixels_corrupt"}
    assert (second.sequence_id, second.organ, second.still) == (SWEEP_2, "thyroid", True)


def test_a_frame_carries_its_own_panels_and_scale(filled: Database) -> None:
    truth = segmented(0)
    with filled.writing() as connection:
        frame = cine_of(connection, SCREENING).sweeps[0].frames[0]
        (picture,) = pictures_between(connection, SCREENING, SWEEP, 0, 1)
    assert (frame.rows, frame.columns, frame.panels) == (truth.rows, truth.columns, truth.panels)
    assert all(isinstance(panel, Panel) for panel in frame.panels)
    assert (picture.channels, picture.bits, picture.panels) == (truth.channels, truth.bits, truth.panels)
    assert (picture.frame_id, picture.image_sha256) == (truth.frame_id, truth.image_sha256)
    assert picture.weights_sha256 == truth.weights_sha256


def test_the_result_of_the_screenings_own_network_counts(filled: Database) -> None:
    with filled.writing() as connection:
        pictures = pictures_between(connection, SCREENING, SWEEP, 1, 2)
    assert [each.frame_index for each in pictures] == [1, 2]
    assert {each.fingerprint for each in pictures} == {segmented(1).fingerprint}


def test_before_any_revision_the_first_result_counts(database: Database) -> None:
    told = [opened(), segmented(0, fingerprint=sha("the first")), segmented(0, fingerprint=sha("another network"))]
    with database.writing() as connection:
        write(connection, changes(told))
        (picture,) = pictures_between(connection, SCREENING, SWEEP, 0, 9)
    assert picture.fingerprint == sha("the first")


def test_tracks_are_those_of_the_newest_revision(filled: Database) -> None:
    with filled.writing() as connection:
        tracks = tracks_of(connection, SCREENING)
        assert marks_of(connection, SCREENING) == []
    assert [(each.ordinal, each.sequence_id) for each in tracks] == [(1, SWEEP), (2, SWEEP_2)]
    assert all(each.first_frame <= each.key_frame <= each.last_frame for each in tracks)


def test_a_screening_that_nobody_knows_has_no_pictures(filled: Database) -> None:
    with filled.writing() as connection:
        with pytest.raises(InvalidRecord, match="has no screening") as caught:
            cine_of(connection, ANOTHER_SCREENING)
        assert caught.value.reason == "address_unknown"
        with pytest.raises(InvalidRecord, match="no sweep of"):
            pictures_between(connection, ANOTHER_SCREENING, SWEEP, 0, 1)


@pytest.mark.parametrize("withdrawn", ["screening", "ai"])
def test_pictures_of_a_woman_who_no_longer_agrees_are_refused(database: Database, withdrawn: str) -> None:
    from sonovan.contracts.amendments import ConsentAmended

    record = amended(7, ConsentAmended.model_validate({"withdrawn": (withdrawn,)}), "she_withdrew")
    with database.writing() as connection:
        write(connection, changes([*said(), record]))
        for ask in (
            lambda: cine_of(connection, SCREENING),
            lambda: pictures_between(connection, SCREENING, SWEEP, 0, 1),
        ):
            with pytest.raises(InvalidRecord) as caught:
                ask()
            assert caught.value.reason == "consent_refused"


def test_a_row_of_an_earlier_catalogue_says_that_it_lacks_how_the_frame_is_coded(filled: Database) -> None:
    with filled.writing() as connection:
        connection.execute(text("UPDATE frame SET channels = NULL, bits = NULL, panels = NULL"))
        (picture,) = pictures_between(connection, SCREENING, SWEEP, 0, 1)
    assert (picture.channels, picture.bits, picture.panels) == (None, None, ())
