"""Describe each region that was found: a malignant score and descriptors, each with its probability.

A small graph reads the network's features in the region, in a ring around it and in the tissue below it (where shadows
and enhancement fall), together with the region's shape and grey levels. Descriptors use the words of the data sets from
which they were learnt; words that were too rare are merged. The companion's settings tell which heads are switched on
(`breast.shape` = 0 is off) and from which probability a word is given instead of "not determined": its own
(`breast.shape.irregular`, where 0 switches the word off), else its head's.
Orientation is no head but a rule on the axes: ACR BI-RADS Atlas, 5th ed., and Tessler et al., J Am Coll Radiol 14:587.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.entry_checks import check_companion
from sonovan.models.engine.runner import Outputs
from sonovan.models.heads.companion import Companion
from sonovan.models.heads.region_vector import in_square, region_vector, tallness
from sonovan.models.picture.letterbox import Box, Gray, Letterbox
from sonovan.models.regions import FoundDescriptor, FoundRegion

WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "breast": {
        "shape": ("oval_or_round", "irregular"),
        "margin": ("circumscribed", "not_circumscribed"),
        "echogenicity": ("anechoic", "hypoechoic", "heterogeneous", "iso_or_hyperechoic"),
        "posterior_features": ("none", "enhancement", "shadowing"),
        "halo": ("no", "yes"),
        "calcifications": ("no", "yes"),
        "skin_thickening": ("no", "yes"),
    },
    "thyroid": {
        "composition": ("cystic_or_mixed", "spongiform", "solid"),
        "echogenicity": ("hyper_or_isoechoic", "hypoechoic", "markedly_hypoechoic"),
        "margin": ("smooth", "ill_defined", "lobulated_or_irregular"),
        "calcifications": ("none", "macrocalcification", "microcalcification"),
    },
}
"""Descriptors of each organ and their values; the graph gives `organ.descriptor` (N, values) in this order."""
ORIENTATION: Final[Mapping[str, tuple[str, str]]] = {
    "breast": ("parallel", "not_parallel"),
    "thyroid": ("wider_than_tall", "taller_than_wide"),
}
ROUND: Final[Mapping[str, float]] = {"breast": math.log(1 / 0.9), "thyroid": 0.0}
"""How much wider than tall, as a logarithm, a region may be that still counts as not parallel: a breast lesion whose
height is 0.9 of its width is round or lies askew, which BI-RADS calls not parallel (docs/decisions/0060). Of a thyroid
nodule the height must exceed the width."""
MALIGNANT: Final = ("breast",)
"""Organs with a malignant score: those for which there was histology to learn it from."""
MOST: Final = 12
"""At most this many regions of a panel, the largest, are described: more of them are a wrong mask, not lesions."""


def given_word(key: str, words: Sequence[str], shares: Sequence[float], settings: Mapping[str, float]) -> str | None:
    """The likeliest word, where it is probable enough to be given; None is "not determined".

    key: `organ.descriptor`. words, shares: of the head, in one order. settings: the companion's, where `key` is on.
    """
    best = max(range(len(words)), key=lambda place: shares[place])
    least = settings.get(f"{key}.{words[best]}", settings[key])
    return words[best] if 0 < least <= shares[best] else None


class Lesions:
    """The companion `lesions` of a network. `describe` may be called from several threads at once."""

    def __init__(self, graph: bytes, settings: Mapping[str, float]) -> None:
        """Raises WrongWeights for a graph that cannot be run."""
        self._graph = Companion(graph, "lesions")
        check_companion(self._graph, "lesions", ("regions",))
        self._settings = dict(settings)

    def describe(
        self, regions: Sequence[FoundRegion], square: Gray, view: Box, fit: Letterbox, seen: Outputs, organ: str
    ) -> list[FoundRegion]:
        """The regions with `malignant` and `descriptors`, in their order.

        regions: of one panel, in pixels of the frame. square: (side, side) uint8, the panel as the network saw it;
        view: which part of the frame it shows; fit: where that lies in the square. seen: the network's outputs for it
        alone, N = 1, with `deep`, `fine` and `edge`.
        """
        largest = sorted(range(len(regions)), key=lambda number: -regions[number].area_px)[:MOST]
        found = list(regions)
        if not largest:
            return found
        features = {name: array[0] for name, array in seen.items()}
        masks = [in_square(regions[number].box, regions[number].mask, view, fit, square.shape[0]) for number in largest]
        vectors = np.stack([region_vector(square, mask, fit, features) for mask in masks])
        given = self._graph.run({"regions": vectors})
        for place, number in enumerate(largest):
            malignant = round(float(given["malignant"][place, 0]), 4) if organ in MALIGNANT else None
            descriptors = [
                self._value(f"{organ}.{name}", name, words, given[f"{organ}.{name}"][place])
                for name, words in WORDS.get(organ, {}).items()
                if self._settings.get(f"{organ}.{name}", 0.0) > 0
            ]
            if f"{organ}.orientation_spread" in self._settings:
                descriptors.append(self._orientation(organ, masks[place]))
            found[number] = replace(found[number], malignant=malignant, descriptors=tuple(descriptors))
        return found

    def _value(self, key: str, name: str, words: Sequence[str], shares: NDArray[np.float32]) -> FoundDescriptor:
        rounded = tuple(round(float(share), 4) for share in shares)
        return FoundDescriptor(name, given_word(key, words, rounded, self._settings), max(rounded), rounded)

    def _orientation(self, organ: str, mask: NDArray[np.float32]) -> FoundDescriptor:
        """Taller than wide or not, from the mask; of a breast lesion a round one counts as taller.

        The probability follows from how far the ratios of found outlines usually lie from those of drawn ones.
        """
        ratio = tallness(mask) + ROUND[organ]
        spread = max(self._settings[f"{organ}.orientation_spread"], 1e-3)
        taller = 0.5 * (1 + math.erf(ratio / (spread * math.sqrt(2))))
        best = int(taller >= 0.5)
        probability = round(max(taller, 1 - taller), 4)
        least = self._settings.get(f"{organ}.orientation", 0.8)
        return FoundDescriptor("orientation", ORIENTATION[organ][best] if probability >= least else None, probability)
