"""How well each reader agrees with the others, on outlines and on words, and which readings stand out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.intervals import Ci95, ratio_ci95
from sonovan.models.evaluation.measures import overlap
from sonovan.models.labels.kappa import Kappa, cohen, fleiss
from sonovan.models.labels.readings import Reading
from sonovan.models.labels.staple import consensus

Mask = NDArray[np.bool_]

FENCE: Final = 1.5
"""A Dice stands out where it lies below the first quartile by this many quartile distances (Tukey, 1977)."""
LOW: Final = 0.5
"""… and below this: where all agree closely, the lowest is no outlier that anybody must look at."""
FEW: Final = 4
"""With fewer readings there are no quartiles to speak of; a Dice below LOW then stands out by itself."""

OutlierReason = Literal["drew_nothing", "drew_alone", "elsewhere", "far_from_others"]


@dataclass(frozen=True)
class ReaderAgreement:
    """One reader against the consensus of the others.

    pictures: that somebody else read as well. dice: mean over those where the reader or the others outlined something,
    None without any; ci95 over groups. both_empty: nobody outlined anything. drew_nothing, drew_alone: the others
    outlined something and the reader nothing, and the other way round; their Dice of 0 counts.
    """

    reader: str
    pictures: int
    dice: float | None
    ci95: Ci95 | None
    both_empty: int
    drew_nothing: int
    drew_alone: int


@dataclass(frozen=True)
class WordAgreement:
    """On one term. pairs: Cohen's kappa of each two readers. all: Fleiss' kappa where a third reader said it, else
    None.
    """

    term: str
    pairs: dict[tuple[str, str], Kappa]
    all: Kappa | None


@dataclass(frozen=True)
class Outlier:
    """A reading that somebody should look at. dice: with the consensus of the others."""

    picture: str
    reader: str
    reason: OutlierReason
    dice: float


@dataclass(frozen=True)
class Agreement:
    """consensus: a mask for each picture that two or more read. alone: pictures that one reader read; nothing is said
    of them.
    """

    readers: tuple[ReaderAgreement, ...]
    words: tuple[WordAgreement, ...]
    outliers: tuple[Outlier, ...]
    consensus: dict[str, Mask]
    groups: dict[str, str]
    alone: tuple[str, ...]


@dataclass(frozen=True)
class _Against:
    """A reading against the others'. dice: None where neither outlined anything."""

    reading: Reading
    dice: float | None
    others_drew: bool


def agreement(readings: Sequence[Reading]) -> Agreement:
    """Everything that is said of readings, in the order of readers, terms and pictures.

    Each reader has read a picture at most once; ValueError where somebody did twice.
    """
    pictures: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        if any(other.reader == reading.reader for other in pictures[reading.picture]):
            raise ValueError(f"{reading.reader} has read {reading.picture} twice")
        pictures[reading.picture].append(reading)
    shared = {name: each for name, each in sorted(pictures.items()) if len(each) > 1}
    against = [one for each in shared.values() for one in _against(each)]
    return Agreement(
        tuple(_reader(name, against) for name in sorted({one.reading.reader for one in against})),
        tuple(_words(term, shared) for term in sorted({term for each in readings for term in each.words})),
        tuple(_outliers(against)),
        {name: consensus([reading.mask for reading in each]) for name, each in shared.items()},
        {name: each[0].group for name, each in shared.items()},
        tuple(sorted(pictures.keys() - shared.keys())),
    )


def _against(readings: Sequence[Reading]) -> list[_Against]:
    """Each reading with the consensus of the others.

    Where the others are evenly split on whether there is anything at all, they have no consensus: the reading is
    measured against those who are of its mind, for with it they are the more.
    """
    found = []
    for reading in readings:
        others = [other.mask for other in readings if other is not reading]
        drew = [bool(mask.any()) for mask in others]
        own = bool(reading.mask.any())
        if 2 * sum(drew) == len(others):
            others = [mask for mask, drawn in zip(others, drew, strict=True) if drawn == own]
        agreed = consensus(others)
        dice = overlap(reading.mask, agreed)[0] if own or agreed.any() else None
        found.append(_Against(reading, dice, bool(agreed.any())))
    return found


def _reader(name: str, against: Sequence[_Against]) -> ReaderAgreement:
    own = [one for one in against if one.reading.reader == name]
    measured = [(one.dice, one.reading.group) for one in own if one.dice is not None]
    values = [dice for dice, _ in measured]
    return ReaderAgreement(
        name,
        len(own),
        round(float(np.mean(values)), 4) if values else None,
        ratio_ci95(values, [1.0] * len(values), [group for _, group in measured]),
        sum(one.dice is None for one in own),
        sum(one.others_drew and not one.reading.mask.any() for one in own),
        sum(not one.others_drew and bool(one.reading.mask.any()) for one in own),
    )


def _words(term: str, shared: dict[str, list[Reading]]) -> WordAgreement:
    said = {
        name: {each.reader: each.words[term] for each in readings if term in each.words}
        for name, readings in shared.items()
    }
    groups = {name: readings[0].group for name, readings in shared.items()}
    readers = sorted({reader for each in said.values() for reader in each})
    pairs = {}
    for one, other in combinations(readers, 2):
        names = [name for name, each in said.items() if one in each and other in each]
        if names:
            words = ([said[name][one] for name in names], [said[name][other] for name in names])
            pairs[one, other] = cohen(*words, [groups[name] for name in names])
    of_all = (
        fleiss([list(each.values()) for each in said.values()], list(groups.values())) if len(readers) > 2 else None
    )
    return WordAgreement(term, pairs, of_all)


def _outliers(against: Sequence[_Against]) -> list[Outlier]:
    """Sorted by Dice, the worst first."""
    values = [one.dice for one in against if one.dice is not None]
    fence = LOW
    if len(values) >= FEW:
        first, third = np.percentile(values, (25, 75))
        fence = min(LOW, float(first - FENCE * (third - first)))
    found = []
    for one in against:
        if one.dice is None:
            continue
        drew = bool(one.reading.mask.any())
        reason: OutlierReason | None = None
        if one.others_drew and not drew:
            reason = "drew_nothing"
        elif drew and not one.others_drew:
            reason = "drew_alone"
        elif one.dice == 0:
            reason = "elsewhere"
        elif one.dice < fence:
            reason = "far_from_others"
        if reason is not None:
            found.append(Outlier(one.reading.picture, one.reading.reader, reason, round(one.dice, 4)))
    return sorted(found, key=lambda each: (each.dice, each.picture, each.reader))
