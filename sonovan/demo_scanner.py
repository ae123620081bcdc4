"""The scanner of `make demo`: it sends pictures to the van by DICOM, through DCMTK's `storescu` where it is there."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import dcmread, examples
from pydicom.uid import generate_uid
from pynetdicom import AE

from sonovan.contracts.errors import Transient
from sonovan.contracts.words import MAX_SLIP, slip_number
from sonovan.demo_typed import VAN, argv, environment, say, sonovan, typed

TITLE: Final = "DEMOSCANNER"
WITHIN_S: Final = 120.0
_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Serving:
    """`sonovan van serve` of the demo's van. port: where it listens to scanners."""

    process: "subprocess.Popen[str]"
    port: int


@contextmanager
def serving(path: Path, keep: bool) -> Iterator[Serving]:
    """The van's listener and its page, on any free ports; stopped at the end, unless `keep`."""
    words = ("van", "serve", "--van", VAN, "--port", "0", "--page-port", "0")
    typed(*words)
    log = path / "demo" / "van-serve.log"
    with log.open("w", encoding="utf-8") as writing:
        process = subprocess.Popen(
            argv(*words), env=environment(path), stdout=subprocess.PIPE, stderr=writing, text=True,
            start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline().rstrip()
        if " port " not in line:
            raise Transient(f"the van does not listen: {log.read_text(encoding='utf-8').strip()[-300:]}")
        say(line)
        say(process.stdout.readline().rstrip())
        yield Serving(process, int(line.rpartition(" ")[2]))
    except BaseException:
        keep = False
        raise
    finally:
        if keep:
            say(f"the van's listener and page keep running; `kill {process.pid}` stops them")
        else:
            process.terminate()
            process.wait()


def registered(path: Path) -> tuple[str, str]:
    """A woman who is expected on the van today: her slip number, and the id of her screening."""
    slip = slip_number("D", int(time.time()) % MAX_SLIP + 1)
    words = (
        "van",
        "register",
        "--van",
        VAN,
        "--slip",
        slip,
        "--organ",
        "breast",
        "--consent",
        "screening,ai",
        "--json",
    )
    return slip, str(json.loads(sonovan(path, *words))["screening_id"])


def scanned(folder: Path, slip: str) -> Path:
    """The multi-frame file that pydicom ships, as a scanner sends it that found the slip number in the worklist.

    The file was made smaller after its regions were written; here they lie within its picture, which has half its
    original size, else the van would hold its frames.
    """
    dataset = dcmread(examples.get_path("ybr_color"))
    for region in dataset.SequenceOfUltrasoundRegions:
        for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1"):
            setattr(region, f"RegionLocation{corner}", region[f"RegionLocation{corner}"].value // 2)
        region.PhysicalDeltaX, region.PhysicalDeltaY = 2 * region.PhysicalDeltaX, 2 * region.PhysicalDeltaY
    dataset.PatientID = dataset.PatientName = slip
    dataset.AccessionNumber = ""
    # A new picture each time: the van takes one that it has already for the same, and this woman is another one.
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.BodyPartExamined, dataset.Laterality = "BREAST", "L"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "heart.dcm"
    dataset.save_as(path)
    return path


def send(file: Path, port: int) -> None:
    """Send a file by C-STORE. Raises Transient where the van does not take it."""
    if shutil.which("storescu") is not None:
        words = ["storescu", "-xy", "-aet", TITLE, "-aec", "SONOVAN", "127.0.0.1", str(port), str(file)]
        say(f"$ {' '.join(words)}")
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise Transient(f"storescu: {(done.stdout + done.stderr).strip()[-300:]}")
        return
    say(f"(no storescu here, Debian: dcmtk; pynetdicom sends {file.name} to port {port})")
    dataset = dcmread(file)
    entity = AE(ae_title=TITLE)
    entity.add_requested_context(str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID))
    association = entity.associate("127.0.0.1", port, ae_title="SONOVAN")
    try:
        status = association.send_c_store(dataset).Status if association.is_established else None
    finally:
        association.release()
    if status != 0:
        raise Transient(f"the van answered {status} to {file.name}")


def closed(path: Path, screening_id: str) -> None:
    """Close her screening once her frames are in it. Raises Transient where none comes in time."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        told = subprocess.run(
            argv("van", "screenings", "--van", VAN, "--json"),
            env=environment(path), stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        if any(each["screening_id"] == screening_id and each["frames"] for each in json.loads(told.stdout)):
            break
        if time.monotonic() > deadline:
            raise Transient(f"no frame came into screening {screening_id}; sonovan van tray list says what waits")
        time.sleep(_LOOK_S)
    say(sonovan(path, "van", "close", screening_id, "--van", VAN).rstrip())
