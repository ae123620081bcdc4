"""Which pictures show the same thing: copies, crops of the same frame's size, the same frame with callipers burned in.

Two pictures are alike where both hold: their hashes differ in at most HASH_BITS of 64 bits, and small copies of them
correlate by at least CORRELATION. The hash finds candidates, the correlation decides: a hash alone calls pictures alike
that share the layout of a scanner. Source of the hash: the signs of the low frequencies of a cosine transform, Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions" (2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

HASH_BITS: Final = 12
CORRELATION: Final = 0.95
SIDE: Final = 32


@dataclass(frozen=True)
class Look:
    """What is kept of a picture for comparing it. bits: its hash. small: (SIDE · SIDE,) float32, mean 0, length 1."""

    bits: int
    small: NDArray[np.float32]


def look_of(picture: Gray) -> Look:
    """The hash and the small copy of a picture (rows, columns) uint8. A picture of one grey has a copy of zeros."""
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = 0
    for above in low > np.median(low[1:]):
        bits = bits << 1 | int(above)
    centred = (small - small.mean()).ravel()
    length = float(np.linalg.norm(centred))
    return Look(bits, centred / length if length else centred)


def pairs_alike(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """The places of every two pictures that are alike, the lower place first."""
    bits = np.array([look.bits for look in looks], np.uint64)
    pairs = []
    for place, look in enumerate(looks):
        near = np.flatnonzero(np.bitwise_count(bits[place + 1 :] ^ bits[place]) <= HASH_BITS) + place + 1
        pairs += [(place, other) for other in near.tolist() if float(look.small @ looks[other].small) >= CORRELATION]
    return pairs


def groups_of(patients: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each picture the place of the first picture of its group.

    Pictures of one patient are one group, and so are pictures that are alike, also over several steps and patients.
    patients: of each picture, empty where nobody says.
    """
    first = list(range(len(patients)))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    seen: dict[str, int] = {}
    links = [(seen.setdefault(patient, place), place) for place, patient in enumerate(patients) if patient]
    for one, other in [*links, *pairs]:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return [root(place) for place in range(len(patients))]
