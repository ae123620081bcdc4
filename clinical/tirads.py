"""ACR TI-RADS: points of one thyroid nodule and the level that follows, from what was determined or a reader entered.

What is not determined adds nothing: the level is then "at least", the terms not read are named, and nothing is advised
by size. The defaults of the standard for what is undeterminable (composition 2, echogenicity 1, margin 0) belong to a
reader who looked and enters that word. TR1 is never derived: it is a reader's to say.
Source: Tessler et al., ACR Thyroid Imaging, Reporting and Data System, J Am Coll Radiol 14:587 (2017), figure 1.
"""

from collections.abc import Mapping
from typing import Final

from sonovan.clinical.said import Said
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Category, Points
from sonovan.contracts.lexicon import Side

ACR_TI_RADS: Final = "acr_ti_rads_2017"
EDITION: Final = "2017"

POINTS: Final[Mapping[str, Mapping[str, int]]] = {
    "composition": {"cystic": 0, "spongiform": 0, "mixed": 1, "solid": 2, "undeterminable": 2, "cystic_or_mixed": 0},
    "echogenicity": {
        "anechoic": 0, "hyperechoic": 1, "isoechoic": 1, "hyper_or_isoechoic": 1, "undeterminable": 1, "hypoechoic": 2,
        "very_hypoechoic": 3, "markedly_hypoechoic": 3,
    },
    "shape": {"wider_than_tall": 0, "taller_than_wide": 3},
    "margin": {
        "smooth": 0, "ill_defined": 0, "undeterminable": 0, "lobulated": 2, "irregular": 2, "lobulated_or_irregular": 2,
        "extrathyroidal_extension": 3,
    },
    "echogenic_foci": {
        "none": 0, "large_comet_tail": 0, "macrocalcifications": 1, "peripheral_calcifications": 2,
        "punctate_echogenic_foci": 3,
    },
}  # fmt: skip
"""Points of every word, by term. A word that covers several counts as the least of them, and its term as not read."""
FOCI_OF: Final[Mapping[str, str]] = {
    "microcalcification": "punctate_echogenic_foci", "macrocalcification": "macrocalcifications",
}  # fmt: skip
"""What a network's word for calcifications is among the foci; it sees the most suspicious kind, not all kinds."""
ENDS: Final = ("cystic", "spongiform")
"""Compositions at which the standard stops counting."""
UNDETERMINABLE: Final = "undeterminable"

TOTAL_OF_ONE: Final = "total_of_one_not_defined"
COMPOSITION_MAY_END: Final = "composition_may_end_the_count"


def acr_tirads(said: Mapping[str, Said], laterality: Side | None = None) -> Category | None:
    """The level that the words come to, with every point; None where they come to none, which is not TR1.

    said: by the lexicon's term (`sonovan.clinical.said.said_of`); `shape` must be of a transverse view. A cystic or
    spongiform nodule has no further points and so no level here. Foci add up, each kind once.
    Levels: 2 points TR2, 3 TR3, 4 to 6 TR4, 7 and more TR5. A total of 1, which the standard does not define, is
    treated as TR2 and flagged.
    """
    counted = _counted(said)
    if any(each.term == "composition" and each.word in ENDS for each in counted):
        return None
    total = sum(each.points for each in counted)
    value = _level(total)
    if value is None:
        return None
    not_read = tuple(term for term in POINTS if not _read(said, term))
    because = [Because(code=TOTAL_OF_ONE)] if total == 1 else []
    if "composition" in not_read:
        because.append(Because(code=COMPOSITION_MAY_END))
    return Category(
        scheme="TI-RADS", edition=EDITION, value=value, rule=ACR_TI_RADS, because=tuple(because), points=counted,
        total=total, at_least=bool(not_read), not_read=not_read, organ="thyroid", laterality=laterality,
    )  # fmt: skip


def _counted(said: Mapping[str, Said]) -> tuple[Points, ...]:
    """One entry for each word that has points, 0 included, in the standard's order of terms."""
    found = []
    for term, table in POINTS.items():
        for word, by in _words(said, term):
            if word in table and not (word == UNDETERMINABLE and by.by == "software"):
                found.append(Points(term=term, word=word, points=table[word], by=by.by))
    return tuple(found)


def _words(said: Mapping[str, Said], term: str) -> list[tuple[str, Said]]:
    own = said.get(term)
    if own is not None:
        return [(word, own) for word in dict.fromkeys(own.words)]
    if term == "echogenic_foci" and (seen := said.get("calcifications")) is not None:
        return [(FOCI_OF[word], seen) for word in seen.words if word in FOCI_OF]
    return []


def _read(said: Mapping[str, Said], term: str) -> bool:
    own = said.get(term)
    if own is None:
        return False
    known = [word for word in own.words if word in POINTS[term]]
    vague = {"cystic_or_mixed"} | ({UNDETERMINABLE} if own.by == "software" else set())
    return bool(known) and vague.isdisjoint(known)


def _level(total: int) -> str | None:
    if total < 1:
        return None
    return "TR2" if total <= 2 else "TR3" if total == 3 else "TR4" if total <= 6 else "TR5"
