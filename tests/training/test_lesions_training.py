"""Lesion heads: words of the sets, five folds, what is switched off."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sonovan.models.evaluation.index import read_rows
from sonovan.models.heads.lesions import WORDS, Lesions
from sonovan.models.heads.region_vector import PLAIN
from training.heads import export_head
from training.lesions.cross import answers, fold_numbers, judged_rows, shipped
from training.lesions.figures import given_figures, head_figures, picture_auc, switched
from training.lesions.gather import Lesions as Rows
from training.lesions.learn import MALIGNANT, LesionHeads, fit, space_of, wanted, weights_of
from training.lesions.thresholds import word_thresholds
from training.lesions.words import KEYS, word_of

torch.set_num_threads(1)  # matrices this small are slower on two

WIDTH = 40 + PLAIN
KEY = "breast.margin"


def made_up(pictures: int = 120, seed: int = 0) -> Rows:
    """Regions whose margin and diagnosis stand in one number each, among noise; a drawn and a found mask each."""
    chance = np.random.default_rng(seed)
    margin, malignant = chance.integers(0, 2, pictures), chance.integers(0, 2, pictures)
    number = np.repeat(np.arange(pictures), 2)
    values = chance.normal(0, 1, (2 * pictures, WIDTH))
    values[:, 0] += 4 * margin[number]
    values[:, 1] += 4 * malignant[number]
    words = np.full((2 * pictures, len(KEYS)), -1, np.int8)
    words[:, KEYS.index(KEY)] = margin[number]
    groups = np.array([f"breast/w{one // 2}" for one in number])
    return Rows(
        values=values.astype(np.float32), picture=number.astype(np.int32),
        how=np.array(["drawn", "found"] * pictures), tall=np.zeros(2 * pictures, np.float32),
        area=np.full(2 * pictures, 100, np.float32), set=np.array(["breast"] * 2 * pictures), group=groups,
        id=groups, split=np.array(["train"] * 2 * pictures), malignant=malignant[number].astype(np.int8), words=words,
    )  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("name", ["breast", "ddti"])
def test_every_cell_of_the_sets_is_a_word_or_unknown(shared_data: Path, name: str) -> None:
    rows = read_rows(shared_data, name)
    organ = "breast" if name == "breast" else "thyroid"
    for key in KEYS:
        words = [word_of(row, key) for row in rows]
        known = {word for word in words if word is not None}
        assert known == (set(range(len(WORDS[organ][key.split(".")[1]]))) if key.startswith(organ) else set())


def test_no_group_stands_in_two_folds() -> None:
    rows = made_up()
    folds = fold_numbers(rows)
    assert all(len(set(folds[rows.group == group])) == 1 for group in set(rows.group))


def test_five_fold_answers_find_what_is_there_and_the_shipped_head_says_the_same(tmp_path: Path) -> None:
    rows = made_up()
    space = space_of(rows.values)
    found = answers(space, rows, KEY)
    judged = judged_rows(found.part)
    truth, shares = found.truth[judged], found.shares[judged]
    figures = head_figures(shares, truth, list(found.part.group[judged]))
    assert figures["balanced_accuracy"] > 0.9
    assert figures["auc"] > 0.95
    assert figures["calibration_error"] < 0.1
    assert switched(shares, truth, figures) > 0
    lines = {KEY: shipped(space, found, KEY), MALIGNANT: shipped(space, answers(space, rows, MALIGNANT), MALIGNANT)}
    silent = fit(
        np.zeros((4, lines[KEY].weights.shape[0]), np.float32),
        np.array([0, 1, 2, 3]),
        np.full(4, 0.25, np.float32),
        4,
        1.0,
    )
    for key in KEYS:
        count = len(WORDS[key.split(".")[0]][key.split(".")[1]])
        lines.setdefault(key, type(silent)(silent.weights[:, :count], silent.offsets[:count]))
    path = tmp_path / "lesions.onnx"
    export_head(LesionHeads(space, lines), WIDTH, path, "regions", [MALIGNANT, *KEYS])
    Lesions(path.read_bytes(), {KEY: 0.6})


def test_a_head_that_knows_nothing_is_off() -> None:
    rows = made_up()
    noise = Rows(
        **{**rows.__dict__, "values": np.random.default_rng(1).normal(0, 1, rows.values.shape).astype(np.float32)}
    )
    found = answers(space_of(noise.values), noise, KEY)
    judged = judged_rows(noise)
    shares, truth = found.shares[judged], found.truth[judged]
    assert switched(shares, truth, head_figures(shares, truth, list(noise.group[judged]))) == 0.0


def test_one_mask_a_picture_is_judged_the_found_one_where_there_is_one() -> None:
    rows = made_up(4)
    rows.how[7] = "false"
    assert list(np.flatnonzero(judged_rows(rows))) == [1, 3, 5, 6]


def test_pictures_weigh_alike_whatever_masks_they_have() -> None:
    rows = made_up(6)
    rows.words[:, KEYS.index(KEY)] = 1
    rows.how[1] = "false"
    weights = weights_of(rows, wanted(rows, KEY), KEY)
    assert weights[0] == pytest.approx(weights[2] + weights[3], rel=1e-5)
    assert weights[1] == 0


def test_a_region_that_meets_no_lesion_is_not_malignant_whatever_the_picture_is() -> None:
    rows = made_up(6)
    rows.malignant[:] = 1
    rows.how[1] = "false"
    truth = wanted(rows, MALIGNANT)
    assert list(truth) == [1, 0, *[1] * 10]
    assert weights_of(rows, truth, MALIGNANT)[1] > 0


def test_figures_of_a_case_computed_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]], np.float32)
    truth = np.array([0, 0, 1, 1])
    figures = head_figures(shares, truth, ["a", "b", "c", "d"])
    assert (figures["balanced_accuracy"], figures["accuracy"], figures["auc"]) == (0.75, 0.75, 1.0)
    assert figures["prior"] == [0.5, 0.5]
    given = given_figures(shares, truth, 0.75)
    assert (given["given"], given["right"], given["by_word"]) == (0.5, 1.0, {"0": [2, 2], "1": [0, 0]})


def test_a_picture_without_a_found_region_scores_nothing() -> None:
    rows = made_up(4)
    rows.malignant[:] = np.repeat([1, 1, 0, 0], 2)
    rows.how[:2] = "drawn"
    found = picture_auc(rows, np.full(8, 0.9, np.float32), np.ones(8, np.bool_))
    assert (found["n"], found["malignant"], found["auc"]) == (4, 2, 0.25)


def test_a_word_is_given_where_it_is_right_more_often_than_the_commonest_one() -> None:
    sure = np.array([[0.9, 0.1, 0.0]] * 30 + [[0.6, 0.4, 0.0]] * 30 + [[0.1, 0.9, 0.0]] * 12 + [[0.2, 0.2, 0.6]] * 9)
    truth = np.array([0] * 28 + [1] * 2 + [0] * 10 + [1] * 20 + [1] * 6 + [0] * 6 + [2] * 9)
    found = word_thresholds(sure.astype(np.float32), truth, ("often", "wrong", "seldom"))
    assert found["often"] > 0.6
    assert (found["wrong"], found["seldom"]) == (0.0, 0.0)
