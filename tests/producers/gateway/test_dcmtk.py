"""DCMTK's own programs against the listener: another implementation of DICOM than the one that listens."""

import re
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import pytest
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless

from sonovan.producers.gateway.intake import COMPOSED, QUARANTINED, TRAY
from tests.conftest import skip_unless_ci
from tests.producers.files import grey, write_dicom
from tests.producers.gateway.vans import OTHER_SLIP, SLIP, running, study

TITLES = ("-aet", "LOGIQ", "-aec", "SONOVAN")


@pytest.fixture(autouse=True)
def dcmtk() -> None:
    if shutil.which("storescu") is None:
        skip_unless_ci("no DCMTK here (Debian: dcmtk)")


def dcmtk_run(program: str, port: int, *words: str | Path, titles: tuple[str, ...] = TITLES) -> tuple[int, str]:
    done = subprocess.run(
        [program, "-v", *titles, "127.0.0.1", str(port), *map(str, words)],
        capture_output=True, text=True, timeout=120, errors="replace", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_echo_and_a_wrong_title(tmp_path: Path) -> None:
    with running(tmp_path) as van:
        assert dcmtk_run("echoscu", van.port)[0] == 0
        code, said = dcmtk_run("echoscu", van.port, titles=("-aet", "LOGIQ", "-aec", "WRONG"))
        assert code != 0
        assert "Called AE Title Not Recognized" in said


def test_a_study_is_sent_twice_and_is_once(tmp_path: Path) -> None:
    files = [study(tmp_path / f"{n}.dcm", 2, 10 * n) for n in range(3)]
    with running(tmp_path / "van") as van:
        van.expect()
        for _ in range(2):
            code, said = dcmtk_run("storescu", van.port, *files)
            assert (code, said.count("Success")) == (0, 3)
        assert van.fates() == [(COMPOSED, None)] * 3
        assert van.spool.screenings()[0].frames == 6


def test_a_coded_object_is_read(tmp_path: Path) -> None:
    streams = [imagecodecs.jpegls_encode(grey(seed=n)) for n in range(3)]
    file = write_dicom(tmp_path / "a.dcm", streams, syntax=JPEGLSLossless, PatientID=SLIP, Laterality="L")
    with running(tmp_path / "van") as van:
        van.expect()
        assert dcmtk_run("storescu", van.port, "-xt", file)[0] == 0
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.screenings()[0].frames == 3


def test_the_worklist_is_found(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        van.expect(OTHER_SLIP)
        out = tmp_path / "out"
        out.mkdir()
        keys = ("PatientID", "PatientName", "AccessionNumber", "ScheduledProcedureStepSequence[0].Modality=US")
        words = [word for key in keys for word in ("-k", key)]
        assert dcmtk_run("findscu", van.port, "-W", "-X", "-od", out, *words)[0] == 0
        found = [dcmread(path, force=True) for path in sorted(out.iterdir())]
        assert [str(each.PatientName) for each in found] == [SLIP, OTHER_SLIP]


def instance_of(file: Path) -> str:
    """The SOPInstanceUID, as DCMTK reads it."""
    told = subprocess.run(["dcmdump", "+P", "0008,0018", file], capture_output=True, check=False)
    found = re.search(rb"\[([0-9.]+)\]", told.stdout)
    return found[1].decode() if found else ""


def test_odd_files_are_taken_or_refused_and_the_listener_goes_on(tmp_path: Path, shared_data: Path) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        acknowledged: list[str] = []
        for file in sorted((shared_data / "dicom" / "odd").iterdir()):  # storescu itself dies of one of them
            _, said = dcmtk_run("storescu", van.port, "-R", file)
            if "Store Response (Success)" in said:
                acknowledged.append(instance_of(file))
            assert not re.search(r"Store Response \((?!Success)", said), said
        assert len(acknowledged) >= 10
        objects = van.settled()
        assert {each.claims.instance for each in objects} == set(acknowledged)
        assert {each.state for each in objects} <= {TRAY, QUARANTINED}
        assert all(each.reason for each in objects)
        assert dcmtk_run("echoscu", van.port)[0] == 0
