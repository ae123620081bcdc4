"""The share of days and what screenings are worth: known values, and that the share is found where it is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.quality.days import share_of_days, worth

DAYS = st.lists(st.integers(0, 6), min_size=2, max_size=60)


def test_screenings_that_share_nothing_count_each() -> None:
    assert worth([1, 1, 2, 2], 0) == 4
    assert worth([1, 1, 2, 2], 1) == 2
    assert worth([1, 2, 3, 4], 1) == 4
    assert worth([1, 1, 1, 2], 0.5) == pytest.approx(4 / (1 + 1.5 * 0.5))  # Kish: (9 + 1) / 4 - 1 = 1.5


def test_where_days_tell_nothing_and_everything() -> None:
    assert share_of_days([1, 2, 3, 4], [1, 2, 3, 4]) == 0
    assert share_of_days([1, 2, 3, 4], [1, 1, 1, 1]) == 1
    assert share_of_days([5, 5, 5, 5], [1, 1, 2, 2]) == 0
    assert share_of_days([5, 5, 7, 7], [1, 1, 2, 2]) == 1


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_a_share_that_is_known_is_found_and_seldom_exceeded_by_what_counts(share: float) -> None:
    draw, likeliest, counted = np.random.default_rng(7), list[float](), list[float]()
    days = np.repeat(np.arange(20), 20)
    for _ in range(200):
        values = draw.normal(0, share**0.5, 20)[days] + draw.normal(0, (1 - share) ** 0.5, 400)
        likeliest.append(share_of_days(values.tolist(), days.tolist(), certainty_z=0))
        counted.append(share_of_days(values.tolist(), days.tolist(), certainty_z=1.2816))
    assert float(np.median(likeliest)) == pytest.approx(share, abs=0.25 * share)
    assert 0.82 <= float(np.mean(np.array(counted) >= share)) <= 0.96  # stated: nine of ten


@given(days=DAYS, share=st.floats(0, 1))
def test_screenings_are_worth_no_more_than_they_are_and_no_less_than_one(days: list[int], share: float) -> None:
    assert 1 - 1e-9 <= worth(days, share) <= len(days)


@given(days=DAYS, data=st.data())
def test_a_share_is_a_share_and_names_of_days_do_not_matter(days: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(days), max_size=len(days)))
    share = share_of_days(values, days)
    assert 0 <= share <= 1
    assert share_of_days(values, [100 - day for day in days]) == pytest.approx(share, abs=1e-6)
