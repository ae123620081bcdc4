"""What the layouts share: tables, MAT files, pictures that are alike, groups."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.public_sets.alike import groups_of, look_of, pairs_alike
from sonovan.models.public_sets.found import filled
from sonovan.models.public_sets.matlab import read_mat
from sonovan.models.public_sets.oasbud import b_mode
from sonovan.models.public_sets.sheet import read_lines, read_table
from tests.models.public_sets.laid_out import drawn, picture, workbook

SCIPY_FILE = Path(__file__).parent / "oasbud_by_scipy.mat"


def test_a_table_is_read_with_either_separator_and_without_the_mark_of_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffID;Label\n1 ; Benign\n\n2;\n", encoding="utf-8")
    assert read_table(path, ("ID",)) == [{"ID": "1", "Label": "Benign"}, {"ID": "2", "Label": ""}]
    with pytest.raises(UnusableData, match="no column Case"):
        read_table(path, ("ID", "Case"))


def test_a_workbook_keeps_its_gaps_numbers_and_texts(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [("A", None, "C & D"), (1, 0.0078125, None), ("<x>", None, 5.0)])
    assert read_lines(path) == [["A", "", "C & D"], ["1", "0.0078125"], ["<x>", "", "5"]]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut"])
def test_a_damaged_workbook_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(UnusableData, match=r"a\.xlsx is no intact XLSX"):
        read_lines(tmp_path / "a.xlsx")


def test_a_workbook_that_declares_entities_is_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [("A",)])
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as parts, zipfile.ZipFile(tmp_path / "a.xlsx") as plain:
        for name in plain.namelist():
            mark = b'<!DOCTYPE a [<!ENTITY b "c">]>' if "shared" in name else b""
            parts.writestr(name, mark + plain.read(name))
    with pytest.raises(UnusableData, match="declares entities"):
        read_lines(tmp_path / "b.xlsx")


def test_a_mat_file_of_scipy_is_read_as_scipy_wrote_it() -> None:
    found = read_mat(SCIPY_FILE)
    cases = found["data"]
    assert isinstance(cases, list)
    assert len(cases) == 2
    first, second = cases
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    lines, outlined = first["rf1"], second["roi2"]
    assert isinstance(lines, np.ndarray)
    assert isinstance(outlined, np.ndarray)
    assert (lines.shape, lines.dtype, outlined.shape) == ((800, 38), np.int16, (400, 38))
    roi = first["roi1"]
    assert isinstance(roi, np.ndarray)
    assert np.argwhere(roi)[[0, -1]].tolist() == [[200, 12], [599, 24]]
    assert (first["birads"], found["note"]) == ("4c", "made up")
    cell = found["cells"]
    assert isinstance(cell, list)
    assert isinstance(cell[0], np.ndarray)
    assert (float(cell[0].ravel()[0]), cell[1]) == (1.5, "a")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[: len(data) // 2], "no intact MAT"),
        (lambda data: data[:200] + bytes(40) + data[240:], "no intact MAT"),
        (lambda data: b"MATLAB 7.3 MAT-file" + data[19:], "version 7.3"),
        (lambda data: data[:126] + b"??" + data[128:], "no MAT file of version 5"),
        (lambda data: b"", "no MAT file of version 5"),
    ],
)
def test_a_mat_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, change, told: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.mat").write_bytes(change(SCIPY_FILE.read_bytes()))
    with pytest.raises(UnusableData, match=told):
        read_mat(tmp_path / "a.mat")


def test_the_envelope_follows_the_strength_of_the_echoes_in_decibels() -> None:
    carrier = np.cos(2 * np.pi * 0.2 * np.arange(4000))[:, None] * np.ones((1, 40))
    carrier[2000:] *= 10 ** (-20 / 20)  # 20 of the 50 dB weaker
    grey = b_mode(carrier * 1000)
    assert int(grey[5, 20]) == pytest.approx(255, abs=2)
    assert int(grey[-5, 20]) == pytest.approx(255 * 30 / 50, abs=2)
    with pytest.raises(UnusableData, match="no echo"):
        b_mode(np.zeros((100, 10)))


def test_the_envelope_does_not_swing_with_the_carrier() -> None:
    lines = np.cos(2 * np.pi * 0.05 * np.arange(400))[:, None] * np.ones((1, 1974))  # so many that no row is averaged
    assert int(b_mode(lines).min()) > 245


def test_a_copy_with_callipers_or_other_brightness_is_alike_and_other_tissue_is_not() -> None:
    one = picture(1)
    marked = one.copy()
    cv2.putText(marked, "+ 12.3mm", (5, 110), cv2.FONT_HERSHEY_PLAIN, 1, 255)
    brighter = cv2.convertScaleAbs(one, alpha=1.15, beta=12)
    smaller = cv2.resize(one, (80, 60), interpolation=cv2.INTER_AREA)
    others = (picture(2), picture(3), np.full((9, 9), 7, np.uint8))
    looks = [look_of(each) for each in (one, marked, brighter, smaller, *others)]
    assert pairs_alike(looks) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


PATIENTS = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=12)
PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8)


@given(PATIENTS, PAIRS)
def test_a_group_holds_a_patient_and_all_that_is_alike(patients: list[str], links: list[tuple[int, int]]) -> None:
    pairs = [(a, b) for a, b in links if max(a, b) < len(patients)]
    firsts = groups_of(patients, pairs)
    assert all(firsts[first] == first <= place for place, first in enumerate(firsts))
    assert all(firsts[a] == firsts[b] for a, b in pairs)
    for patient in {"a", "b", "c"}:
        assert len({firsts[place] for place, each in enumerate(patients) if each == patient}) <= 1
    linked = {place for pair in pairs for place in pair}
    alone = [place for place, each in enumerate(patients) if not each and place not in linked]
    assert all(firsts.count(place) == 1 for place in alone)


def test_an_outline_that_leaves_its_picture_is_refused() -> None:
    assert filled([[(1, 1), (5, 1), (5, 4), (1, 4)]], (10, 10)).sum() == 5 * 4
    for points in ([(1.0, 1.0), (2.0, 2.0)], [(1.0, 1.0), (200.0, 2.0), (3.0, 3.0)], [(float("nan"), 1.0)] * 3):
        with pytest.raises(UnusableData, match="outline"):
            filled([points], drawn().shape)
