"""What a scanner and a clinic know of invented women, in every place in which it can reach a van: files to be sent.

Each woman's words stand in the attributes of her objects (private ones and other character sets too), in their pixels,
in a structured report, in the name and in the attributes of a picture, and in the names of files of a watched folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset, dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from benchmarks.text.screens import CHINESE_FONT
from sonovan.contracts.words import slip_number
from tests.journeys.van import Sweep, sweep
from tests.journeys.van_day import TEXT_ROWS, study
from tests.producers.gateway.test_reports import item, lesion, report, written

FRAMES: Final = 4
_INK: Final = 24
"""A pixel that a line changes by so many grey levels is its ink, as in `benchmarks.text.screens`."""


@dataclass(frozen=True)
class Woman:
    """Invented. Each word but the slip is hunted for, and is long enough to stand nowhere by chance."""

    slip: str
    person: str
    given: str
    chinese: str
    born: str
    village: str
    hospital: str
    number: str
    operator: str

    @property
    def words(self) -> tuple[str, ...]:
        """What names her or whoever scanned her."""
        return tuple(value for name, value in vars(self).items() if name != "slip")

    def line(self) -> str:
        """What is burned into her pictures."""
        return f"{self.given} {self.chinese} {self.born}"


WOMEN: Final = (
    Woman(slip_number("V", 2711), "11010519690214318x", "Guihua", "欧阳桂花", "19690214", "Zhangjiacun", "双桥镇卫生院",
          "M0042711", "Wanglei"),
    Woman(slip_number("V", 2712), "51013119740902226x", "Xiuying", "欧阳秀英", "19740902", "Shiqiao", "Hedong Clinic",
          "U3817884", "Chenjingyi"),
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """One woman's: what a scanner sends, and what lies in the watched folder. ink: of the line in her pictures."""

    woman: Woman
    sent: tuple[Path, ...]
    put: tuple[Path, ...]
    frames: int
    ink: Any


def files_of(woman: Woman, scanner: Path, inbox: Path) -> Files:
    """Write all of hers: of the left breast a loop to be sent, of the right one a loop and a picture in her folder."""
    pixels, ink = under_a_line(sweep(FRAMES), woman.line())
    tags = _tags(woman)
    scanner.mkdir(parents=True, exist_ok=True)
    here = inbox / woman.slip / "right"
    here.mkdir(parents=True, exist_ok=True)
    name = f"{woman.chinese} {woman.given} {woman.born}"
    left = _private(study(scanner / f"{woman.given}-left.dcm", pixels, "L", woman.slip, **tags), woman)
    right = _private(study(here / f"{name}.dcm", pixels, "R", woman.slip, **tags), woman)
    said = item("TEXT", ("121106", "DCM", "Comment"))
    said.TextValue = f"{woman.given} {woman.chinese} of {woman.village}, seen by {woman.operator}"
    sr = report(lesion(said), **{**tags, "PatientID": woman.slip})
    picture, told = here / f"{name}.png", PngInfo()
    told.add_itxt("Comment", " ".join(woman.words))
    Image.fromarray(pixels[0]).save(picture, pnginfo=told)
    return Files(woman, (left, written(scanner, sr)), (right, picture), 2 * FRAMES + 1, ink)


def of_nobody(woman: Woman, scanner: Path) -> Path:
    """A loop of the left breast without a slip number: it waits in the tray."""
    pixels, _ = under_a_line(tuple(reversed(sweep(FRAMES))), woman.line())
    return _private(study(scanner / f"{woman.given}-late.dcm", pixels, "L", "", **_tags(woman)), woman)


def unusable(woman: Woman, scanner: Path) -> Path:
    """An object that is no ultrasound: it waits in the quarantine."""
    path = study(scanner / f"{woman.given}-other.dcm", sweep(FRAMES)[:1], "L", woman.slip, **_tags(woman))
    found = dcmread(path)
    found.Modality = "OT"
    found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    found.save_as(path, enforce_file_format=True)
    return path


def under_a_line(pixels: Sweep, line: str) -> tuple[Sweep, Any]:
    """The pictures under a line of Latin and Chinese text, and its ink: (rows, columns) bool."""
    bare = [each.copy() for each in pixels]
    for each in bare:
        each[:TEXT_ROWS] = 0
    drawn = Image.fromarray(np.zeros_like(bare[0]))
    font = ImageFont.truetype(str(CHINESE_FONT), 15)
    ImageDraw.Draw(drawn).text((8, 5), line, fill=235, font=font)
    line_of = np.asarray(drawn)
    return tuple(cv2.max(each, line_of) for each in bare), line_of >= _INK


def unhidden(pictures: Sequence[Any], ink: Any, hidden: float) -> int:
    """In how many of these pictures less of the ink is black than the share `hidden`."""
    return sum(float((picture[ink] == 0).mean()) < hidden for picture in pictures)


def _tags(woman: Woman) -> dict[str, Any]:
    chinese = all(ord(each) > 127 for each in woman.hospital)
    return {
        "SpecificCharacterSet": "GB18030" if chinese else "ISO_IR 192",
        "PatientName": f"Li^{woman.given}={woman.chinese}", "PatientBirthDate": woman.born,
        "InstitutionName": woman.hospital, "InstitutionAddress": woman.village, "OperatorsName": woman.operator,
        "ReferringPhysicianName": woman.operator, "OtherPatientIDs": woman.number, "StationName": woman.village,
        "PatientComments": f"{woman.chinese}, {woman.village}", "StudyDescription": f"{woman.given} breast",
        "ImageComments": woman.person, "DeviceSerialNumber": woman.number, "StudyID": woman.number,
    }  # fmt: skip


def _private(path: Path, woman: Woman) -> Path:
    """Add her words to a file as a maker's private attributes, and in a sequence."""
    found = dcmread(path)
    block = found.private_block(0x0029, "MAKER", create=True)
    block.add_new(0x10, "LO", woman.given)
    block.add_new(0x11, "UT", " ".join(woman.words))
    asked = Dataset()
    asked.RequestingPhysician, asked.RequestedProcedureDescription = woman.operator, woman.chinese
    found.RequestAttributesSequence = [asked]
    found.save_as(path, enforce_file_format=True)
    return path
