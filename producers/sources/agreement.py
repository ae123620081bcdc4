"""What the file says and what the operator typed: they agree, or the input is refused by name."""

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
    # parts that are neither; what a preset leaves open (NECK, CHEST, SMALL PARTS ...) is not listed: it says nothing
    **dict.fromkeys(
        ("ABDOMEN", "BLADDER", "BRAIN", "CAROTID", "ELBOW", "EYE", "FOOT", "GALLBLADDER", "HAND", "HEART", "HIP",
         "KIDNEY", "KNEE", "LEG", "LIVER", "LUNG", "OVARY", "PANCREAS", "PELVIS", "PROSTATE", "SCROTUM", "SHOULDER",
         "SPLEEN", "TESTIS", "UTERUS", "WRIST")
    ),
}  # fmt: skip


def side_of(letter: str) -> Side | None:
    """DICOM's L and R; None for U(npaired), B(oth) and anything else."""
    return _SIDES.get(letter.strip().upper())


def place_of(code: str) -> tuple[Organ, Side | None] | None:
    """What a code of AnatomicRegionSequence names, None where it names neither organ."""
    return _CODED_PLACES.get(code.strip())


def agreed_side(path: Path, said: set[Side], options: CaptureOptions) -> Side | None:
    """The side, from the file or the operator. Raises InvalidRecord `side_contradicts_file`."""
    if len(said) > 1:
        raise refusal("side_contradicts_file", path, f"the file itself says {' and '.join(sorted(said))}")
    told = next(iter(said), None)
    if told is not None and options.side is not None and told != options.side:
        raise refusal("side_contradicts_file", path, f"the file says {told}, --side says {options.side}")
    return options.side or told


def agreed_organ(path: Path, body_part: str, coded: set[Organ], options: CaptureOptions) -> Organ:
    """The organ, from the file or the operator.

    Raises InvalidRecord `organ_contradicts_file`, or `organ_missing` where nobody said.
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


def check_spacing(path: Path, told: tuple[float, float] | None, options: CaptureOptions) -> None:
    """Raise InvalidRecord `spacing_contradicts_file` where file and operator differ by more than 1 %.

    told: (column, row) in mm per pixel.
    """
    typed = options.pixel_spacing_mm
    if told is not None and typed is not None and any(abs(a - b) > 0.01 * a for a, b in zip(told, typed, strict=True)):
        detail = f"the file says {told[0]:.4g} x {told[1]:.4g} mm per pixel, the option {typed[0]:.4g} x {typed[1]:.4g}"
        raise refusal("spacing_contradicts_file", path, detail)
