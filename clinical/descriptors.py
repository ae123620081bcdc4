"""Sum up what a network says about a lesion on single frames, over all frames that show it.

What one part of a lesion shows is not averaged away by the rest: a malignant score is that of its most suspicious
frames, a suspicious word holds where two frames say it. A word that is not suspicious needs most of all frames.
Source: ACR BI-RADS Atlas, 5th ed., ultrasound: a margin is circumscribed only where all of it is well defined, and the
most suspicious feature decides. A frame whose outline is unreliable says nothing (docs/decisions/0026).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from sonovan.contracts.frames import Descriptor, Region
from sonovan.contracts.lexicon import DESCRIPTORS, Organ, Term

TOP_SUSPICIOUS: Final = 3
"""A finding's malignant score is the mean over this many of its most suspicious reliable frames."""

ENOUGH: Final = 2
"""So many reliable frames must say a suspicious word; where only one is reliable, as of a still, it is enough."""


def suspicion(regions: Sequence[Region]) -> tuple[float, tuple[float, float]] | None:
    """A lesion's malignant score, and the lowest and highest of its frames; None where no reliable frame has one.

    regions: the lesion on each frame that shows it. The score is the mean of the TOP_SUSPICIOUS highest, all where
    there are fewer, to three places.
    """
    scores = sorted(
        (each.malignant for each in regions if each.malignant is not None and not each.outline_unreliable), reverse=True
    )
    if not scores:
        return None
    return _mean(scores[:TOP_SUSPICIOUS]), (scores[-1], scores[0])


def over_frames(organ: Organ, regions: Sequence[Region]) -> tuple[Descriptor, ...]:
    """One descriptor per name that any reliable region carries, in the order in which they first come.

    A suspicious word of the lexicon holds where `ENOUGH` reliable frames say one: the most suspicious of those that
    enough frames say; where each is said by fewer, the word that covers all of them if the lexicon has one, else the
    most suspicious. Any other word needs more than half of all regions, so that frames with an unreliable outline, and
    those on which it is not determined, count against it. Else it is not determined.
    The probability is the mean over the frames that say the word, or that say one that it stands for; without a word
    it is the mean over all reliable frames that looked.
    """
    reliable = [each for each in regions if not each.outline_unreliable]
    looked: dict[str, list[Descriptor]] = {}
    for region in reliable:
        for each in region.descriptors:
            looked.setdefault(each.name, []).append(each)
    enough = min(ENOUGH, len(reliable))
    terms = DESCRIPTORS[organ]
    return tuple(
        _over(name, votes, terms.get(name, Term(name, ())), enough, len(regions)) for name, votes in looked.items()
    )


def _over(name: str, votes: Sequence[Descriptor], term: Term, enough: int, frames: int) -> Descriptor:
    shares: dict[str, list[float]] = {}
    for each in votes:
        if each.value is not None:
            shares.setdefault(each.value, []).append(each.probability)
    suspicious = {word: shares[word] for word in term.suspicious if word in shares}
    if suspicious and sum(map(len, suspicious.values())) >= enough:
        word, told = _most_suspicious(suspicious, term.covers, enough)
        return Descriptor(name=name, value=word, probability=_mean(told))
    for word in sorted(shares.keys() - suspicious.keys()):
        if 2 * len(shares[word]) > frames:
            return Descriptor(name=name, value=word, probability=_mean(shares[word]))
    return Descriptor(name=name, value=None, probability=_mean([each.probability for each in votes]))


def _most_suspicious(
    shares: Mapping[str, list[float]], covers: Mapping[str, tuple[str, ...]], enough: int
) -> tuple[str, list[float]]:
    """The word to give, and the probabilities that stand for it. shares: by word, the most suspicious word first."""
    for word, told in shares.items():
        if len(told) >= enough:
            return word, told
    all_told = [share for told in shares.values() for share in told]
    for word, covered in covers.items():
        if shares.keys() <= {word, *covered}:
            return word, all_told
    return next(iter(shares)), all_told


def _mean(shares: Sequence[float]) -> float:
    """To three places."""
    return round(math.fsum(shares) / len(shares), 3)
