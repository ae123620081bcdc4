"""Found regions get a malignant score and descriptors, by what the registry switches on."""

from pathlib import Path

import numpy as np
import pytest

from sonovan import models
from sonovan.models.heads.lesions import WORDS, given_word
from sonovan.models.heads.region_vector import PLAIN, in_square, region_vector, tallness
from sonovan.models.picture.letterbox import letterbox
from sonovan.models.regions import FoundDescriptor
from tests.models.tiny_heads import REGION, lesions_model, write_heads

GRAPH = lesions_model({"breast.margin": (0.2, 0.8), "breast.shape": (0.55, 0.45)}, malignant=0.25)
SETTINGS = {
    "breast.margin": 0.7, "breast.shape": 0.6, "breast.halo": 0.0, "thyroid.composition": 0.5,
    "breast.orientation_spread": 0.1, "breast.orientation": 0.8,
}  # fmt: skip


def frame(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.full((300, 400), 60, np.uint8)
    picture[::2, ::3] = 90
    for left, top, width, height in boxes:
        picture[top : top + height, left : left + width] = 230
    return picture


@pytest.fixture(scope="module")
def describing(tmp_path_factory: pytest.TempPathFactory) -> models.Segmenter:
    folder = write_heads(tmp_path_factory.mktemp("lesions"), {"lesions": (GRAPH, SETTINGS)})
    return models.load(provider="cpu", precision="fp32", weights_dir=folder)


def test_each_region_has_a_score_and_what_is_switched_on(describing: models.Segmenter) -> None:
    seen = describing.segment(frame((100, 100, 80, 40), (220, 60, 40, 90)), "breast")
    assert len(seen.regions) == 2
    for region in seen.regions:
        assert region.malignant == 0.25
        assert [each.name for each in region.descriptors] == ["shape", "margin", "orientation"]
        shape, margin, _ = region.descriptors
        assert shape == FoundDescriptor("shape", None, 0.55)
        assert margin == FoundDescriptor("margin", "not_circumscribed", 0.8)
    wide, tall = sorted(seen.regions, key=lambda region: region.box[0])
    assert wide.descriptors[-1].value == "parallel"
    assert tall.descriptors[-1].value == "not_parallel"
    assert set(seen.timings_ms) == {"prepare", "network", "regions", "lesions"}


def test_a_round_breast_lesion_counts_as_not_parallel(describing: models.Segmenter) -> None:
    (region,) = describing.segment(frame((100, 100, 60, 60)), "breast").regions
    assert region.descriptors[-1].value == "not_parallel"
    (flatter,) = describing.segment(frame((100, 100, 70, 60)), "breast").regions
    assert flatter.descriptors[-1].value is None
    assert flatter.descriptors[-1].probability == pytest.approx(0.65, abs=0.15)


def test_the_thyroid_has_descriptors_of_its_own_and_no_score(describing: models.Segmenter) -> None:
    regions = describing.segment(255 - frame((100, 100, 80, 40)), "thyroid").regions
    assert regions
    for region in regions:
        assert region.malignant is None
        assert region.descriptors == (FoundDescriptor("composition", "cystic_or_mixed", 1.0),)


@pytest.mark.parametrize(
    ("settings", "shares", "word"),
    [
        ({"breast.margin": 0.6}, (0.3, 0.7), "not_circumscribed"),
        ({"breast.margin": 0.6, "breast.margin.not_circumscribed": 0.75}, (0.3, 0.7), None),
        ({"breast.margin": 0.6, "breast.margin.not_circumscribed": 0.0}, (0.1, 0.9), None),
        ({"breast.margin": 0.6, "breast.margin.not_circumscribed": 0.0}, (0.9, 0.1), "circumscribed"),
    ],
)
def test_a_word_may_have_a_threshold_of_its_own_or_be_off(
    settings: dict[str, float], shares: tuple[float, ...], word: str | None
) -> None:
    assert given_word("breast.margin", WORDS["breast"]["margin"], shares, settings) == word


def test_without_the_companion_nothing_is_said(tmp_path: Path) -> None:
    plain = models.load(provider="cpu", precision="fp32", weights_dir=write_heads(tmp_path, {}))
    (region,) = plain.segment(frame((100, 100, 80, 40)), "breast").regions
    assert (region.malignant, region.descriptors) == (None, ())


@pytest.mark.parametrize("size", [(300, 400), (900, 1200), (2000, 1500), (90, 70)])
def test_a_region_lies_in_the_square_where_its_picture_does(size: tuple[int, int]) -> None:
    rows, columns = size
    picture = np.zeros(size, np.uint8)
    left, top, width, height = columns // 4, rows // 3, columns // 3, rows // 5
    picture[top : top + height, left : left + width] = 255
    square, fit = letterbox(picture, 256)
    mask = in_square((left, top, width, height), np.ones((height, width), np.bool_), (0, 0, columns, rows), fit, 256)
    assert np.abs(mask - square / 255.0).mean() < 0.006
    assert mask.sum() == pytest.approx(square.sum() / 255, rel=0.05)


def test_numbers_of_a_region_look_where_they_say() -> None:
    square, fit = letterbox(frame((150, 100, 100, 60)), 256)
    mask = in_square((150, 100, 100, 60), np.ones((60, 100), np.bool_), (0, 0, 400, 300), fit, 256)
    inside = mask >= 0.5
    seen = {name: np.zeros((1, side, side), np.float32) for name, side in (("deep", 8), ("fine", 32), ("edge", 64))}
    seen["edge"][0] = inside[::4, ::4]
    vector = region_vector(square, mask, fit, seen)
    assert vector.shape == (REGION,)
    under, around, below = vector[2], vector[4], vector[6]
    assert under > 0.85
    assert around < 0.25
    assert below < 0.25


@pytest.mark.parametrize("box", [(0, 0, 400, 300), (0, 0, 1, 1), (399, 299, 1, 1), (10, 0, 3, 300)])
def test_numbers_of_any_region_are_finite(box: tuple[int, int, int, int]) -> None:
    square, fit = letterbox(frame(), 256)
    mask = in_square(box, np.ones((box[3], box[2]), np.bool_), (0, 0, 400, 300), fit, 256)
    seen = {name: np.ones((1, side, side), np.float32) for name, side in (("deep", 8), ("fine", 32), ("edge", 64))}
    vector = region_vector(square, mask, fit, seen)
    assert vector.shape == (7 + PLAIN,)
    assert np.isfinite(vector).all()


def test_tallness_is_the_logarithm_of_height_over_width() -> None:
    mask = np.zeros((256, 256), np.float32)
    mask[20:100, 30:70] = 1
    assert tallness(mask) == pytest.approx(np.log(2), abs=0.01)
    assert tallness(mask.T) == pytest.approx(-np.log(2), abs=0.01)
    assert tallness(np.zeros((8, 8), np.float32)) == 0
