"""What leads and engineers ask: vans, rejections, figures of quality and networks, of the sites that they may see."""

import pytest

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.operations import Rejected, flags, fleet, measured, networks, rejections
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import SCREENING, VAN
from tests.stream_apps.catalog.scene import changes

HERE, ELSEWHERE = frozenset({"site-1"}), frozenset({"site-9"})


@pytest.fixture
def told(database: Database) -> Database:
    """A catalogue with the whole scene."""
    with database.writing() as connection:
        write(connection, changes())
    return database


def test_a_van_is_seen_by_those_at_whose_site_it_screens(told: Database) -> None:
    with told.writing() as connection:
        assert [row["van_id"] for row in fleet(connection, None)] == [VAN]
        assert [row["waiting"] for row in fleet(connection, HERE)] == [1]
        assert fleet(connection, ELSEWHERE) == []


def test_rejections_are_counted_by_reason_and_the_newest_are_listed(told: Database) -> None:
    with told.writing() as connection:
        counted, listed = rejections(connection, Rejected(None))
        assert sum(row["records"] for row in counted) == len(listed) > 0
        reason = counted[0]["reason"]
        _, some = rejections(connection, Rejected(None, reason=reason))
        assert {row["reason"] for row in some} == {reason}
        assert rejections(connection, Rejected(None, van_id="van-9"))[1] == []
        assert [row["state"] for row in rejections(connection, Rejected(None, state="open"))[1]] == ["open"]
        assert rejections(connection, Rejected(None, state="sent")) == ([], [])
        assert rejections(connection, Rejected(ELSEWHERE)) == ([], [])


def test_each_stratum_has_its_newest_agreement(told: Database) -> None:
    with told.writing() as connection:
        found = measured(connection)
        strata = [row["stratum"] for row in found]
        assert strata
        assert len(set(strata)) == len(strata)


def test_frames_to_look_at_are_those_of_the_own_sites(told: Database) -> None:
    with told.writing() as connection:
        assert {row["screening_id"] for row in flags(connection, HERE)} == {SCREENING}
        assert flags(connection, ELSEWHERE) == []


def test_a_network_has_the_screenings_for_which_it_counts_and_its_shadow_frames(told: Database) -> None:
    with told.writing() as connection:
        found = networks(connection)
        assert sum(row["screenings"] for row in found) == 1
        assert sum(row["shadow_frames"] for row in found) >= 1
