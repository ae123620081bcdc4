"""Real frames can be assessed, nothing-at-all cannot."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import letterbox
from sonovan.models.picture.quality import Quality, panel_quality, sharpness

SETS = {
    "busi": "busi/*/*.png",
    "busbra": "busbra/images/*",
    "breast": "breast/images/*",
    "ddti": "ddti/images/*",
    "gland": "gland/images/*",
    "cine": "cine/*/*.jpg",
}


def quality_of(grey: np.ndarray) -> Quality:
    square, fit = letterbox(grey, 224)
    shrunk = square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    return panel_quality(shrunk if fit.scale < 1 else grey, (grey.shape[0], grey.shape[1]))


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_real_frames_are_assessable(shared_data: Path, name: str) -> None:
    paths = [path for path in sorted(shared_data.glob(SETS[name])) if "_mask" not in path.name]
    judged = [quality_of(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in paths[:: max(1, len(paths) // 400)]]
    assert len(judged) >= 90
    assert np.mean([quality.assessable for quality in judged]) >= 0.99
    assert np.median([quality.score for quality in judged]) > 0.7


@pytest.mark.data
def test_frames_of_real_clips_are_assessable(shared_data: Path) -> None:
    for path in sorted((shared_data / "video").glob("*")):
        assert all(quality_of(grey).assessable for grey in first_frames(path, 20)), path.name


def first_frames(path: Path, count: int) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    for _ in range(count):
        done, picture = video.read()
        if not done:
            return
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("organ", ["breast", "thyroid"])
def test_simulated_frames_are_assessable(organ: str) -> None:
    for seed in range(3):
        assert all(quality_of(frame).assessable for frame in simulate_sweep(organ, 4, seed).frames)


def noise(rows: int, columns: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, (rows, columns), dtype=np.uint8)


@pytest.mark.parametrize(
    ("grey", "reason"),
    [
        (np.zeros((480, 640), np.uint8), "no_contact"),
        (noise(480, 640, 0, 20), "no_contact"),
        (np.full((480, 640), 255, np.uint8), "saturated"),
        (np.full((480, 640), 77, np.uint8), "blank"),
        (noise(224, 224), "noise"),
        (noise(100, 150), "noise"),
        (noise(40, 40), "noise"),
        (noise(480, 640), "noise"),
        (noise(1200, 1600), "noise"),
        (np.full((31, 640), 77, np.uint8), "too_small"),
    ],
)
def test_pictures_of_nothing_are_not(grey: np.ndarray, reason: str) -> None:
    quality = quality_of(grey)
    assert (quality.assessable, quality.reason) == (False, reason)


def test_a_probe_in_air_has_no_contact() -> None:
    grey = np.zeros((480, 640), np.uint8)
    grey[:30] = 180  # reverberation right below the probe
    assert quality_of(grey).reason == "no_contact"


def test_a_frame_that_lies_in_shadow_is_not_assessable() -> None:
    frame = simulate_sweep("breast", 1, 4).frames[0].copy()
    frame[140:, 30:620] //= 12
    assert quality_of(frame).reason == "shadowed"


def test_a_shadowed_frame_scores_lower() -> None:
    whole = simulate_sweep("breast", 1, 4).frames[0]
    half = whole.copy()
    half[:, :320] //= 12
    assert quality_of(half).score < quality_of(whole).score - 0.1


@pytest.mark.parametrize("angle", [0, 45, 90])
def test_a_smear_takes_fine_detail_away_along_its_direction(angle: int) -> None:
    sharp, other = simulate_sweep("breast", 2, 1).frames
    usual = np.array(sharpness(sharp))
    assert np.all(np.abs(np.array(sharpness(other)) / usual - 1) < 0.1)
    # 12 pixels are 2 % of the width
    kernel = np.zeros((13, 13))
    kernel[6] = 1
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((6, 6), angle, 1), (13, 13))
    smeared = np.asarray(cv2.filter2D(sharp, -1, kernel / kernel.sum()), np.uint8)
    assert (np.array(sharpness(smeared)) / usual).min() < 0.2


@pytest.mark.parametrize("zoom", [1.1, 1.2, 1.3])
def test_a_zoom_leaves_more_than_any_smear_of_two_percent(zoom: float) -> None:
    whole = simulate_sweep("breast", 1, 3).frames[0]
    rows, columns = (round(side / zoom) for side in whole.shape)
    closer = np.asarray(cv2.resize(whole[:rows, :columns], whole.shape[::-1]), np.uint8)
    left = np.array(sharpness(closer)) / np.array(sharpness(whole))
    assert left.min() > 0.35
    assert left.min() / left.max() > 0.5


def test_gain_leaves_sharpness_alone_and_a_sliver_has_none() -> None:
    picture = simulate_sweep("thyroid", 1, 2).frames[0]
    usual, darker = sharpness(picture), sharpness((picture // 2).astype(np.uint8))
    assert usual == pytest.approx(darker, rel=0.1)
    assert sharpness(picture[:31]) is None
    assert sharpness(np.zeros((40, 40), np.uint8)) == (0.0, 0.0)


@pytest.mark.data
def test_no_frame_of_a_real_sweep_is_far_less_sharp_than_the_others(shared_data: Path) -> None:
    for sweep in sorted((shared_data / "cine").iterdir()):
        frames = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(sweep.glob("*.jpg"))]
        values = np.array([sharpness(frame) for frame in frames])
        assert (values / np.median(values, axis=0)).min() > 0.75
