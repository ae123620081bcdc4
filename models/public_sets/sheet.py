"""Tables of public sets as rows of text: CSV with either separator, and the first sheet of an XLSX workbook.

An XLSX file is a ZIP of XML parts. Read are cells with shared strings, strings in place, numbers and truth values; what
a formula came to is the value that was stored with it. Source: ECMA-376, part 1, chapter 18.
"""

import csv
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sonovan.models.evaluation.index import UnusableData

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PART: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
MAX_PART: Final = 64 * 1024 * 1024
"""Bytes of one unpacked part of a workbook: the largest table of a public set has a hundredth of that."""


def read_table(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows under the header, each by column name; cells are stripped, absent cells are empty, empty rows dropped.

    Raises UnusableData where the file cannot be read, or lacks a column that is `needed`.
    """
    lines = read_lines(path)
    header = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise UnusableData(f"{path} has no column {' and no column '.join(missing)}")
    rows = []
    for line in lines[1:]:
        cells = [cell.strip() for cell in line] + [""] * (len(header) - len(line))
        if any(cells):
            rows.append({name: cell for name, cell in zip(header, cells, strict=False) if name})
    return rows


def read_lines(path: Path) -> list[list[str]]:
    """All lines of a CSV file (comma or semicolon, whichever its first line has more of), or of an XLSX file.

    Raises UnusableData where the file is neither.
    """
    if path.suffix.lower() == ".xlsx":
        return _workbook(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        return list(csv.reader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ","))
    except OSError as error:
        raise UnusableData(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableData(f"{path} is no CSV file in UTF-8: {error}") from None


def _workbook(path: Path) -> list[list[str]]:
    try:
        with zipfile.ZipFile(path) as parts:
            strings = _strings(parts)
            return [_cells(row, strings) for row in _part(parts, _first_sheet(parts)).iter(f"{_MAIN}row")]
    except OSError as error:
        raise UnusableData(f"{path} cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, ET.ParseError) as error:
        raise UnusableData(f"{path} is no intact XLSX workbook: {error}") from None


def _part(parts: zipfile.ZipFile, name: str) -> ET.Element:
    if parts.getinfo(name).file_size > MAX_PART:
        raise ValueError(f"{name} is larger than any table of a public set")
    data = parts.read(name)
    if b"<!DOCTYPE" in data:
        raise ValueError(f"{name} declares entities")
    return ET.fromstring(data)  # noqa: S314


def _first_sheet(parts: zipfile.ZipFile) -> str:
    """The name of the part that holds the sheet which comes first in the workbook."""
    first = next(_part(parts, "xl/workbook.xml").iter(f"{_MAIN}sheet")).get(_RELATED)
    for related in _part(parts, "xl/_rels/workbook.xml.rels").iter(_PART):
        if related.get("Id") == first:
            target = related.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise ValueError("no part is named for its first sheet")


def _strings(parts: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in parts.namelist():
        return []
    table = _part(parts, "xl/sharedStrings.xml")
    return [_text(entry) for entry in table.iter(f"{_MAIN}si")]


def _text(entry: ET.Element) -> str:
    """The text of a string, without the phonetic hints that East Asian workbooks put beside it."""
    pieces = [piece for run in entry if run.tag != f"{_MAIN}rPh" for piece in run.iter(f"{_MAIN}t")]
    return "".join(piece.text or "" for piece in pieces)


def _cells(row: ET.Element, strings: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        place = _column(cell.get("r", "")) if cell.get("r") else len(cells)
        cells += [""] * (place + 1 - len(cells))
        cells[place] = _value(cell, strings)
    return cells


def _column(reference: str) -> int:
    """`A1` → 0, `AB7` → 27."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        raise ValueError(f"{reference!r} names no cell")
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ET.Element, strings: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(_text(entry) for entry in cell.iter(f"{_MAIN}is"))
    value = cell.findtext(f"{_MAIN}v") or ""
    if cell.get("t") == "s":
        return strings[int(value)]
    if value and cell.get("t") in (None, "n"):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return value
