"""The development data re-laid as its publishers lay it out, imported, and compared with the index it came with."""

import csv
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.models.evaluation.index import Row, read_folder, split_of, spread
from sonovan.models.evaluation.pictures import read_picture, read_truth
from sonovan.models.public_sets.importing import Imported, import_set
from tests.models.public_sets.laid_out import ddti_case, svg, workbook, written

pytestmark = pytest.mark.data

SOME = 40
"""Pictures of a set whose groups are patients; of BUSI and DDTI, with their near-duplicates, all or many are taken."""


def pairs(original: list[Row], done: Imported) -> Iterator[tuple[Row, Row]]:
    """Every original row with the imported one; the same ids, in whatever order."""
    imported = {row.id: row for row in read_folder(done.folder)}
    assert imported.keys() == {row.id for row in original}
    for row in original:
        yield row, imported[row.id]


def agree(original: Row, imported: Row) -> None:
    """Pixels of picture and mask are the same; the label is."""
    assert imported.label == original.label
    pixels = read_picture(original.image)
    assert np.array_equal(read_picture(imported.image), pixels)
    size = (pixels.shape[0], pixels.shape[1])
    truths = read_truth(original, size), read_truth(imported, size)
    assert truths[0] is not None
    assert truths[1] is not None
    assert (truths[0] == truths[1]).all(), original.id


def png_of(row: Row, path: Path) -> Path:
    return written(path, read_picture(row.image))


def mask_of(row: Row, path: Path) -> Path:
    pixels = read_picture(row.image)
    truth = read_truth(row, (pixels.shape[0], pixels.shape[1]))
    assert truth is not None
    return written(path, truth.astype(np.uint8) * 255)


def test_busi_comes_back_and_its_near_duplicates_are_found(shared_data: Path, tmp_path: Path) -> None:
    original = read_folder(shared_data / "busi")
    for row in original:
        label, _, number = row.id.partition("_")
        stem = f"{label}/{label} ({number})"
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / f"{stem}.png").write_bytes(row.image.read_bytes())
        if row.mask is not None:
            (tmp_path / f"{stem}_mask.png").write_bytes(row.mask.read_bytes())
    done = import_set("busi", tmp_path, tmp_path / "data")
    assert done.left_out == ()
    groups: dict[str, tuple[str, str]] = {}
    for number, (before, after) in enumerate(pairs(original, done)):
        groups[before.id] = before.group, after.group
        if number % 8 == 0:
            agree(before, after)
    together = [(a, b) for a, b in combinations(groups, 2) if groups[a][0] == groups[b][0]]
    found = [(a, b) for a, b in combinations(groups, 2) if groups[a][1] == groups[b][1]]
    assert set(found) <= set(together)  # nothing is joined that the set's own groups keep apart
    assert len(found) >= 0.85 * len(together)
    splits = {group: split_of("busi", group) for _, group in groups.values()}
    assert all(splits[groups[a][1]] == splits[groups[b][1]] for a, b in found)


def test_busbra_comes_back_with_its_women_and_cells(shared_data: Path, tmp_path: Path) -> None:
    original = spread(read_folder(shared_data / "busbra"), SOME)
    top = tmp_path / "BUSBRA"
    top.mkdir()
    with (top / "bus_data.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("ID", "Case", "Histology", "Pathology", "BIRADS", "Device", "Width", "Height", "Side", "BBOX"))
        for row in original:
            cell = row.about
            case = row.group.removeprefix("case")
            writer.writerow((row.id, case, cell["histology"], row.label, cell["birads"], cell["device"], 1, 1,
                             cell["side"], "[1,2,3,4]"))  # fmt: skip
            png_of(row, top / "Images" / f"{row.id}.png")
            mask_of(row, top / "Masks" / f"mask_{row.id.removeprefix('bus_')}.png")
    done = import_set("busbra", tmp_path, tmp_path / "data")
    assert (done.left_out, done.joined) == ((), ())
    for before, after in pairs(original, done):
        agree(before, after)
        for column in ("group", "birads", "side", "histology", "device"):
            assert after.about[column] == before.about[column]


def test_breast_comes_back_with_every_descriptor(shared_data: Path, tmp_path: Path) -> None:
    original = spread(read_folder(shared_data / "breast"), SOME)
    cells = ("age", "tissue_composition", "signs", "symptoms", "shape", "margin", "echogenicity", "posterior_features",
             "halo", "calcifications", "skin_thickening", "birads", "interpretation", "diagnosis")  # fmt: skip
    header = ("CaseID", "Image_filename", "Mask_tumor_filename", "Classification", "Pixel_size",
              *(cell.capitalize() if cell != "birads" else "BIRADS" for cell in cells))  # fmt: skip
    lines: list[tuple[str | float | None, ...]] = [header]
    for row in original:
        png_of(row, tmp_path / "pictures" / f"{row.id}.png")
        mask = None
        if row.label != "normal":
            mask = mask_of(row, tmp_path / "pictures" / f"{row.id}_tumor.png").name
        size = round(float(row.about["pixel_size_mm"]) / 10, 9)
        told = (row.about[cell] or None for cell in cells)
        lines.append((int(row.id.removeprefix("case")), f"{row.id}.png", mask, row.label, size, *told))
    workbook(tmp_path / "BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx", lines)
    done = import_set("breast", tmp_path, tmp_path / "data")
    assert (done.left_out, done.joined) == ((), ())
    for before, after in pairs(original, done):
        agree(before, after)
        for column in ("group", "pixel_size_mm", *cells):
            assert after.about[column] == before.about[column], (before.id, column)


def test_ddti_comes_back_from_outlines(shared_data: Path, tmp_path: Path) -> None:
    original = spread(read_folder(shared_data / "ddti"), 5 * SOME)
    cases: dict[str, list[Row]] = {}
    for row in original:
        cases.setdefault(row.id.partition("_")[0], []).append(row)
    columns = ("composition", "echogenicity", "margins", "calcifications", "tirads", "sex", "age")
    for case, rows in cases.items():
        marks = []
        for row in rows:
            (tmp_path / f"{row.id}.jpg").write_bytes(row.image.read_bytes())
            pixels = read_picture(row.image)
            truth = read_truth(row, (pixels.shape[0], pixels.shape[1]))
            assert truth is not None
            marks.append((row.id.partition("_")[2], svg(truth.astype(np.uint8))))
        ddti_case(tmp_path / f"{case}.xml", marks, **{column: rows[0].about[column] for column in columns})
    done = import_set("ddti", tmp_path, tmp_path / "data")
    assert done.left_out == ()
    groups = {row.id: row.group for row in original}
    assert done.joined  # cases of this set show one nodule twice; the index that came with it has groups of such cases
    assert all(len({groups[name] for name in joined}) == 1 for joined in done.joined)
    for before, after in pairs(original, done):
        if before.group.startswith("c"):
            assert after.group == before.group
        for column in columns:
            assert after.about[column] == before.about[column]
        size = read_picture(before.image).shape[:2]
        drawn, found = read_truth(before, size), read_truth(after, size)
        assert drawn is not None
        assert found is not None
        outer = cv2.morphologyEx(drawn.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
        assert np.count_nonzero(found & (drawn | outer)) / np.count_nonzero(found | drawn) > 0.98, before.id
