"""A scanner for benchmarks: ultrasound objects of simulated sweeps, sent by C-STORE to `sonovan van serve`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import UltrasoundMultiFrameImageStorage  # type: ignore[attr-defined]

from benchmarks.shared import VISIT
from sonovan.contracts.words import slip_number
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.items import Visit
from sonovan.producers.plan import both_sides
from sonovan.producers.vault import Vault

SIZE: Final = (480, 640)
SLIP: Final = slip_number("B", 17)

Picture = NDArray[np.uint8]


def pictures(frames: int, seed: int) -> list[Picture]:
    """Frames of one simulated sweep, uint8 (480, 640)."""
    return [np.asarray(each, np.uint8) for each in simulate_sweep("breast", frames=frames, seed=seed, size=SIZE).frames]


def ultrasound(frames: Sequence[Picture], slip: str = SLIP) -> Dataset:
    """An object of the left breast with these frames, of the woman with this slip; each has an own UID."""
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID, found.SOPInstanceUID = str(UltrasoundMultiFrameImageStorage), generate_uid()
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.Modality, found.PatientID, found.Laterality, found.BodyPartExamined = "US", slip, "L", "BREAST"
    found.Rows, found.Columns = frames[0].shape
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 8, 8, 7, 0
    found.NumberOfFrames = len(frames)
    found.PixelData = b"".join(each.tobytes() for each in frames)
    found["PixelData"].VR = "OB"
    return found


def store(port: int, objects: Sequence[Dataset], title: str = "SCANNER") -> Iterator[Dataset]:
    """Send objects over one association; each once it was acknowledged. Ends where the gateway goes away."""
    entity = AE(ae_title=title)
    entity.add_requested_context(UltrasoundMultiFrameImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title="SONOVAN")
    try:
        for each in objects:
            if not association.is_established:
                return
            try:
                status = association.send_c_store(each)
            except RuntimeError:  # it was cut off
                return
            if "Status" in status and status.Status == 0:
                yield each
    finally:
        if association.is_established:
            association.release()


def files_of(folder: Path, objects: Sequence[Dataset]) -> list[Path]:
    """The objects as DICOM files in a new folder."""
    folder.mkdir()
    paths = [folder / f"{number:05}.dcm" for number in range(len(objects))]
    for path, each in zip(paths, objects, strict=True):
        each.save_as(path, enforce_file_format=True)
    return paths


def storescu(port: int, files: Sequence[Path], title: str = "SCANNER") -> int:
    """Send files over one association by DCMTK's program; how many were acknowledged: all, or none is counted."""
    command = ["storescu", "--max-send-pdu", "131072", "-aet", title, "-aec", "SONOVAN", "127.0.0.1", str(port)]
    sent = subprocess.run([*command, *map(str, files)], check=False, stdout=subprocess.DEVNULL)
    return len(files) if sent.returncode == 0 else 0


def expect(vault: Vault, slip: str = SLIP) -> str:
    """Have the van expect a woman; her screening's id."""
    visit = Visit(VISIT.subject_key, VISIT.site_code, VISIT.consent, slip, both_sides(["breast"]))
    with open_desk(vault) as desk:
        return desk.register.expect(visit, datetime.now(UTC).astimezone().date(), None).screening_id


@contextmanager
def serving(state: Path, van_id: str, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """`sonovan van serve` in a process of its own, ended politely when the block ends, unless it was killed."""
    ports = ["--port", "0", "--page-port", "0"]  # free ones: several vans serve side by side
    command = [sys.executable, "-m", "sonovan", "van", "serve", *ports, "--van", van_id, "--state", str(state)]
    with (state / f"{van_id}.log").open("a") as log:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(120)
        if process.stdout is not None:
            process.stdout.close()


def port_of(process: "subprocess.Popen[str]") -> int | None:
    """The port on which it listens, once it does; None where it ended before (why stands in its log)."""
    line = process.stdout.readline() if process.stdout is not None else ""
    return int(line.rpartition(" ")[2]) if line else None


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))
