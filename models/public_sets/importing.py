"""A public set on disk becomes a folder with an index.csv: pictures copied, masks drawn, groups found, rest named."""

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sonovan.models.evaluation.index import INDEX, UnusableData
from sonovan.models.evaluation.pictures import read_gray
from sonovan.models.masks import encode_mask
from sonovan.models.public_sets import breast, busbra, busi, busuclm, ddti, oasbud, thyroid_masks, udiat
from sonovan.models.public_sets.alike import CORRELATION, HASH_BITS, Look, groups_of, look_of, pairs_alike
from sonovan.models.public_sets.found import Drawn, Found, Gray, Layout, LeftOut, Mask

REPORT: Final = "import.json"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
LABELS: Final = ("", "benign", "malignant", "normal")


@dataclass(frozen=True)
class Kind:
    """A layout. organ: of every picture. cite: whom to cite; the terms of the set are its publisher's."""

    find: Callable[[Path], Layout]
    organ: str
    cite: str


KINDS: Final[dict[str, Kind]] = {
    "busi": Kind(busi.find, "breast", "doi 10.1016/j.dib.2019.104863"),
    "busbra": Kind(busbra.find, "breast", "doi 10.1002/mp.16812"),
    "breast": Kind(breast.find, "breast", "doi 10.1038/s41597-024-02984-z"),
    "busuclm": Kind(busuclm.find, "breast", "doi 10.1038/s41597-025-04562-3"),
    "oasbud": Kind(oasbud.find, "breast", "doi 10.1002/mp.12538"),
    "udiat": Kind(udiat.find, "breast", "doi 10.1109/JBHI.2017.2731873"),
    "ddti": Kind(ddti.find, "thyroid", "doi 10.1117/12.2073532"),
    "tn3k": Kind(thyroid_masks.find_nodules, "thyroid", "doi 10.1016/j.compbiomed.2022.106389"),
    "tg3k": Kind(thyroid_masks.find_glands, "thyroid", "doi 10.1016/j.compbiomed.2022.106389"),
}
"""Each layout by the name of the folder that is written: the name decides with the group on the split of a picture."""


