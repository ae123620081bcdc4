"""Compare what a file states about organ, side and scale with what the operator typed.

Where they agree, or only one of them is known, that is taken. Where they contradict each other, the input is refused.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.sources.origin import Origin
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import CaptureOptions


@dataclass(frozen=True, slots=True)
class Place:
    """What a word or code for a part of the body stands for.

    sides, organs: those that it names. foreign: its name, if it is neither breast nor thyroid. both: it names both
    sides. known: it decides nothing, and that is known (a neck, a chest wall, an armpit).
    """

    sides: frozenset[Side] = frozenset()
    organs: frozenset[Organ] = frozenset()
    foreign: frozenset[str] = frozenset()
    both: bool = False
    known: bool = False


def _place(organ: Organ, side: Side | None = None, *, both: bool = False) -> Place:
    return Place(frozenset({side} if side else ()), frozenset({organ}), both=both)


_UNDECIDED: Final = Place(known=True)
_SNOMED: Final = frozenset({"SCT", "SRT", "SNM", "SNM3", "99SDM", "SNOMED", "SNOMED-CT", "2.16.840.1.113883.6.96"})
_CODED_PLACES: Final[dict[str, Place]] = {
    # SNOMED CT, and the older SRT spelling of DICOM CID 4031
    **dict.fromkeys(("76752008", "T-04000", "181131000", "T-04009"), _place("breast")),
    **dict.fromkeys(("80248007", "T-04030"), _place("breast", "left")),
    **dict.fromkeys(("73056007", "T-04020"), _place("breast", "right")),
    **dict.fromkeys(("63762007", "T-04080"), _place("breast", both=True)),
    # quadrants, central region, axillary tail, nipple, areola
    **dict.fromkeys(
        ("77831004", "T-04002", "19100000", "T-04003", "76365002", "T-04004", "33564002", "T-04005", "49058007",
         "T-04001", "129786000", "F-0178F", "91691001", "T-04006", "24142002", "T-04100", "265780008"),
        _place("breast"),
    ),
    **dict.fromkeys(("69748006", "T-B6000", "119281005", "T-B6070", "362892003", "T-D060D"), _place("thyroid")),
    **dict.fromkeys(("79163004", "T-B6200"), _place("thyroid", "left")),
    **dict.fromkeys(("29565003", "T-B6100"), _place("thyroid", "right")),
    **dict.fromkeys(("40867004", "T-B6300"), _place("thyroid", "isthmus")),
    # neck, thorax, chest wall, armpit, lymph node, skin, whole body: they hold a breast or a thyroid, or neither
    **dict.fromkeys(
        ("45048000", "T-D1600", "816094009", "51185008", "T-D3000", "43799004", "78904004", "T-D3050", "91470000",
         "T-D8104", "34797008", "T-D8100", "59441001", "T-C4000", "68171009", "39937001", "T-01000", "38266002",
         "T-D0010", "774007", "T-D1000", "417437006", "R-FAB56", "416319003", "R-FAB54", "416152001", "R-FAB53"),
        _UNDECIDED,
    ),
}  # fmt: skip
_CODED_SIDES: Final[dict[str, Literal["left", "right", "both"]]] = {
    "7771000": "left", "G-A101": "left", "24028007": "right", "G-A100": "right", "51440002": "both", "G-A102": "both",
    "L": "left", "LT": "left", "R": "right", "RT": "right", "B": "both",
}  # fmt: skip

_ORGAN_WORDS: Final[dict[str, Organ]] = {
    **dict.fromkeys(("BREAST", "BREASTS", "MAMMA", "MAMMARY", "NIPPLE", "AREOLA"), "breast"),
    **dict.fromkeys(("THYROID", "THYROIDGLAND"), "thyroid"),
}
_FOREIGN_WORDS: Final = frozenset(
    {"ABDOMEN", "ANKLE", "AORTA", "APPENDIX", "ARM", "BLADDER", "BOWEL", "BRAIN", "CALF", "CARDIAC", "CAROTID",
     "CERVIX", "COLON", "CSPINE", "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FETAL", "FETUS", "FINGER", "FOOT",
     "GALLBLADDER", "HAND", "HEAD", "HEART", "HIP", "JAW", "KIDNEY", "KIDNEYS", "KNEE", "LEG", "LIVER", "LSPINE",
     "LUNG", "LUNGS", "OVARY", "PANCREAS", "PAROTID", "PELVIS", "PENIS", "PROSTATE", "RECTUM", "RENAL", "SCROTUM",
     "SHOULDER", "SKULL", "SPINE", "SPLEEN", "STOMACH", "TESTES", "TESTICLE", "TESTICLES", "TESTIS", "THIGH",
     "TOE", "TSPINE", "UTERUS", "VAGINA", "WRIST"}
)  # fmt: skip
"""Parts that are neither breast nor thyroid. A preset that decides nothing (NECK, CHEST, SMALL PARTS) is not listed."""
_NEUTRAL_WORDS: Final = frozenset(
    {"AXILLA", "BODY", "CHEST", "CHESTWALL", "LYMPH", "NECK", "NODE", "NODES", "OTHER", "PARTS", "SKIN", "SMALL",
     "SMALLPARTS", "SMALLPART", "PART", "SOFT", "SOFTTISSUE", "SUPERFICIAL", "THORAX", "TISSUE", "UNKNOWN", "WALL",
     "WHOLE", "WHOLEBODY"}
)  # fmt: skip
_SIDE_WORDS: Final[dict[str, Side]] = {
    "L": "left", "LT": "left", "LEFT": "left", "R": "right", "RT": "right", "RIGHT": "right",
}  # fmt: skip
_BOTH_WORDS: Final = frozenset({"B", "BOTH", "BILATERAL", "BREASTS"})


def part_of(words: str) -> Place:
    """What the words of a BodyPartExamined, or of a code's meaning, stand for: BREAST, L BREAST, THYROID GLAND …

    A glued form is read as well (LBREAST, BREASTRIGHT), and the Chinese words for breast, thyroid, left and right.
    """
    tokens = re.findall(r"[A-Z0-9]+", words.upper())
    tokens += [side for token in tokens if (side := _glued(token))]
    tokens += ["BREAST" for token in tokens if _glued(token)]
    for sign, word in (("乳", "BREAST"), ("甲状腺", "THYROID"), ("左", "LEFT"), ("右", "RIGHT"), ("双", "BOTH")):
        tokens += [word] if sign in words else []
    organs = {organ for token in tokens if (organ := _ORGAN_WORDS.get(token))}
    sides: set[Side] = {side for token in tokens if (side := _SIDE_WORDS.get(token))} if organs else set()
    foreign = {token.lower() for token in tokens if token in _FOREIGN_WORDS}
    both = bool(organs) and any(token in _BOTH_WORDS for token in tokens)
    known = all(token in _NEUTRAL_WORDS or token in _SIDE_WORDS or token in _BOTH_WORDS for token in tokens)
    return Place(frozenset(sides), frozenset(organs), frozenset(foreign), both, known=known and bool(tokens))


def _glued(token: str) -> str | None:
    """The side in LBREAST, RTBREAST, BREASTLEFT; None in anything else."""
    match = re.fullmatch(r"(L|LT|LEFT|R|RT|RIGHT)BREAST|BREAST(L|LT|LEFT|R|RT|RIGHT)", token)
    return (match[1] or match[2]) if match else None


def place_of(code: str, scheme: str = "SCT", meaning: str = "") -> Place:
    """What a coded region stands for: by its code, or by its meaning where the code is not known here.

    A code of SNOMED that is not known, whose meaning names neither organ, is another place of the body.
    """
    known = _CODED_PLACES.get(code.strip().upper())
    if known is not None:
        return known
    said = part_of(meaning)
    if said.organs or said.foreign:
        return said
    if re.search(r"neck|chest|thora|axill|lymph|skin|body", meaning, re.IGNORECASE):
        return _UNDECIDED
    if code.strip() and scheme.strip().upper() in _SNOMED:
        return Place(foreign=frozenset({(meaning or f"code {code}").lower()[:64]}))
    return said


def side_of_code(code: str, meaning: str = "") -> Literal["left", "right", "both"] | None:
    """The side that a modifier's code stands for, or its meaning where the code is not known; None for any other."""
    known = _CODED_SIDES.get(code.strip().upper()) or _CODED_SIDES.get(meaning.strip(" .").upper())
    if known is not None:
        return known
    words = set(re.findall(r"[a-z]+", meaning.lower())) | {
        w for s, w in (("左", "left"), ("右", "right")) if s in meaning
    }
    left, right = bool(words & {"left", "lt"}), bool(words & {"right", "rt"})
    if "bilateral" in words or (left and right):
        return "both"
    return "left" if left else "right" if right else None


