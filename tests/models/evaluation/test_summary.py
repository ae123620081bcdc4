"""The figures of small sets whose every number is known: the tiny network finds what is lit."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan import models
from sonovan.models.evaluation.index import UnusableData, read_folder, spread
from sonovan.models.evaluation.score import Score, evaluate, region_score, score
from sonovan.models.evaluation.summary import figures, summary, worst
from tests.models.evaluation.folders import SIDE, Folder

LEFT, RIGHT, BELOW = (20, 40, 60, 60), (140, 40, 60, 60), (20, 150, 60, 60)
HALF = (20, 40, 30, 60)
KEYS = {
    "n", "groups", "lesion_dice", "lesion_iou", "benign", "malignant", "empty_on_normal", "sensitivity",
    "fp_per_image", "auc", "auc_ci95", "refused", "hd95_px", "ms_per_image", "model", "weights_sha256", "fingerprint",
    "provider",
}  # fmt: skip


def scores_of(tiny: models.Segmenter, folder: Folder) -> list[Score]:
    return evaluate(tiny, read_folder(folder.write(), organ="breast"))


@pytest.fixture
def clinic(tmp_path: Path) -> Folder:
    """Found, half found, missed, one of two found, two normals of which one has a false region, one unknown."""
    folder = Folder(tmp_path / "clinic")
    folder.add("whole", [LEFT], [LEFT], label="benign", group="a", age="39", birads="3", device="X")
    folder.add("half", [HALF], [LEFT], label="malignant", group="a", age="40", birads="4a", device="X")
    folder.add("missed", [], [LEFT], label="malignant", group="b", birads="4b", device="Y")
    folder.add("one_of_two", [LEFT], [LEFT, RIGHT], label="benign", group="c", birads="10", device="Y")
    folder.add("normal", [], [], label="normal", group="d")
    folder.add("false", [LEFT], None, label="normal", group="e")
    return folder.add("unknown", [BELOW], None, group="f")


def test_every_figure_of_a_known_set(tiny: models.Segmenter, clinic: Folder) -> None:
    told = summary(tiny, scores_of(tiny, clinic), "validation")
    assert set(told) >= KEYS
    assert (told["set"], told["split"], told["organ"]) == ("clinic", "validation", "breast")
    assert (told["n"], told["groups"], told["with_lesion"], told["with_nothing"]) == (7, 6, 4, 2)
    dice, iou = [1, 2 / 3, 0, 2 / 3], [1, 0.5, 0, 0.5]
    assert told["lesion_dice"]["mean"] == pytest.approx(np.mean(dice), abs=1e-4)
    assert told["lesion_dice"]["median"] == pytest.approx(2 / 3, abs=1e-4)
    assert told["lesion_iou"]["mean"] == pytest.approx(np.mean(iou), abs=1e-4)
    low, high = told["lesion_dice"]["ci95"]
    assert 0 <= low < told["lesion_dice"]["mean"] < high <= 1
    assert told["benign"]["n"] == told["malignant"]["n"] == 2
    assert told["benign"]["lesion_dice"]["mean"] == pytest.approx(5 / 6, abs=1e-4)
    assert told["malignant"]["lesion_iou"]["mean"] == pytest.approx(1 / 4, abs=1e-4)
    assert told["empty_on_normal"] == 0.5
    assert told["sensitivity"] == 0.6  # three of five lesions
    assert told["fp_per_image"] == pytest.approx(1 / 6, abs=1e-4)  # what is true of the unknown one, nobody says
    assert told["refused"] == 0
    # found whole: 0; half: from the far border of the truth to the near one of the region; one of two: across
    assert told["hd95_px"] == pytest.approx((0 + 30 + 120) / 3, abs=2)
    assert told["ms_per_image"] > 0
    assert (told["model"], told["weights_sha256"], told["fingerprint"], told["provider"]) == (
        tiny.model_id, tiny.weights_sha256, tiny.fingerprint, "openvino/fp32",
    )  # fmt: skip


def test_auc_takes_the_highest_region_score_and_nothing_where_nothing_was_found(
    tiny: models.Segmenter, clinic: Folder
) -> None:
    scores = scores_of(tiny, clinic)
    suspicions = {one.row.id: one.suspicion for one in scores}
    assert suspicions["missed"] == 0
    assert suspicions["whole"] == pytest.approx(225 / 255, abs=1e-3)
    assert figures(scores)["auc"] == 0.25  # `half` ties with both benign ones, `missed` loses to both

    (region,) = tiny.segment(np.full((SIDE, SIDE), 30, np.uint8) + _lit(), "breast").regions
    assert region_score(replace(region, malignant=None)) == region.score_mean
    assert region_score(replace(region, malignant=0.03)) == 0.03


def _lit() -> np.ndarray:
    lit = np.zeros((SIDE, SIDE), np.uint8)
    lit[50:100, 50:100] = 190
    return lit


def test_a_refused_picture_is_a_miss_and_not_empty(tiny: models.Segmenter, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a").add("lesion", [], [LEFT], label="malignant", group="a")
    folder.add("normal", [], [], label="normal", group="b")
    path = folder.write()
    for name in ("lesion", "normal"):  # one value everywhere: blank
        cv2.imwrite(str(path / f"{name}.png"), np.full((SIDE, SIDE), 90, np.uint8))
    told = figures(evaluate(tiny, read_folder(path, organ="breast")))
    assert told["refused"] == 2
    assert told["lesion_dice"]["mean"] == 0
    assert told["empty_on_normal"] == 0
    assert told["sensitivity"] == 0
    assert told["hd95_px"] is None


def test_what_a_folder_cannot_say_is_null(tiny: models.Segmenter, tmp_path: Path) -> None:
    told = summary(tiny, scores_of(tiny, Folder(tmp_path / "a").add("p1", [LEFT], [LEFT]).add("p2", [LEFT], [HALF])))
    for name in ("groups", "benign", "malignant", "empty_on_normal", "auc", "auc_ci95", "sensitivity_ci95", "split"):
        assert told[name] is None, name
    assert told["lesion_dice"]["ci95"] is None
    assert told["lesion_dice"]["mean"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    unknown = summary(tiny, scores_of(tiny, Folder(tmp_path / "b").add("p1", [LEFT])))
    for name in ("lesion_dice", "lesion_iou", "sensitivity", "fp_per_image", "hd95_px"):
        assert unknown[name] is None, name
    assert (unknown["n"], unknown["refused"], unknown["worst"]) == (1, 0, [])


def test_strata_are_in_the_order_of_their_numbers(tiny: models.Segmenter, clinic: Folder) -> None:
    strata = summary(tiny, scores_of(tiny, clinic))["strata"]
    assert {column: list(parts) for column, parts in strata.items()} == {
        "device": ["X", "Y", "not recorded"],
        "birads": ["3", "4a", "4b", "10", "not recorded"],
        "label": ["benign", "malignant", "normal", "not recorded"],
        "age": ["below 40 years", "40 to below 50 years", "not recorded"],
        "size": ["5 to below 10 %", "10 to below 20 %", "no lesion", "not recorded"],
    }
    assert strata["device"]["X"]["lesion_dice"]["mean"] == pytest.approx(5 / 6, abs=1e-4)
    assert [part["n"] for part in strata["size"].values()] == [3, 1, 2, 1]


def test_sizes_are_in_millimetres_where_every_lesion_has_a_scale(tiny: models.Segmenter, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a").add("p1", [LEFT], [LEFT], pixel_size_mm="0.1", group="a")
    folder.add("p2", [LEFT], [LEFT], pixel_size_mm="0.3", group="b")
    strata = summary(tiny, scores_of(tiny, folder))["strata"]
    assert list(strata["size"]) == ["below 10 mm", "20 to below 30 mm"]  # discs of 3,600 pixels: 67.7 across


def test_the_worst_come_first_and_false_alarms_keep_a_quarter(tiny: models.Segmenter, clinic: Folder) -> None:
    scores = scores_of(tiny, clinic)
    assert [one.row.id for one in worst(scores)][::3] == ["missed", "whole"]
    assert worst(scores)[-1].row.id == "false"
    assert [one.row.id for one in worst(scores, 4)][::3] == ["missed", "false"]
    assert summary(tiny, scores)["worst"][0] == {"id": "missed", "dice": 0.0}


def test_a_row_without_an_organ_and_one_of_a_strange_organ_are_refused_by_name(
    tiny: models.Segmenter, tmp_path: Path
) -> None:
    (row,) = read_folder(Folder(tmp_path / "a").add("p1", [LEFT], [LEFT]).write())
    with pytest.raises(UnusableData, match="row p1 of a has no organ; say --organ"):
        score(tiny, row)
    with pytest.raises(UnusableData, match=r"row p1 .*knows breast, thyroid, not 'liver'"):
        score(tiny, replace(row, organ="liver"))


@pytest.mark.parametrize(
    ("pixels", "refused"),
    [
        (np.full((8, 8), 90, np.uint8), True),
        (np.full((300, 300), 90, np.uint8), True),
        (np.dstack([np.tile(np.linspace(30, 70, SIDE).astype(np.uint8), (SIDE, 1))] * 3), False),
        (np.dstack([np.tile(np.linspace(30, 70, SIDE).astype(np.uint8), (SIDE, 1))] * 4), False),
        (np.tile(np.linspace(100, 900, SIDE).astype(np.uint16), (SIDE, 1)), False),
    ],
    ids=["8x8", "one value", "colour", "alpha", "16 bits of a narrow range"],
)
def test_odd_pictures_have_a_defined_result(
    tiny: models.Segmenter, tmp_path: Path, pixels: np.ndarray, refused: bool
) -> None:
    path = Folder(tmp_path / "a").add("p1", label="normal").write()
    cv2.imwrite(str(path / "p1.png"), pixels)
    (row,) = read_folder(path, organ="breast")
    assert score(tiny, row).refused == refused


@pytest.mark.data
@pytest.mark.parametrize("name", ["busi", "ddti", "gland"])
def test_real_pictures_through_the_shipped_network(shared_data: Path, name: str) -> None:
    segmenter = models.load(provider="cpu", precision="fp32")
    organ = "breast" if name == "busi" else "thyroid"
    rows = spread(read_folder(shared_data / name, "train", organ=organ), 8)
    told = summary(segmenter, evaluate(segmenter, rows), "train")
    assert told["n"] == 8
    assert told["provider"] == "cpu/fp32"
    if name == "gland":
        assert told["lesion_dice"] is None
        assert told["empty_on_normal"] >= 0.5
    else:
        assert told["lesion_dice"]["mean"] > 0.5
        assert told["sensitivity"] > 0.5
    assert (told["auc"] is None) == (name != "busi")
