"""Nobody alone in an export: classes of at least k, by saying less or by leaving out, and names that say nothing."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.dataset.anonymity import Quasi, Rungs, age_band, anonymous, site_of, time_of
from sonovan.dataset.pseudonyms import Pseudonyms

DAY = date(2025, 3, 4)
KEY = "x" * 32


def women(*told: tuple[int | None, str, int]) -> list[Quasi]:
    return [
        Quasi(f"w{place}", age, (site,), (DAY + timedelta(days=days),), ("breast",))
        for place, (age, site, days) in enumerate(told)
    ]


def seen(woman: Quasi, rungs: Rungs) -> tuple[object, ...]:
    return (
        age_band(woman.age_years, rungs.age),
        tuple(time_of(day, rungs.time) for day in woman.days) if rungs.time < 3 else "any",
        tuple(sorted({site_of(site, rungs.site) for site in woman.sites})),
        woman.organs,
    )


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(20, 89)), st.sampled_from("ab"), st.integers(0, 900)), max_size=40
    ),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.05, 0.3]),
)
def test_whoever_is_kept_shares_what_is_said_of_her_with_k(
    told: list[tuple[int | None, str, int]], k: int, share: float
) -> None:
    made = women(*told)
    safe = anonymous(made, k, share)
    sizes = Counter(seen(woman, safe.rungs) for woman in made if woman.woman in safe.kept)
    assert all(size >= k for size in sizes.values())
    assert len(safe.kept) + safe.suppressed == len(made)
    assert safe.smallest == min(sizes.values(), default=0)


def test_nothing_is_generalised_where_nobody_is_alone() -> None:
    safe = anonymous(women(*[(47, "a", 0)] * 5), 5, 0.0)
    assert (safe.rungs, safe.suppressed, safe.generalised, safe.smallest) == (Rungs(), 0, 0, 5)


def test_less_is_said_of_that_alone_which_makes_women_rare() -> None:
    apart = women(*[(41, "a", 0)] * 3, *[(47, "a", 0)] * 3)
    safe = anonymous(apart, 4, 0.0)
    assert (safe.rungs, safe.suppressed, safe.generalised) == (Rungs(age=1), 0, 6)
    spread = women(*[(47, "a", 100 * number) for number in range(6)])
    assert anonymous(spread, 6, 0.0).rungs == Rungs(time=3)
    sites = women(*[(47, "ab"[number % 2], 0) for number in range(6)])
    assert anonymous(sites, 6, 0.0).rungs == Rungs(site=1)


def test_a_few_rare_women_are_left_out_rather_than_everybody_blurred() -> None:
    told = women(*[(47, "a", 0)] * 19, (83, "a", 0))
    assert anonymous(told, 5, 0.05).suppressed == 1
    assert anonymous(told, 5, 0.05).rungs == Rungs()
    assert anonymous(told, 5, 0.0).suppressed == 0


def test_what_was_examined_is_never_generalised() -> None:
    told = women(*[(47, "a", 0)] * 4)
    odd = [*told, Quasi("rare", 47, ("a",), (DAY,), ("breast", "thyroid"))]
    assert anonymous(odd, 2, 0.0).suppressed == 1


@pytest.mark.parametrize(("rung", "told"), [(0, "2025-03"), (1, "2025-Q1"), (2, "2025"), (3, "any")])
def test_times_say_less_from_rung_to_rung(rung: int, told: str) -> None:
    assert time_of(DAY, rung) == told


def test_ages_say_less_from_rung_to_rung() -> None:
    assert [age_band(47, rung) for rung in range(4)] == ["45-49", "40-49", "40-59", "any"]
    assert [age_band(None, rung) for rung in (0, 3)] == ["unknown", "any"]


def test_names_are_the_same_under_one_key_and_others_under_another() -> None:
    one, other = Pseudonyms(KEY), Pseudonyms("y" * 32)
    assert one.woman("a") == Pseudonyms(KEY).woman("a") != one.woman("b")
    assert one.woman("a") != other.woman("a")
    assert one.woman("a")[2:] != one.screening("a")[2:]
    assert one.check() != other.check()
    assert KEY not in repr(one)
    with pytest.raises(ValueError, match="32 characters"):
        Pseudonyms("short")


@given(st.text(min_size=1), st.integers(0, 1000))
def test_a_womans_dates_move_together_and_never_stay(subject: str, days: int) -> None:
    names = Pseudonyms(KEY)
    first, second = names.shifted(DAY, subject), names.shifted(DAY + timedelta(days=days), subject)
    assert (second - first).days == days
    assert 0 < abs((first - DAY).days) <= 182
