"""Small made-up folders in the layouts of public sets: speckled pictures with a dark ellipse, and its mask."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np

SIZE = (120, 160)


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(rows, columns) uint8: coarse tissue of its own for each seed, and the dark ellipse of `drawn`."""
    coarse = np.random.default_rng(seed).integers(70, 200, (6, 8)).astype(np.uint8)
    tissue = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    tissue[drawn(size) > 0] = 20
    return tissue


def drawn(size: tuple[int, int] = SIZE, left: int = 60) -> np.ndarray:
    """(rows, columns) uint8, 255 inside the ellipse."""
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (left, size[0] // 2), (25, 18), 0, 0, 360, 255, -1)
    return mask


def written(path: Path, pixels: np.ndarray) -> Path:
    """Red, green, blue where there are three channels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[..., ::-1])
    return path


def coloured(mask: np.ndarray, red: bool) -> np.ndarray:
    """The mask in one channel of three."""
    pixels = np.zeros((*mask.shape, 3), np.uint8)
    pixels[..., 0 if red else 1] = mask
    return pixels


def ddti_case(path: Path, marks: Sequence[tuple[str, str]], **cells: str) -> Path:
    """A case's XML. marks: the number of a picture and the text of its `svg`."""
    told = "".join(f"<{name}>{escape(cell)}</{name}>" for name, cell in cells.items())
    outlines = "".join(f"<mark><image>{number}</image><svg>{escape(svg)}</svg></mark>" for number, svg in marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0"?><case><number>{path.stem}</number>{told}{outlines}</case>', encoding="utf-8")
    return path


def svg(mask: np.ndarray) -> str:
    """The outlines of a mask as the set writes them."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    regions = [[{"x": int(column), "y": int(row)} for column, row in contour[:, 0]] for contour in contours]
    return json.dumps([{"points": points, "annotation": {}, "regionType": "freehand"} for points in regions])


def workbook(path: Path, lines: Sequence[Sequence[str | float | None]]) -> Path:
    """An XLSX file whose texts are shared strings; cells of None are left out, as spreadsheet programs do."""
    strings: list[str] = []
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = ""
        for place, cell in enumerate(line):
            reference = f"{_letters(place)}{number}"
            if isinstance(cell, str):
                strings.append(cell)
                cells += f'<c r="{reference}" t="s"><v>{len(strings) - 1}</v></c>'
            elif cell is not None:
                cells += f'<c r="{reference}"><v>{cell!r}</v></c>'
        rows.append(f'<row r="{number}">{cells}</row>')
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    related = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr(
            "xl/workbook.xml",
            f'<workbook {main} {related}><sheets><sheet name="a" sheetId="1" r:id="rId7"/></sheets></workbook>',
        )
        parts.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships {package}><Relationship Id="rId7" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        parts.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{''.join(rows)}</sheetData></worksheet>"
        )
        told = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
        parts.writestr("xl/sharedStrings.xml", f"<sst {main}>{told}</sst>")
    return path


def _letters(place: int) -> str:
    return (chr(ord("A") + place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)
