"""DDTI: `1.xml` for each case, its pictures `1_1.jpg` and so on, outlines as JSON inside the XML.

A `mark` names the number of its picture and has in `svg` a list of regions, each with `points` of `x` and `y`. A case
is one patient. Source: Pedraza et al., Proc. SPIE 9287:92870W (2015).
"""

import json
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path
from typing import Final

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.public_sets.found import Found, Layout, LeftOut, filled, pictures_in

COLUMNS: Final = ("composition", "echogenicity", "margins", "calcifications", "tirads", "sex", "age")
Polygon = list[tuple[float, float]]


def find(top: Path) -> Layout:
    """Every picture with an outline. One without any is left out: nobody says that it shows no nodule.

    Raises UnusableData where there is no XML file.
    """
    folder = next((each for each in (top, *sorted(top.glob("*/"))) if any(each.glob("*.xml"))), None)
    if folder is None:
        raise UnusableData(f"neither {top} nor a folder in it holds XML files; is it the folder of this set?")
    pictures = {path.stem: path for path in pictures_in(folder)}
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for path in sorted(folder.glob("*.xml"), key=lambda each: (len(each.stem), each.stem)):
        try:
            case = _case(path)
        except UnusableData as error:
            left_out.append(LeftOut(path.name, "outline_broken", str(error)))
            left_out += [_lost(pictures.pop(stem)) for stem in sorted(pictures) if stem.startswith(f"{path.stem}_")]
            continue
        about = {column: (case.findtext(column) or "").strip() for column in COLUMNS}
        for number, marks in _marks(case).items():
            name = f"{path.stem}_{number}"
            picture = pictures.pop(name, None)
            if picture is None:
                left_out.append(LeftOut(name, "no_picture", f"{path.name} outlines it, and it is not there"))
                continue
            try:
                outlines = [polygon for mark in marks for polygon in _polygons(mark)]
            except UnusableData as error:
                left_out.append(LeftOut(picture.name, "outline_broken", f"{path.name}: {error}"))
                continue
            if not outlines:
                left_out.append(LeftOut(picture.name, "no_mask", f"{path.name} has no outline of it"))
                continue
            drawn = (partial(filled, outlines),)
            found.append(Found(name, picture.name, picture, "", f"c{path.stem}", drawn, (), about))
    left_out += [LeftOut(path.name, "no_mask", "no XML file has an outline of it") for path in pictures.values()]
    return Layout(tuple(found), tuple(left_out))


def _lost(picture: Path) -> LeftOut:
    return LeftOut(picture.name, "outline_broken", "the XML file of its case cannot be read")


def _case(path: Path) -> ET.Element:
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data:
            raise UnusableData("it declares entities")
        return ET.fromstring(data)  # noqa: S314
    except OSError as error:
        raise UnusableData(f"it cannot be read: {error.strerror}") from None
    except ET.ParseError as error:
        raise UnusableData(f"it is no intact XML: {error}") from None


def _marks(case: ET.Element) -> dict[str, list[str]]:
    """The drawings of each picture, by its number: one picture may have several marks."""
    marks: dict[str, list[str]] = {}
    for mark in case.iter("mark"):
        number = (mark.findtext("image") or "").strip()
        if number:
            marks.setdefault(number, []).append((mark.findtext("svg") or "").strip())
    return marks


def _polygons(drawing: str) -> list[Polygon]:
    """Raises UnusableData for JSON that breaks off (two cases of the set do) or regions without points."""
    if not drawing:
        return []
    try:
        regions = json.loads(drawing)
        return [[(float(point["x"]), float(point["y"])) for point in region["points"]] for region in regions]
    except (ValueError, TypeError, KeyError) as error:
        raise UnusableData(f"its outline is not as the set writes outlines ({type(error).__name__})") from None
