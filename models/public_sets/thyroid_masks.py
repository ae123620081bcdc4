"""TN3K and TG3K: numbered pictures in one folder, masks of the same name in another.

TN3K has `trainval-image/` with `trainval-mask/` (nodules) and `test-image/` with `test-mask/`; some copies say in
`label4trainval.csv` and `label4test.csv` which nodules are malignant (`0000.jpg,1`). TG3K has `thyroid-image/` with
`thyroid-mask/`, the gland itself in frames of sweeps. Source: Gong et al., ISBI (2021) and Computers in Biology and
Medicine 155:106389 (2023).
"""

from functools import partial
from pathlib import Path

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_mask, read_picture
from sonovan.models.public_sets.found import Found, Layout, LeftOut, folder_within, pictures_in
from sonovan.models.public_sets.sheet import read_lines

LABELS = {"0": "benign", "1": "malignant"}


def find_nodules(top: Path) -> Layout:
    """TN3K: every picture of both parts. The set names no patients."""
    folder = folder_within(top, "trainval-image", "trainval-mask")
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for part in ("trainval", "test"):
        table = folder / f"label4{part}.csv"
        labels = dict(line[:2] for line in read_lines(table) if len(line) > 1) if table.is_file() else {}
        for path, mask, name in _pairs(folder, f"{part}-image", f"{part}-mask", left_out):
            label = LABELS.get(labels.get(path.name, ""), "")
            drawn = (partial(read_mask, mask),)
            found.append(Found(f"{part}_{path.stem}", name, path, label, "", drawn, (), {"part": part}))
    return Layout(tuple(found), tuple(left_out))


def find_glands(top: Path) -> Layout:
    """TG3K: every frame with the gland's own mask, and no word on nodules, for its publisher says none.

    Which frames are of one sweep is not published. Sweeps have sizes of their own and follow each other in the numbers,
    so each run of frames of one size is taken for one sweep; two sweeps of one size in a row are taken for one, which
    divides neither.
    """
    folder = folder_within(top, "thyroid-image", "thyroid-mask")
    left_out: list[LeftOut] = []
    found: list[Found] = []
    size: tuple[int, ...] = ()
    sweep = -1
    for path, mask, name in _pairs(folder, "thyroid-image", "thyroid-mask", left_out):
        try:
            own = read_picture(path).shape[:2]
        except UnusableData as error:
            left_out.append(LeftOut(name, "picture_unreadable", str(error).removeprefix(f"{path}").lstrip(": ")))
            continue
        if own != size:
            size, sweep = own, sweep + 1
        found.append(Found(path.stem, name, path, "", f"sweep{sweep:02d}", None, (partial(read_mask, mask),)))
    return Layout(tuple(found), tuple(left_out))


def _pairs(folder: Path, pictures: str, masks: str, left_out: list[LeftOut]) -> list[tuple[Path, Path, str]]:
    """Each picture with its mask, of the same name or at least the same stem, in the order of their numbers."""
    drawn = {path.stem: path for path in pictures_in(folder / masks)}
    pairs = []
    for path in sorted(pictures_in(folder / pictures), key=lambda each: (len(each.stem), each.stem)):
        mask = drawn.pop(path.stem, None)
        if mask is None:
            left_out.append(LeftOut(f"{pictures}/{path.name}", "no_mask", f"{masks}/ has no mask of this name"))
        else:
            pairs.append((path, mask, f"{pictures}/{path.name}"))
    for path in drawn.values():
        left_out.append(LeftOut(f"{masks}/{path.name}", "no_picture", f"{pictures}/ has no picture of this name"))
    return pairs
