"""Which words of a free text may stay, and whose codes are known."""

import re
from typing import Final

_SCHEMES: Final = frozenset(["DCM", "SCT", "SRT", "SNM3", "LN", "UCUM", "RADLEX", "MDC", "FMA", "NCIT", "BI", "BARI"])
_SIGNS: Final[dict[str, str]] = {
    "乳腺": "BREAST", "乳房": "BREAST", "甲状腺": "THYROID", "超声": "ULTRASOUND", "彩超": "DOPPLER",
    "左": "LEFT", "右": "RIGHT", "双": "BOTH", "横": "TRANSVERSE", "纵": "LONGITUDINAL",
}  # fmt: skip
WORDS: Final = frozenset(
    [
        "ACQUISITION",
        "ANTIRADIAL",
        "AXILLA",
        "AXILLARY",
        "BILATERAL",
        "BMODE",
        "BOTH",
        "BREAST",
        "BREASTS",
        "CHEST",
        "CINE",
        "CLIP",
        "CLOCK",
        "COLOR",
        "COLOUR",
        "CYST",
        "DOPPLER",
        "ELASTOGRAPHY",
        "EXAM",
        "FLOW",
        "FOLLOW",
        "FOLLOWUP",
        "GLAND",
        "IMAGE",
        "ISTHMUS",
        "LEFT",
        "LESION",
        "LEVEL",
        "LIQ",
        "LOBE",
        "LOGIQ",
        "LOIQ",
        "LONGITUDINAL",
        "LOQ",
        "LOWER",
        "LT",
        "LYMPH",
        "MAMMARY",
        "MODE",
        "NECK",
        "NIPPLE",
        "NODE",
        "NODULE",
        "OBLIQUE",
        "OUTER",
        "PARTS",
        "POWER",
        "PROTOCOL",
        "QUADRANT",
        "RADIAL",
        "RIGHT",
        "ROUTINE",
        "RT",
        "SAGITTAL",
        "SCAN",
        "SCREENING",
        "SERIES",
        "SMALL",
        "SOFT",
        "STILL",
        "STUDY",
        "SUPERFICIAL",
        "SURVEY",
        "SWEEP",
        "THYROID",
        "TISSUE",
        "TRANSVERSE",
        "UIQ",
        "ULTRASOUND",
        "UOQ",
        "UPPER",
        "UPPER",
        "US",
        "VIEW",
        "WHOLE",
    ]
)
"""English words of examinations; no name is among them."""


def cleaned(text: str) -> str:
    """Those words of a descriptor that are known, in upper case and their order; everything else is left out.

    Chinese words for organ, side and method become the English ones. Numbers are left out, for one may be a person's.
    """
    for sign, word in _SIGNS.items():
        text = text.replace(sign, f" {word} ")
    return " ".join(word for word in re.findall(r"[^\W\d_]+", text.upper()) if word in WORDS)[:64]


def is_standard_scheme(designator: str) -> bool:
    """Whether a code's scheme is one that everybody has (PS3.16 8): the text beside such a code is the scheme's."""
    return designator.strip().upper() in _SCHEMES
