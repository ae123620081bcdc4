"""Real DICOM files through the profile: nothing of theirs that names somebody is left, and none is too odd."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from sonovan.producers.deidentify import Keyed, deidentify
from tests.producers.deidentify.test_profile import text_of

KEYED = Keyed(bytes(range(32)), "subject-1")
NAMING = ("PatientName", "PatientID", "InstitutionName", "ReferringPhysicianName", "AccessionNumber", "OperatorsName")


@pytest.mark.data
def test_no_real_file_keeps_a_name_an_id_or_a_hospital(shared_data: Path) -> None:
    read = 0
    for path in sorted((shared_data / "dicom").glob("*/*")):
        try:
            dataset = dcmread(path, force=True, stop_before_pixels=True)
            names = {str(dataset.get(each, "")).strip() for each in NAMING}
        except Exception:  # damaged files, of which pydicom raises whatever it met; how many are read is asserted below
            continue
        result = deidentify(dataset, KEYED)
        assert result.get("PatientID", KEYED.patient()) == KEYED.patient(), path.name
        written = text_of(result)
        maker = str(dataset.get("Manufacturer", ""))
        # Two files have their scanner for a patient, one its maker for a hospital.
        names = {name for name in names if name not in maker}
        kept = [name for name in names if len(name) > 4 and name in written and not name.isdigit()]
        assert kept == [], path.name
        read += 1
    assert read > 40


@pytest.mark.data
def test_a_real_sweep_with_cleaned_frames_can_be_read_again(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "dicom" / "ultrasound" / "pydicom__examples_palette.dcm"
    dataset: Dataset = dcmread(path)
    frame = np.full((int(dataset.Rows), int(dataset.Columns), 3), 7, np.uint8)
    deidentify(dataset, KEYED, [frame]).save_as(tmp_path / "out.dcm", enforce_file_format=True)
    assert np.array_equal(dcmread(tmp_path / "out.dcm").pixel_array, frame)
