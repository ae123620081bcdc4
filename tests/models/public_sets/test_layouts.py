"""Each public layout, made up small, with what goes wrong in copies of it: what is imported, left out, and why."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from sonovan.models.evaluation.index import UnusableData, read_folder
from sonovan.models.evaluation.pictures import read_pair, read_truth
from sonovan.models.public_sets.importing import Imported, import_set
from tests.models.public_sets.laid_out import SIZE, coloured, ddti_case, drawn, picture, svg, workbook, written

SCIPY_FILE = Path(__file__).parent / "oasbud_by_scipy.mat"


def reasons(done: Imported) -> dict[str, str]:
    return {each.name: each.reason for each in done.left_out}


def cells(done: Imported) -> dict[str, dict[str, str]]:
    with (done.folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def truth(done: Imported, name: str) -> np.ndarray:
    row = next(row for row in read_folder(done.folder) if row.id == name)
    return read_pair(row)[1] > 0


@pytest.fixture
def busi(tmp_path: Path) -> Path:
    top = tmp_path / "Dataset_BUSI_with_GT"
    for number, label in enumerate(("benign", "benign", "malignant", "normal"), start=1):
        written(top / label / f"{label} ({number}).png", picture(number))
        mask = drawn() if label != "normal" else np.zeros(SIZE, np.uint8)
        written(top / label / f"{label} ({number})_mask.png", mask)
    return top


def test_busi_two_masks_of_one_picture_are_one_mask(busi: Path, tmp_path: Path) -> None:
    written(busi / "benign" / "benign (1)_mask_1.png", drawn(left=120))
    done = import_set("busi", busi, tmp_path / "data")
    assert (done.rows, done.left_out, done.groups) == (4, (), 4)
    assert (truth(done, "benign_1") == ((drawn() > 0) | (drawn(left=120) > 0))).all()
    assert (truth(done, "malignant_3") == (drawn() > 0)).all()
    assert {row["label"] for row in cells(done).values()} == {"benign", "malignant", "normal"}


def test_busi_a_normal_one_has_nothing_to_find(busi: Path, tmp_path: Path) -> None:
    row = next(row for row in read_folder(import_set("busi", busi, tmp_path).folder) if row.id == "normal_4")
    empty = read_truth(row, SIZE)
    assert empty is not None
    assert not empty.any()


def test_busi_what_cannot_be_used_is_named_with_its_reason(busi: Path, tmp_path: Path) -> None:
    (busi / "benign" / "benign (1)_mask.png").unlink()
    written(busi / "malignant" / "malignant (3)_mask.png", drawn()[:60])
    written(busi / "normal" / "normal (4)_mask.png", drawn())
    (busi / "malignant" / "malignant (9).png").write_bytes(b"no picture")
    written(busi / "malignant" / "malignant (9)_mask.png", drawn())
    written(busi / "malignant" / "malignant (8)_mask.png", drawn())
    written(busi / "benign" / "benign (7).png", picture(7))
    written(busi / "benign" / "benign (7)_mask.png", np.zeros(SIZE, np.uint8))
    done = import_set("busi", busi, tmp_path / "data")
    assert list(cells(done)) == ["benign_2"]
    assert reasons(done) == {
        "benign/benign (1).png": "no_mask",
        "malignant/malignant (3).png": "mask_unreadable",
        "normal/normal (4).png": "lesion_in_normal",
        "malignant/malignant (9).png": "picture_unreadable",
        "malignant/malignant (8)_mask.png": "no_picture",
        "benign/benign (7).png": "mask_empty",
    }
    report = json.loads((done.folder / "import.json").read_text(encoding="utf-8"))
    assert {each["name"]: each["reason"] for each in report["left_out"]} == reasons(done)
    assert str(tmp_path) not in json.dumps(report)


def test_busi_copies_are_one_group_and_contradicting_labels_are_named(busi: Path, tmp_path: Path) -> None:
    written(busi / "malignant" / "malignant (5).png", picture(1))
    written(busi / "malignant" / "malignant (5)_mask.png", drawn())
    done = import_set("busi", busi, tmp_path / "data")
    assert done.joined == (("benign_1", "malignant_5"),)
    assert done.contradicting == (("benign_1", "malignant_5"),)
    rows = cells(done)
    assert (rows["malignant_5"]["group"], rows["malignant_5"]["first_of_group"]) == ("benign_1", "0")
    assert rows["benign_1"]["first_of_group"] == "1"


def test_a_folder_of_another_layout_is_refused_by_name(busi: Path, tmp_path: Path) -> None:
    for kind in ("busbra", "breast", "ddti", "tn3k", "tg3k", "busuclm", "udiat", "oasbud"):
        with pytest.raises(UnusableData, match="Dataset_BUSI_with_GT"):
            import_set(kind, busi, tmp_path / "data")
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())


def test_nothing_is_written_over(busi: Path, tmp_path: Path) -> None:
    import_set("busi", busi, tmp_path / "data")
    with pytest.raises(UnusableData, match="is there already"):
        import_set("busi", busi, tmp_path / "data")


def test_busbra_groups_by_case_and_names_rows_without_files(tmp_path: Path) -> None:
    top = tmp_path / "BUSBRA"
    lines = ["ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX"]
    for number, case, label in ((1, 1, "benign"), (2, 1, "malignant"), (3, 2, "benign"), (4, 3, "benign")):
        lines.append(f'bus_000{number}-l,{case},Cyst,{label},4,GE Logiq 7,160,120,left,"[1,2,3,4]"')
        written(top / "Images" / f"bus_000{number}-l.png", picture(number))
        written(top / "Masks" / f"mask_000{number}-l.png", drawn())
    lines.append("bus_0009-r,9,Cyst,benign,2,GE,160,120,right,[]")
    (top / "bus_data.csv").write_text("\n".join(lines), encoding="utf-8")
    (top / "Masks" / "mask_0004-l.png").unlink()
    written(top / "Images" / "bus_0077-l.png", picture(77))
    done = import_set("busbra", tmp_path, tmp_path / "data")
    rows = cells(done)
    assert {name: row["group"] for name, row in rows.items()} == {
        "bus_0001-l": "case1",
        "bus_0002-l": "case1",
        "bus_0003-l": "case2",
    }
    assert (rows["bus_0001-l"]["birads"], rows["bus_0001-l"]["device"]) == ("4", "GE Logiq 7")
    assert reasons(done) == {
        "Images/bus_0004-l.png": "no_mask",
        "Images/bus_0009-r.png": "no_picture",
        "Images/bus_0077-l.png": "not_in_table",
    }


def test_a_table_cannot_have_files_written_elsewhere(tmp_path: Path) -> None:
    written(tmp_path / "b" / "case001.png", picture(1))
    written(tmp_path / "b" / "case001_tumor.png", drawn())
    lines = [
        ("CaseID", "Image_filename", "Mask_tumor_filename", "Classification"),
        ("../../planted", "case001.png", "case001_tumor.png", "benign"),
        (2, "case001.png", "case001_tumor.png", "benign"),
        (2, "case001.png", "case001_tumor.png", "benign"),
        (3, "case001.png", "case001_tumor.png", "probably"),
    ]
    workbook(tmp_path / "b" / "table.xlsx", lines)
    done = import_set("breast", tmp_path / "b", tmp_path / "data")
    assert list(cells(done)) == ["case002"]
    assert [each.reason for each in done.left_out] == ["id_unusable", "same_id", "label_unknown"]
    assert not list(tmp_path.rglob("planted*"))


BREAST_HEADER = ("CaseID", "Image_filename", "Mask_tumor_filename", "Mask_other_filename", "Pixel_size", "Age",
                 "Shape", "BIRADS", "Diagnosis", "Classification")  # fmt: skip


def test_breast_reads_the_workbook_and_several_tumours(tmp_path: Path) -> None:
    files = tmp_path / "BrEaST-Lesions_USG-images_and_masks"
    for number in range(1, 6):
        written(files / f"case00{number}.png", picture(number))
    written(files / "case001_tumor1.png", drawn())
    written(files / "case001_tumor2.png", drawn(left=120))
    written(files / "case001_other1.png", drawn(left=20))
    written(files / "case002_tumor.png", drawn())
    written(files / "case099.png", picture(99))
    lines = [
        BREAST_HEADER,
        (
            1,
            "case001.png",
            "case001_tumor1.png&case001_tumor2.png",
            "case001_other1.png",
            0.0078125,
            57,
            "oval",
            "4a",
            "Cyst",
            "benign",
        ),
        (2, "case002.png", "case002_tumor.png", None, 0.01, "not available", "irregular", 5, None, "malignant"),
        (3, "case003.png", None, None, None, 40, "not applicable", 1, None, "normal"),
        (4, "case004.png", "case004_tumor.png", None, None, 40, "oval", 3, None, "benign"),
        (5, "case005.png", None, None, None, 40, "oval", 3, None, "benign"),
        (6, "case006.png", None, None, None, 40, "oval", 3, None, "benign"),
    ]
    workbook(tmp_path / "BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx", lines)
    done = import_set("breast", tmp_path, tmp_path / "data")
    rows = cells(done)
    assert list(rows) == ["case001", "case002", "case003"]
    assert (truth(done, "case001") == ((drawn() > 0) | (drawn(left=120) > 0))).all()
    assert (rows["case001"]["pixel_size_mm"], rows["case001"]["age"], rows["case002"]["age"]) == ("0.078125", "57", "")
    assert (rows["case002"]["birads"], rows["case003"]["shape"]) == ("5", "")
    assert reasons(done) == {
        "case004.png": "no_mask",
        "case005.png": "no_mask",
        "case006.png": "no_picture",
        "case099.png": "not_in_table",
    }


def test_ddti_outlines_become_masks_and_broken_ones_are_named(tmp_path: Path) -> None:
    top = tmp_path / "DDTI"
    both = np.maximum(drawn(), drawn(left=125))
    for name in ("1_1", "1_2", "2_1", "3_1", "4_1", "5_1", "9_1"):
        written(top / f"{name}.jpg", picture(sum(map(ord, name)) * 7))
    ddti_case(
        top / "1.xml", [("1", svg(both)), ("2", svg(drawn()))], age="40", sex="F", tirads="4b", composition="solid"
    )
    ddti_case(top / "2.xml", [("1", svg(drawn())[:-30])])
    ddti_case(top / "3.xml", [("1", "")])
    ddti_case(
        top / "4.xml", [("1", json.dumps([{"points": [{"x": 10, "y": 10}, {"x": 900, "y": 20}, {"x": 20, "y": 30}]}]))]
    )
    (top / "5.xml").write_text("<case><mark><image>1</ima", encoding="utf-8")
    ddti_case(top / "6.xml", [("1", svg(drawn()))])
    done = import_set("ddti", top, tmp_path / "data")
    rows = cells(done)
    assert {name: row["group"] for name, row in rows.items()} == {"1_1": "c1", "1_2": "c1"}
    assert (rows["1_1"]["tirads"], rows["1_1"]["sex"], rows["1_1"]["age"]) == ("4b", "F", "40")
    assert (truth(done, "1_1") == (both > 0)).all()
    assert reasons(done) == {
        "2_1.jpg": "outline_broken",
        "3_1.jpg": "no_mask",
        "4_1.jpg": "mask_unreadable",
        "5.xml": "outline_broken",
        "5_1.jpg": "outline_broken",
        "6_1": "no_picture",
        "9_1.jpg": "no_mask",
    }


def test_tn3k_reads_both_parts_and_labels_where_a_copy_has_them(tmp_path: Path) -> None:
    top = tmp_path / "tn3k"
    for part, count in (("trainval", 3), ("test", 2)):
        for number in range(count):
            written(top / f"{part}-image" / f"{number:04d}.jpg", picture(number + 100 * len(part)))
            written(top / f"{part}-mask" / f"{number:04d}.jpg", drawn())
    (top / "label4trainval.csv").write_text("0000.jpg,1\n0001.jpg,0\n", encoding="utf-8")
    (top / "trainval-mask" / "0002.jpg").unlink()
    written(top / "test-mask" / "0009.jpg", drawn())
    done = import_set("tn3k", tmp_path, tmp_path / "data")
    assert {name: row["label"] for name, row in cells(done).items()} == {
        "trainval_0000": "malignant",
        "trainval_0001": "benign",
        "test_0000": "",
        "test_0001": "",
    }
    assert np.mean(truth(done, "test_0000") == (drawn() > 0)) > 0.99  # masks of the set are saved with loss
    assert reasons(done) == {"trainval-image/0002.jpg": "no_mask", "test-mask/0009.jpg": "no_picture"}


def test_tg3k_runs_of_one_size_are_one_sweep_and_the_gland_is_no_lesion(tmp_path: Path) -> None:
    for number in range(7):
        size = SIZE if number < 3 or number > 4 else (90, 160)
        written(tmp_path / "thyroid-image" / f"{number:04d}.jpg", picture(number, size))
        written(tmp_path / "thyroid-mask" / f"{number:04d}.jpg", drawn(size))
    done = import_set("tg3k", tmp_path, tmp_path / "data")
    rows = cells(done)
    assert [rows[f"{number:04d}"]["group"] for number in range(7)] == ["sweep00"] * 3 + ["sweep01"] * 2 + [
        "sweep02"
    ] * 2
    assert {row["mask"] for row in rows.values()} == {""}
    assert (done.folder / rows["0003"]["gland_mask"]).is_file()


def test_busuclm_reads_colours_and_the_semicolons_of_its_table(tmp_path: Path) -> None:
    top = tmp_path / "BUS-UCLM"
    masks = {
        "ANFO_000": coloured(drawn(), red=False),
        "ANFO_001": coloured(drawn(), red=True),
        "COPE_000": np.zeros((*SIZE, 3), np.uint8),
        "COPE_001": np.dstack([drawn()] * 3),
        "COPE_002": coloured(drawn()[:, :80], red=True),
        "ELCO_000": coloured(drawn(), red=True),
    }
    labels = ("Benign", "Malignant", "Normal", "Benign", "Malignant", "Normal")
    lines = ["Image;Doppler;Label;Marks;Combined;Resolution"]
    for seed, (name, label) in enumerate(zip(masks, labels, strict=True)):
        written(top / "images" / f"{name}.png", picture(seed))
        written(top / "masks" / f"{name}.png", masks[name])
        lines.append(f"{name}.png;No;{label};Yes;No;160x120")
    written(top / "images" / "ZZZZ_000.png", picture(50))
    (top / "INFO.csv").write_text("\n".join(lines), encoding="utf-8")
    done = import_set("busuclm", tmp_path, tmp_path / "data")
    rows = cells(done)
    told = {name: (row["label"], row["group"], row["marks"]) for name, row in rows.items()}
    assert told == {
        "ANFO_000": ("benign", "ANFO", "yes"),
        "ANFO_001": ("malignant", "ANFO", "yes"),
        "COPE_000": ("normal", "COPE", "yes"),
    }
    assert (truth(done, "ANFO_001") == (drawn() > 0)).all()
    assert reasons(done) == {
        "images/COPE_001.png": "mask_unreadable",
        "images/COPE_002.png": "mask_unreadable",
        "images/ELCO_000.png": "lesion_in_normal",
        "images/ZZZZ_000.png": "no_mask",
    }


def test_udiat_takes_types_from_the_workbook_whose_numbers_lost_their_zeros(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        written(tmp_path / "original" / f"{number:06d}.png", picture(number))
        written(tmp_path / "GT" / f"{number:06d}.png", drawn())
    (tmp_path / "GT" / "000003.png").unlink()
    workbook(tmp_path / "DatasetB.xlsx", [("Image", "Type"), (1, "Benign"), ("000002", "Malignant"), (3, "Benign")])
    done = import_set("udiat", tmp_path, tmp_path / "data")
    assert {name: row["label"] for name, row in cells(done).items()} == {"000001": "benign", "000002": "malignant"}
    assert reasons(done) == {"original/000003.png": "no_mask", "original/000004.png": "not_in_table"}


def test_udiat_in_folders_of_classes(tmp_path: Path) -> None:
    for seed, label in enumerate(("Benign", "Malignant")):
        written(tmp_path / label / "000001.png", picture(seed))
        written(tmp_path / f"{label}_mask" / "000001_mask.png", drawn())
    done = import_set("udiat", tmp_path, tmp_path / "data")
    assert {name: row["label"] for name, row in cells(done).items()} == {
        "benign_000001": "benign",
        "malignant_000001": "malignant",
    }


def test_oasbud_lines_that_scipy_wrote_become_pictures_with_square_pixels(tmp_path: Path) -> None:
    done = import_set("oasbud", SCIPY_FILE, tmp_path / "data")
    rows = cells(done)
    told = {name: (row["label"], row["group"], row["birads"]) for name, row in rows.items()}
    assert told == {
        "oasbud_7_1": ("malignant", "patient7", "4c"),
        "oasbud_7_2": ("malignant", "patient7", "4c"),
        "oasbud_9_1": ("benign", "patient9", "3"),
    }
    assert reasons(done) == {"oasbud_by_scipy.mat data(2).rf2": "picture_unreadable"}
    # 38 lines are 1 mm apart, 800 samples of .01925 mm are 15.4 mm deep; the lesion lies from 3.85 to 11.55 mm.
    assert (rows["oasbud_7_1"]["native_width"], rows["oasbud_7_1"]["native_height"]) == ("38", "15")
    grey, mask = read_pair(next(row for row in read_folder(done.folder) if row.id == "oasbud_7_1"))
    inside, outside = grey[mask > 0].mean(), grey[mask == 0].mean()
    assert inside + 30 < outside
    assert np.flatnonzero(mask.any(1)).tolist() == list(range(4, 11))
