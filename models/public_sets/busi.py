"""BUSI: `benign/benign (1).png` with `benign (1)_mask.png`, `_mask_1.png` and so on where there are more lesions.

The set names no patients. Source: Al-Dhabyani et al., Data in Brief 28:104863 (2020).
"""

import re
from functools import partial
from pathlib import Path

from sonovan.models.evaluation.pictures import read_mask
from sonovan.models.public_sets.found import Found, Layout, LeftOut, folder_within, pictures_in

CLASSES = ("benign", "malignant", "normal")
_MASK = re.compile(r"_mask(_\d+)?$")


def find(top: Path) -> Layout:
    """Every picture of the three folders; a mask without a picture and a lesion without a mask are left out."""
    folder = folder_within(top, *CLASSES)
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for label in CLASSES:
        files = pictures_in(folder / label)
        masks: dict[str, list[Path]] = {}
        for path in files:
            if _MASK.search(path.stem):
                masks.setdefault(_MASK.sub("", path.stem), []).append(path)
        pictures = [path for path in files if not _MASK.search(path.stem)]
        for path in pictures:
            name, drawn = f"{label}/{path.name}", masks.pop(path.stem, [])
            if not drawn and label != "normal":
                left_out.append(LeftOut(name, "no_mask", f"there is no {path.stem}_mask.png beside it"))
                continue
            lesions = tuple(partial(read_mask, mask) for mask in drawn)
            found.append(Found(_id(path.stem), name, path, label, "", lesions))
        for stem, alone in masks.items():
            told = f"it is the mask of {stem}, which is not there"
            left_out += [LeftOut(f"{label}/{path.name}", "no_picture", told) for path in alone]
    return Layout(tuple(found), tuple(left_out))


def _id(stem: str) -> str:
    """`benign (1)` → `benign_1`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")
