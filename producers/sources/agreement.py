"""Compare what a file states about organ, side and scale with what the operator typed.

Where they agree, or only one of them is known, that is taken. Where they contradict each other, the input is refused.
"""

from pathlib import Path
from typing import Final

from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import CaptureOptions

_SIDES: Final[dict[str, Side | None]] = {"L": "left", "R": "right", "U": None, "B": None}

_CODED_PLACES: Final[dict[str, tuple[Organ, Side | None]]] = {
    # SNOMED CT, and the older SRT spelling of DICOM CID 4031
    "76752008": ("breast", None), "T-04000": ("breast", None),
    "80248007": ("breast", "left"), "T-04030": ("breast", "left"),
    "73056007": ("breast", "right"), "T-04020": ("breast", "right"),
    "69748006": ("thyroid", None), "T-B6000": ("thyroid", None),
    "79163004": ("thyroid", "left"), "29565003": ("thyroid", "right"), "40867004": ("thyroid", "isthmus"),
}  # fmt: skip

_PARTS: Final[dict[str, Organ | None]] = {
    "BREAST": "breast",
    "THYROID": "thyroid",
    "THYROIDGLAND": "thyroid",
    # Parts that are neither breast nor thyroid. A preset that decides nothing (NECK, CHEST, SMALL PARTS …) is not
    # listed.
    **dict.fromkeys(
        ("ABDOMEN", "BLADDER", "BRAIN", "CAROTID", "ELBOW", "EYE", "FOOT", "GALLBLADDER", "HAND", "HEART", "HIP",
         "KIDNEY", "KNEE", "LEG", "LIVER", "LUNG", "OVARY", "PANCREAS", "PELVIS", "PROSTATE", "SCROTUM", "SHOULDER",
         "SPLEEN", "TESTIS", "UTERUS", "WRIST")
    ),
}  # fmt: skip


def side_of(letter: str) -> Side | None:
    """The side that DICOM's L or R stands for; None for U (unpaired), B (both) and anything else."""
    return _SIDES.get(letter.strip().upper())


def place_of(code: str) -> tuple[Organ, Side | None] | None:
    """The organ and side that a code of AnatomicRegionSequence stands for; None if it is neither breast nor thyroid."""
    return _CODED_PLACES.get(code.strip())


def agreed_side(path: Path, stated: set[Side], options: CaptureOptions) -> Side | None:
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


def agreed_organ(path: Path, body_part: str, coded: set[Organ], options: CaptureOptions) -> Organ:
    """The organ, from the file or the operator.

    path: for the message. body_part: the file's BodyPartExamined. coded: organs that its coded fields name.
    Raises InvalidRecord `organ_contradicts_file`, or `organ_missing` if neither file nor operator names an organ.
    """
    part = body_part.strip().upper().replace(" ", "")
    named: set[Organ] = set(coded)
    if part in _PARTS:
        organ = _PARTS[part]
        if organ is None:
            raise refusal("organ_contradicts_file", path, f"the file shows {part.lower()}, neither breast nor thyroid")
        named.add(organ)
    if options.organ is not None:
        named.add(options.organ)
    if len(named) > 1:
        what = f"the file says {', '.join(sorted(named - {options.organ}))}, --organ says {options.organ or 'nothing'}"
        raise refusal("organ_contradicts_file", path, what)
    if not named:
        raise refusal("organ_missing", path, "neither the file nor an option names the organ")
    return next(iter(named))


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
