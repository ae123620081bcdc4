"""From the cells of the public sets to the words that heads learn: rare ones merged, unknown ones left out."""

from __future__ import annotations

from collections.abc import Mapping

from sonovan.models.evaluation.index import Row
from sonovan.models.heads.lesions import WORDS

_DDTI: Mapping[str, Mapping[str, str]] = {
    "composition": {
        "solid": "solid", "spongiform": "spongiform", "predominantly-solid": "cystic_or_mixed",
        "predominantly-cystic": "cystic_or_mixed", "cystic": "cystic_or_mixed",
    },
    "echogenicity": {
        "isoechogenicity": "hyper_or_isoechoic", "hyperechogenicity": "hyper_or_isoechoic",
        "hypoechogenicity": "hypoechoic", "marked-hypoechogenicity": "markedly_hypoechoic",
    },
    "margin": {
        "well-defined": "smooth", "ill-defined": "ill_defined", "microlobulated": "lobulated_or_irregular",
        "spiculated": "lobulated_or_irregular", "macrolobulated": "lobulated_or_irregular",
    },
    "calcifications": {
        "non": "none", "macrocalcification": "macrocalcification", "microcalcification": "microcalcification",
    },
}  # fmt: skip
_BREAST: Mapping[str, Mapping[str, str]] = {
    "shape": {"oval": "oval_or_round", "round": "oval_or_round", "irregular": "irregular"},
    "echogenicity": {
        "anechoic": "anechoic", "hypoechoic": "hypoechoic", "heterogeneous": "heterogeneous",
        "complex cystic/solid": "heterogeneous", "isoechoic": "iso_or_hyperechoic",
        "hyperechoic": "iso_or_hyperechoic",
    },
    "posterior_features": {"no": "none", "enhancement": "enhancement", "shadowing": "shadowing"},
    "halo": {"no": "no", "yes": "yes"},
    "calcifications": {"no": "no", "in a mass": "yes", "intraductal": "yes"},
    "skin_thickening": {"no": "no", "yes": "yes"},
}  # fmt: skip
"""Posterior features that are `combined` (six) fit no word, and are left out."""


def word_of(row: Row, key: str) -> int | None:
    """The number of the word that a row's reader chose for `organ.descriptor`; None where none is recorded.

    Raises KeyError for a cell of a public set that is not known here.
    """
    organ, name = key.split(".")
    if organ == "breast":
        if row.set != "breast" or row.label == "normal":
            return None
        cell = row.about.get(name, "")
        if name == "margin":
            word = "not_circumscribed" if cell.startswith("not circumscribed") else cell
        elif cell in ("", "combined"):
            return None
        else:
            word = _BREAST[name][cell]
    else:
        if row.set != "ddti":
            return None
        cell = row.about.get("margins" if name == "margin" else name, "")
        word = _DDTI[name][cell] if cell else ""
    return WORDS[organ][name].index(word) if word else None


KEYS = tuple(f"{organ}.{name}" for organ, names in WORDS.items() for name in names)
"""All heads but `malignant`."""
