"""DICOM objects of the kinds that people met elsewhere, sent by DCMTK's storescu: each is composed whole or waits."""

import subprocess
from pathlib import Path

import pynetdicom._config
import pytest
from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless
from pynetdicom import AE

from sonovan.producers.gateway.intake import ARRIVED, COMPOSED, TRAY, Assigned
from tests.conftest import skip_unless_ci
from tests.producers.gateway.test_dcmtk import dcmtk, dcmtk_run
from tests.producers.gateway.vans import SLIP, Running, running
from tests.waiting import until

__all__ = ["dcmtk"]  # a fixture that skips where there is no DCMTK

ROOT = Path(__file__).parents[3]
NUMBERS = ("01", "02", "04", "05", "06", "07", "09", "10", "11", "12", "13", "14", "16", "27")
FRAMES = 12
PROPOSED = {JPEGBaseline8Bit: "-xy", JPEG2000Lossless: "-xv", JPEG2000: "-xw", JPEGLSLossless: "-xt"}
"""What storescu has to be told of a file's transfer syntax."""
WAIT = {
    "10-enhanced-frame-laterality": "side_contradicts_file",
    "10-modifier-right-srt": "side_contradicts_file",
    "10-modifier-right": "side_contradicts_file",
    "10-two-values": "side_contradicts_file",
    "10-word-right": "side_contradicts_file",
    "11-coded-liver": "organ_contradicts_file",
    "11-control-body-part-liver": "organ_contradicts_file",
}


@pytest.fixture(scope="module")
def faults(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    make, out = shared_data.parent / "faults" / "make.sh", tmp_path_factory.mktemp("faults")
    if not make.exists():
        skip_unless_ci(f"{make} is not here: it makes the files")
    subprocess.run([make, out, *NUMBERS], cwd=ROOT, check=True, capture_output=True)
    return sorted(out.glob("*.dcm"))


def sent_as_it_is(port: int, file: Path) -> int:
    """The status that a sender gets which reads the header alone and sends the bytes behind it."""
    meta = read_file_meta_info(file)
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port, ae_title="SONOVAN")
    try:
        return int(association.send_c_store(file).Status)
    finally:
        association.release()


def assigned(van: Running) -> None:
    """Whatever waits is hers, of the left breast, as an operator would say who has the scanner beside her."""
    for each in van.settled():
        if each.state == TRAY:
            van.desk.intake.assign(each.number, Assigned(SLIP, "numbers_missing", "breast", "left"))
    until(lambda: not van.desk.intake.objects(ARRIVED), "every object was looked at", deadline_s=120)


def test_each_is_composed_whole_or_waits_with_its_reason(
    tmp_path: Path, faults: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pynetdicom._config, "STORE_SEND_CHUNKED_DATASET", True)
    names: dict[str, str] = {}
    with running(tmp_path / "van") as van:
        van.expect()
        for file in faults:
            header = dcmread(file, stop_before_pixels=True, force=True)
            option = PROPOSED.get(header.file_meta.TransferSyntaxUID)
            _, said = dcmtk_run("storescu", van.port, "-R", *([option] if option else []), file)
            if "missing SOP class" in said:  # storescu cannot read it: another sender can
                assert sent_as_it_is(van.port, file) == 0x0000, file.name
            else:
                assert "Store Response (Success)" in said, f"{file.name}: {said}"
            names.setdefault(str(header.SOPInstanceUID), file.stem)
        assigned(van)
        fates = {names[each.claims.instance]: (each.state, each.reason) for each in van.settled()}
        assert fates.keys() == {*names.values()}
        assert {name: fate for name, fate in fates.items() if fate != (COMPOSED, None)} == {
            name: (TRAY, reason) for name, reason in WAIT.items()
        }
        (screening,) = van.spool.screenings()
        composed = len(fates) - len(WAIT)
        assert screening.sequences == composed
        assert screening.frames == FRAMES * composed, "a frame that cannot be read keeps its number"
        assert 0 < van.watch.glance(screening.screening_id).lost < FRAMES * 2, "of the two that are cut and holed"
        assert dcmtk_run("echoscu", van.port)[0] == 0
