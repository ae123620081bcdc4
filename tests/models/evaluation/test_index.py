"""Which rows a folder has, which split they belong to, and what is refused by name."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from sonovan.models.evaluation.index import SETS, UnusableData, folders_of, read_folder, read_rows, split_of, spread
from tests.models.evaluation.folders import Folder

BOX = (50, 50, 40, 40)


def test_splits_follow_the_formula() -> None:
    for number in range(50):
        bucket = int(hashlib.sha256(f"clinic/case{number}".encode()).hexdigest(), 16) % 10
        assert split_of("clinic", f"case{number}") == {0: "test", 1: "validation"}.get(bucket, "train")
    assert [split_of("gland", f"block{n}") for n in (0, 1, 5, 9)] == ["train", "test", "validation", "test"]


def test_a_split_is_that_of_the_folders_own_name_however_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "clinic")
    for number in range(40):
        folder.add(f"p{number}", [BOX], [BOX], group=f"g{number}")
    path = folder.write()
    expected = [f"p{n}" for n in range(40) if split_of("clinic", f"g{n}") == "test"]
    assert expected
    monkeypatch.chdir(path)
    for spelled in (path, Path("."), Path("../clinic"), path / ".." / "clinic"):
        assert [row.id for row in read_folder(spelled, "test")] == expected
    assert len(read_folder(path)) == 40


def test_rows_carry_what_the_cells_say_and_blanks_where_they_do_not(tmp_path: Path) -> None:
    path = Folder(tmp_path / "a").add("p1", [BOX], [BOX], label="Malignant", device="X").add("p2", device="").write()
    first, second = read_folder(path)
    assert (first.label, first.group, first.organ, first.about["device"]) == ("malignant", "", "", "X")
    assert (second.mask, second.label) == (None, "")


def test_the_organ_is_the_callers_else_the_columns_else_the_fallback(tmp_path: Path) -> None:
    path = Folder(tmp_path / "a").add("p1", organ="Thyroid").add("p2").write()
    assert [row.organ for row in read_folder(path)] == ["thyroid", ""]
    assert [row.organ for row in read_folder(path, otherwise="breast")] == ["thyroid", "breast"]
    assert [row.organ for row in read_folder(path, organ="breast")] == ["breast", "breast"]


def test_doubled_ids_are_refused_by_name(tmp_path: Path) -> None:
    path = Folder(tmp_path / "a").add("p1").add("p1").write()
    with pytest.raises(UnusableData, match=r"index\.csv.*two rows have the id p1"):
        read_folder(path)


def test_a_group_in_two_splits_is_refused_by_name(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a").add("p1", group="g1", split="train").add("p2", group="g2", split="test")
    assert len(read_folder(folder.write())) == 2
    folder.add("p3", group="g1", split="test")
    with pytest.raises(UnusableData, match=r"group g1 stands in two splits, train \(row p1\) and test \(row p3\)"):
        read_folder(folder.write())


@pytest.mark.parametrize("column", ["image", "mask"])
def test_a_named_file_that_is_absent_is_refused_with_row_and_file(tmp_path: Path, column: str) -> None:
    folder = Folder(tmp_path / "a").add("p1", [BOX], [BOX], label="normal")
    folder.rows[0][column] = "gone.png"
    with pytest.raises(UnusableData, match=rf"row p1 names the {column} .*gone\.png"):
        read_folder(folder.write())


def test_a_fault_outside_the_split_is_refused_too(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "clinic")
    for number in range(20):
        folder.add(f"p{number}", group=f"g{number}")
    (path := folder.write() / "p3.png").unlink()
    assert split_of("clinic", "g3") != "test"
    with pytest.raises(UnusableData, match="row p3"):
        read_folder(path.parent, "test")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no column id and no column image"),
        (b"id,label\n1,benign\n", "no column image"),
        (b"id,image\n", "has no row"),
        (b"id,image\n1,\n", "row 1 has no image"),
        (b"id,image\n\xff\xfe,a.png\n", "no CSV file in UTF-8"),
    ],
)
def test_an_index_that_says_too_little_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "index.csv").write_bytes(content)
    with pytest.raises(UnusableData, match=told):
        read_folder(tmp_path)


def test_a_row_without_a_group_belongs_to_no_split(tmp_path: Path) -> None:
    path = Folder(tmp_path / "a").add("p1", group="g1").add("p2").write()
    with pytest.raises(UnusableData, match="row p2 has no group"):
        read_folder(path, "test")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = Folder(tmp_path / "a").add("p1").write() / "index.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [row.id for row in read_folder(tmp_path / "a")] == ["p1"]


def test_a_folder_of_folders_gives_the_public_sets_first(tmp_path: Path) -> None:
    for name in ("another", "gland", "busi"):
        Folder(tmp_path / name).add("p1").write()
    (tmp_path / "no_set").mkdir()
    assert [folder.name for folder in folders_of(tmp_path)] == ["busi", "gland", "another"]
    assert folders_of(tmp_path / "busi") == [tmp_path / "busi"]
    with pytest.raises(UnusableData, match=r"holds no index\.csv"):
        folders_of(tmp_path / "no_set")
    with pytest.raises(UnusableData, match=r"absent is no folder"):
        folders_of(tmp_path / "absent")


def test_a_limit_takes_rows_from_all_over_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a")
    for number in range(10):
        folder.add(f"p{number}")
    rows = read_folder(folder.write())
    assert [row.id for row in spread(rows, 3)] == ["p0", "p3", "p6"]
    assert spread(rows, 11) == spread(rows, None) == rows


def test_real_splits_divide_no_group(shared_data: Path) -> None:
    for name, organ in SETS.items():
        parts = {split: read_rows(shared_data, name, split) for split in ("train", "validation", "test")}
        groups = [{row.group for row in rows} for rows in parts.values()]
        assert all(groups)
        assert sum(map(len, groups)) == len(set.union(*groups))
        assert {row.organ for rows in parts.values() for row in rows} == {organ}


def test_measuring_needs_no_torch() -> None:
    code = """
import sys
sys.modules["torch"] = None
import sonovan.models.evaluation.compare, sonovan.models.evaluation.page, sonovan.models.evaluation.card
import sonovan.models.evaluation.index, sonovan.models.evaluation.evaluate
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
