"""A van whose clock is ahead by years forgets nothing that is not old by the centre's clock."""

import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from sonovan.producers.plan import both_sides
from sonovan.producers.spool import Spool
from tests.producers.gateway.vans import SLIP, running
from tests.producers.spool.earlier import DAY_S, bodies, kept, scanned, spool_in, visited
from tests.producers.spool.test_spool import store_all
from tests.producers.visits import VISIT, vault_at

NOW = 1_764_000_000.0
YEARS_S = 3650 * DAY_S


def test_places_pictures_and_frames_that_wait_outlive_a_clock_that_is_ahead(tmp_path: Path) -> None:
    now = [NOW]
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        scanned(spool)
        visited(spool, frames=1)
        store_all(spool)
        spool.aging.note(NOW)
    now[0] += YEARS_S
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        before = bodies(spool)
        spool.earlier.expire()
        assert bodies(spool) == before
        assert [each.has_picture for each in kept(spool)] == [True]
        spool.aging.note(now[0])  # it was the centre's time after all
        spool.earlier.expire()
        assert kept(spool) == []


def test_a_van_that_never_reached_the_centre_goes_by_its_own_clock(tmp_path: Path) -> None:
    now = [NOW]
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        scanned(spool)
        now[0] += YEARS_S
        assert spool.aging() == now[0]
        assert kept(spool) == []


def test_a_clock_that_was_set_back_counts_and_the_newest_word_of_the_centre_does(tmp_path: Path) -> None:
    now = [NOW]
    with spool_in(tmp_path, clock=lambda: now[0]) as spool:
        spool.aging.note(NOW + YEARS_S)
        assert spool.aging() == NOW
        now[0] += YEARS_S
        spool.aging.note(NOW)  # the centre's clock was wrong and is put right
        assert spool.aging() == NOW
        now[0] = NOW - YEARS_S
        assert spool.aging() == NOW - YEARS_S


@pytest.mark.parametrize("ahead_days", [365, 1])
def test_whoever_is_expected_is_forgotten_by_the_centres_clock(tmp_path: Path, ahead_days: int) -> None:
    with running(tmp_path) as van:
        van.desk.register.expect(
            replace(VISIT, slip_number=SLIP, planned=both_sides(["breast"])), date.today() - timedelta(days=100)
        )
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        spool.aging.note(time.time() - ahead_days * DAY_S)
    with running(tmp_path) as van:
        assert (van.desk.register.by_slip(SLIP) is not None) == (ahead_days > 90)


def test_what_came_while_the_clock_was_behind_is_not_old_once_it_is_right(tmp_path: Path) -> None:
    now = [NOW]
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        scanned(spool)
        spool.aging.note(NOW)
    now[0] -= YEARS_S
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        assert spool.aging.behind_s == YEARS_S
        spool.aging.look()
        spool.earlier.expire()
        scanned(spool)
        visited(spool, frames=1)
        store_all(spool)
        waiting = bodies(spool)
    now[0] += YEARS_S + DAY_S
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        spool.aging.note(now[0])
        spool.earlier.expire()
        assert bodies(spool) == waiting
        assert [each.has_picture for each in kept(spool)] == [True, True]


def test_a_van_that_started_with_a_clock_that_is_behind_forgets_nobody_of_that_day(tmp_path: Path) -> None:
    ahead_s, days = 400 * DAY_S, timedelta(days=400)
    with Spool(tmp_path / "spool", vault_at(tmp_path), clock=lambda: time.time() + ahead_s) as spool:
        spool.aging.note(time.time() + ahead_s)  # the centre's clock is right, this machine's 400 days behind
    with running(tmp_path) as van:
        van.expect()
    with Spool(tmp_path / "spool", vault_at(tmp_path), clock=lambda: time.time() + ahead_s) as spool:
        assert spool.aging.over(90 * DAY_S) == float("-inf"), "not in the 90 days after it"
        assert spool.aging.behind_s == 0
        spool.aging.note(time.time() + ahead_s + 700)  # the first word with a clock that is right
    with Spool(tmp_path / "spool", vault_at(tmp_path), clock=lambda: time.time() + ahead_s + 91 * DAY_S) as spool:
        spool.aging.note(time.time() + ahead_s + 91 * DAY_S)
        assert date.fromtimestamp(spool.aging.over(90 * DAY_S)) >= date.today() + days


def test_forgetting_goes_on_so_long_after_the_clock_was_right_again_and_one_wrong_word_is_taken_back(
    tmp_path: Path,
) -> None:
    now = [NOW]
    with spool_in(tmp_path, clock=lambda: now[0]) as spool:
        aging = spool.aging
        aging.note(NOW)
        now[0] = NOW - YEARS_S  # eighty days later, of which this clock knows nothing
        aging.look()
        now[0] = NOW + 94 * DAY_S
        assert aging.over(90 * DAY_S) == float("-inf"), "no word of the centre yet"
        aging.note(now[0])
        assert aging.over(90 * DAY_S) == float("-inf")
        now[0] += 91 * DAY_S
        aging.note(now[0])
        assert aging.over(90 * DAY_S) == now[0] - 90 * DAY_S

        aging.note(now[0] + YEARS_S)  # the centre's clock was ahead for a moment
        assert aging.over(90 * DAY_S) == float("-inf")
        aging.note(now[0])
        now[0] += 91 * DAY_S
        aging.note(now[0])
        assert aging.over(90 * DAY_S) == now[0] - 90 * DAY_S
