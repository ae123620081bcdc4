"""BrEaST (Breast-Lesions-USG): an XLSX table of the cases, and `case001.png` with `case001_tumor.png` beside it.

A picture with several tumours has several names in `Mask_tumor_filename`, parted by `&`. `Mask_other_filename` outlines
what is no tumour (an axillary node, a rib), and is not taken. One case is one woman.
Source: Pawłowska et al., Scientific Data 11:148 (2024), The Cancer Imaging Archive, doi 10.7937/9WKK-Q141.
"""

from functools import partial
from pathlib import Path
from typing import Final

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_mask
from sonovan.models.public_sets.found import Found, Layout, LeftOut, pictures_in
from sonovan.models.public_sets.sheet import read_table

NEEDED: Final = ("CaseID", "Image_filename", "Mask_tumor_filename", "Classification")
COLUMNS: Final = (
    "Age", "Tissue_composition", "Signs", "Symptoms", "Shape", "Margin", "Echogenicity", "Posterior_features", "Halo",
    "Calcifications", "Skin_thickening", "BIRADS", "Interpretation", "Diagnosis", "Verification",
)  # fmt: skip
_NONE: Final = ("", "not available", "not applicable", "nan")
LARGEST_CM: Final = 0.027
"""A pixel of a linear probe is .03 to .25 mm wide. The table is in centimetres (.003 to .025); a copy in millimetres
would have larger numbers than any of these."""


def find(top: Path) -> Layout:
    """Every row of the table whose files are there; pictures that no row names are left out, too.

    Raises UnusableData where there is no table, or more than one.
    """
    tables = [path for pattern in ("*.xlsx", "*.csv", "*/*.xlsx", "*/*.csv") for path in sorted(top.glob(pattern))]
    if len(tables) != 1:
        held = "no table" if not tables else f"{len(tables)} tables"
        raise UnusableData(f"{top} holds {held}; the set has one, BrEaST-Lesions-USG-clinical-data-….xlsx")
    files = {path.name: path for folder in (top, *sorted(top.glob("*/"))) for path in pictures_in(folder)}
    found: list[Found] = []
    left_out: list[LeftOut] = []
    named: set[str] = set()
    for row in read_table(tables[0], NEEDED):
        picture, case = row["Image_filename"], _case(row)
        masks = [name.strip() for name in row["Mask_tumor_filename"].split("&") if _told(name.strip())]
        others = [name.strip() for name in row.get("Mask_other_filename", "").split("&") if _told(name.strip())]
        named.update((picture, *masks, *others))
        absent = [name for name in masks if name not in files]
        label = row["Classification"].lower()
        if picture not in files:
            left_out.append(LeftOut(picture, "no_picture", "the table names it, and it is not there"))
        elif absent or (not masks and label != "normal"):
            told = f"{' and '.join(absent)} is not there" if absent else "the table names no mask of its tumour"
            left_out.append(LeftOut(picture, "no_mask", told))
        else:
            about = {column.lower(): _told(row.get(column, "")) for column in COLUMNS}
            about = {"pixel_size_mm": _millimetres(row.get("Pixel_size", "")), **about}
            drawn = tuple(partial(read_mask, files[name]) for name in masks)
            found.append(Found(case, picture, files[picture], label, case, drawn, (), about))
    for name in sorted(files.keys() - named):
        left_out.append(LeftOut(name, "not_in_table", "no row of the table names it"))
    return Layout(tuple(found), tuple(left_out))


def _case(row: dict[str, str]) -> str:
    number = row["CaseID"]
    return f"case{int(number):03d}" if number.isdecimal() else number


def _told(cell: str) -> str:
    return "" if cell.lower() in _NONE else cell


def _millimetres(cell: str) -> str:
    try:
        size = float(cell)
    except ValueError:
        return ""
    if not 0.001 < size < 1:
        return ""
    return f"{size * 10 if size <= LARGEST_CM else size:.5g}"
