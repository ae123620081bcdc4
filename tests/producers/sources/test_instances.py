"""A CD, its directory, and copies: each instance is read once."""

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from pydicom.uid import RLELossless, generate_uid

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CaptureOptions, open_source, open_sources
from tests.producers.files import grey, write_dicom

BREAST = CaptureOptions(organ="breast")


def test_a_copy_in_another_folder_is_read_once(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey(seed=seed) for seed in range(3)])
    (tmp_path / "cd").mkdir()
    shutil.copy(path, tmp_path / "cd" / "other.dcm")
    inputs = open_sources([path, tmp_path / "cd"], BREAST)
    assert [source.path for source in inputs.sources] == [path]
    assert any("other.dcm" in line for line in inputs.warned)
    assert inputs.refused == ()


def test_a_copy_in_another_transfer_syntax_is_read_once(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey(seed=seed) for seed in range(3)])
    dataset = dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "b.dcm")
    assert len(open_sources([path, tmp_path / "b.dcm"], BREAST).sources) == 1


def test_two_pictures_under_one_name_are_both_read_and_warned_of(tmp_path: Path) -> None:
    uid = generate_uid()
    paths = [write_dicom(tmp_path / f"{n}.dcm", [grey(seed=n)], SOPInstanceUID=uid) for n in range(2)]
    inputs = open_sources(paths, BREAST)
    assert len(inputs.sources) == 2
    assert len(inputs.warned) == 1


def test_the_directory_of_a_cd_is_passed_over(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", [grey()], StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid(), PatientID="X",
        PatientName="X", StudyDate="20260101", StudyTime="101010", StudyID="1", SeriesNumber=1, InstanceNumber=1,
        AccessionNumber="1",
    )  # fmt: skip
    files = FileSet()
    files.add(path)
    (tmp_path / "cd").mkdir()
    files.write(tmp_path / "cd")
    inputs = open_sources([tmp_path / "cd"], BREAST)
    assert (len(inputs.sources), inputs.refused) == (1, ())
    with pytest.raises(InvalidRecord) as caught:
        open_source(tmp_path / "cd" / "DICOMDIR", BREAST)
    assert caught.value.reason == "dicomdir"
