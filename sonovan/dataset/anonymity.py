"""Nobody alone: what is said of a woman is said of at least k, or less is said of everybody, or she is left out.

Quasi-identifiers are what somebody may know of a woman who was screened: about how old she is, where and when she was
there, and what was examined. Each has a ladder of values that say less; all women stand on the same rung. Source:
Sweeney, "Achieving k-anonymity privacy protection using generalization and suppression", International Journal of
Uncertainty, Fuzziness and Knowledge-Based Systems 10:571 (2002). There are 32 ways to say less; all are tried.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Final

ANY: Final = "any"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Quasi:
    """Of one woman, over all her exported screenings. months: shifted days, in order. organs: sorted."""

    woman: str
    age_years: int | None
    sites: tuple[str, ...]
    days: tuple[date, ...]
    organs: tuple[str, ...]


@dataclass(frozen=True)
class Rungs:
    """How much is said: the place on each ladder, 0 says most."""

    age: int = 0
    time: int = 0
    site: int = 0


AGES: Final = (5, 10, 20, 0)
"""Years of a band; 0: any age."""
TIMES: Final = ("month", "quarter", "year", ANY)
SITES: Final = ("site", ANY)


@dataclass(frozen=True)
class Anonymous:
    """What may be said. kept: the women of classes of at least k. smallest: how many share the smallest class of them.

    suppressed: how many women are left out. generalised: how many stood in smaller classes before anything was
    generalised.
    """

    rungs: Rungs
    kept: frozenset[str]
    suppressed: int
    generalised: int
    smallest: int


def age_band(age_years: int | None, rung: int) -> str:
    """`40-44`, `unknown` where nobody asked, or `any`."""
    width = AGES[rung]
    if width == 0:
        return ANY
    if age_years is None:
        return UNKNOWN
    first = age_years // width * width
    return f"{first}-{first + width - 1}"


def time_of(day: date, rung: int) -> str:
    """`2025-03`, `2025-Q1`, `2025` or `any`."""
    kind = TIMES[rung]
    if kind == "month":
        return f"{day.year}-{day.month:02d}"
    if kind == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return str(day.year) if kind == "year" else ANY


def site_of(site: str, rung: int) -> str:
    """The site's pseudonym, or `any`."""
    return ANY if SITES[rung] == ANY else site


def anonymous(women: Sequence[Quasi], k: int, suppress_share: float) -> Anonymous:
    """Say as much as can be said with at most `suppress_share` of the women in classes below k, and leave those out.

    Of all rungs with which that holds those are taken that say most (`_loss`), then those that leave out fewest. Where
    it holds with none, most women are kept. What was examined is never generalised: the pictures show it.
    """
    allowed = suppress_share * len(women)
    found = []
    for age, time, site in product(range(len(AGES)), range(len(TIMES)), range(len(SITES))):
        rungs = Rungs(age, time, site)
        small = _small(women, rungs, k)
        beyond = 0 if len(small) <= allowed else len(small)
        found.append((beyond, _loss(rungs), len(small), place_of(rungs), rungs, small))
    *_, rungs, small = min(found, key=lambda each: each[:4])
    kept = [woman for woman in women if woman.woman not in small]
    sizes = Counter(_class(woman, rungs) for woman in kept)
    first = _small(women, Rungs(), k)
    return Anonymous(
        rungs, frozenset(each.woman for each in kept), len(small), len(first), min(sizes.values(), default=0)
    )


def place_of(rungs: Rungs) -> tuple[int, int, int]:
    """The rungs as numbers; decides between equals, so that the same women come to the same rungs."""
    return rungs.age, rungs.time, rungs.site


def _loss(rungs: Rungs) -> float:
    """How much is not said: 0 for everything, 1 for each of age, time and site that is lost whole."""
    ladders = ((rungs.age, len(AGES)), (rungs.time, len(TIMES)), (rungs.site, len(SITES)))
    return sum(rung / (length - 1) for rung, length in ladders)


def _class(woman: Quasi, rungs: Rungs) -> tuple[object, ...]:
    once: Callable[[Sequence[str]], tuple[str, ...]] = lambda values: tuple(sorted(set(values)))  # noqa: E731
    return (
        age_band(woman.age_years, rungs.age),
        tuple(time_of(day, rungs.time) for day in woman.days) if TIMES[rungs.time] != ANY else ANY,
        once([site_of(site, rungs.site) for site in woman.sites]),
        woman.organs,
    )


def _small(women: Sequence[Quasi], rungs: Rungs, k: int) -> set[str]:
    sizes = Counter(_class(woman, rungs) for woman in women)
    return {woman.woman for woman in women if sizes[_class(woman, rungs)] < k}