@dataclass(frozen=True)
class Imported:
    """What an import came to. folder: with the index. labels: how many pictures have each label.

    joined: the ids of pictures of different patients, or of none, that are one group because they are alike.
    contradicting: pairs of ids that are alike and have different labels; both are imported.
    """

    folder: Path
    rows: int
    groups: int
    labels: dict[str, int]
    joined: tuple[tuple[str, ...], ...]
    contradicting: tuple[tuple[str, str], ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _Kept:
    found: Found
    size: tuple[int, int]
    look: Look
    cells: dict[str, str]


def import_set(kind: str, source: Path, out: Path, step: Callable[[], None] = lambda: None) -> Imported:
    """Write `out`/`kind` with pictures, masks, index.csv and import.json. step: called after each picture.

    Pictures are copied as they are, masks become 8-bit PNGs of 0 and 255. The folder is complete or absent: it is made
    under another name first.
    Raises UnusableData where the source is not of this layout, nothing of it can be used, or the folder is there
    already.
    """
    layout = KINDS[kind].find(source)
    goal, made = out / kind, out / f".{kind}.part"
    if goal.exists():
        raise UnusableData(f"{goal} is there already; move it away, or name another --out")
    shutil.rmtree(made, ignore_errors=True)
    for folder in ("images", "masks"):
        (made / folder).mkdir(parents=True)
    try:
        done = _write(kind, layout, source, made, step)
        made.rename(goal)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Imported(goal, *done)


def _write(kind: str, layout: Layout, source: Path, made: Path, step: Callable[[], None]) -> tuple[Any, ...]:
    kept: list[_Kept] = []
    left_out = list(layout.left_out)
    taken: set[str] = set()
    for found in layout.found:
        one = (
            LeftOut(found.name, "same_id", f"another picture is called {found.id}")
            if found.id in taken
            else _keep(found, made, source)
        )
        step()
        if isinstance(one, LeftOut):
            left_out.append(one)
        else:
            taken.add(found.id)
            kept.append(one)
    if not kept:
        raise UnusableData(
            f"{source}: no picture of it can be used; the first: {left_out[0].name}: {left_out[0].told}"
            if left_out
            else f"{source} holds no picture"
        )
    pairs = pairs_alike([one.look for one in kept])
    firsts = groups_of([one.found.patient for one in kept], pairs)
    rows = [_row(kind, kept, place, firsts) for place in range(len(kept))]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (made / INDEX).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    labels = dict(sorted(Counter(one.found.label for one in kept).items()))
    contradicting = tuple(
        (kept[a].found.id, kept[b].found.id) for a, b in pairs if kept[a].found.label != kept[b].found.label
    )
    done = (len(rows), len(set(firsts)), labels, _joined(kept, firsts), contradicting, tuple(left_out))
    _report(kind, made, done)
    return done


def _keep(found: Found, made: Path, source: Path) -> _Kept | LeftOut:
    """Picture and masks of one row, written; or why they are not."""
    if not _ID.fullmatch(found.id):  # it becomes the name of a file
        return LeftOut(found.name, "id_unusable", f"{found.id!r} can be no file's name")
    if found.label not in LABELS:
        return LeftOut(found.name, "label_unknown", f"its label is {found.label!r}, which is none of this project's")
    try:
        grey = read_gray(found.picture) if isinstance(found.picture, Path) else found.picture
    except UnusableData as error:
        return LeftOut(found.name, "picture_unreadable", _told(error, source))
    size = (grey.shape[0], grey.shape[1])
    try:
        lesions = _union(found.lesions, size)
        gland = _union(found.gland or None, size)
    except UnusableData as error:
        return LeftOut(found.name, "mask_unreadable", _told(error, source))
    empty = lesions is not None and not lesions.any()
    if empty and found.label != "normal":
        return LeftOut(found.name, "mask_empty", "its mask outlines nothing, and nobody calls it normal")
    if lesions is not None and not empty and found.label == "normal":
        return LeftOut(found.name, "lesion_in_normal", "it is called normal, and its mask outlines something")
    cells = {"id": found.id, "label": found.label, "image": _picture(found, made), "mask": ""}
    if lesions is not None and not empty:
        cells["mask"] = _mask(lesions, made, f"{found.id}.png")
    if gland is not None:
        cells["gland_mask"] = _mask(gland, made, f"{found.id}_gland.png")
    return _Kept(found, size, look_of(grey), cells)


def _union(drawn: tuple[Drawn, ...] | None, size: tuple[int, int]) -> Mask | None:
    if drawn is None:
        return None
    mask = np.zeros(size, np.bool_)
    for each in drawn:
        mask |= each(size)
    return mask


def _picture(found: Found, made: Path) -> str:
    if isinstance(found.picture, Path):
        name = f"images/{found.id}{found.picture.suffix.lower()}"
        shutil.copyfile(found.picture, made / name)
        return name
    name = f"images/{found.id}.png"
    (made / name).write_bytes(encode_mask(found.picture))
    return name


def _mask(mask: Mask, made: Path, name: str) -> str:
    pixels: Gray = np.where(mask, np.uint8(255), np.uint8(0))
    (made / "masks" / name).write_bytes(encode_mask(pixels))
    return f"masks/{name}"


def _row(kind: str, kept: list[_Kept], place: int, firsts: list[int]) -> dict[str, str]:
    one, first = kept[place], kept[firsts[place]].found
    rows, columns = one.size
    own = {
        "group": first.patient or first.id,
        "first_of_group": "1" if firsts[place] == place else "0",
        "organ": KINDS[kind].organ,
        "native_width": str(columns),
        "native_height": str(rows),
    }
    return one.cells | own | dict(one.found.about)


def _joined(kept: list[_Kept], firsts: list[int]) -> tuple[tuple[str, ...], ...]:
    members: dict[int, list[Found]] = {}
    for one, first in zip(kept, firsts, strict=True):
        members.setdefault(first, []).append(one.found)
    return tuple(
        tuple(found.id for found in group)
        for group in members.values()
        if len({found.patient or found.id for found in group}) > 1
    )


def _report(kind: str, made: Path, done: tuple[Any, ...]) -> None:
    rows, groups, labels, joined, contradicting, left_out = done
    document = {
        "set": kind,
        "organ": KINDS[kind].organ,
        "cite": KINDS[kind].cite,
        "rows": rows,
        "groups": groups,
        "labels": labels,
        "alike": {"hash_bits": HASH_BITS, "correlation": CORRELATION, "joined": joined, "contradicting": contradicting},
        "left_out": [asdict(each) for each in left_out],
    }
    (made / REPORT).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _told(error: UnusableData, source: Path) -> str:
    """The error without the machine's path to the set."""
    return str(error).replace(f"{source}/", "")