def agreed_side(path: Path, stated: AbstractSet[Side], options: CaptureOptions) -> Side | None:
    """The side, from the file or the operator; None if neither states it.

    path: for the message. stated: the sides that the file states, in whichever of its fields.
    Raises InvalidRecord `side_contradicts_file` if the file states two, or another one than the operator.
    """
    if len(stated) > 1:
        raise refusal("side_contradicts_file", path, f"the file itself says {' and '.join(sorted(stated))}")
    in_file = next(iter(stated), None)
    if in_file is not None and options.side is not None and in_file != options.side:
        raise refusal("side_contradicts_file", path, f"the file says {in_file}, --side says {options.side}")
    return options.side or in_file


def agreed_organ(path: Origin, stated: AbstractSet[Organ], foreign: AbstractSet[str], options: CaptureOptions) -> Organ:
    """The organ, from the file or the operator.

    path: for the message. stated: organs that the file names, in whichever of its fields. foreign: parts of the body
    that it names and that are neither breast nor thyroid.
    Raises InvalidRecord `organ_contradicts_file`, or `organ_missing` if neither file nor operator names an organ.
    """
    if foreign:
        what = ", ".join(sorted(foreign))
        raise refusal("organ_contradicts_file", path, f"the file shows {what}, neither breast nor thyroid")
    named: set[Organ] = set(stated)
    if options.organ is not None:
        named.add(options.organ)
    if len(named) > 1:
        what = f"the file says {', '.join(sorted(named - {options.organ}))}, --organ says {options.organ or 'nothing'}"
        raise refusal("organ_contradicts_file", path, what)
    if not named:
        raise refusal("organ_missing", path, "neither the file nor an option names the organ")
    return next(iter(named))


def check_nipple_distance(path: Path, organ: Organ, options: CaptureOptions) -> None:
    """Raise InvalidRecord `option_invalid` where a distance to the nipple was typed for another organ than the breast.

    path: for the message. organ: as file and operator agree.
    """
    if options.nipple_distance_mm is not None and organ != "breast":
        raise refusal("option_invalid", path, "--nipple-distance-mm is of a breast, and the file shows a thyroid")


def check_spacing(path: Path, in_file: tuple[float, float] | None, options: CaptureOptions) -> None:
    """Raise InvalidRecord `spacing_contradicts_file` if the scales of file and operator differ by more than 1 %.

    path: for the message. in_file: (column, row) in mm per pixel as the file states it; None if it does not.
    """
    typed = options.pixel_spacing_mm
    if (
        in_file is not None
        and typed is not None
        and any(abs(a - b) > 0.01 * a for a, b in zip(in_file, typed, strict=True))
    ):
        sizes = f"{in_file[0]:.4g} x {in_file[1]:.4g} mm per pixel, the option {typed[0]:.4g} x {typed[1]:.4g}"
        raise refusal("spacing_contradicts_file", path, f"the file says {sizes}")
