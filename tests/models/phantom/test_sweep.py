"""The simulator of sweeps with known lesions."""

import hashlib

import cv2
import numpy as np
import pytest

from sonovan.models.phantom.sweep import SWEEP_MM, VISIBLE_MM2, Organ, SimulatedSweep, simulate_sweep


@pytest.fixture(scope="module", params=["breast", "thyroid"])
def sweep(request: pytest.FixtureRequest) -> SimulatedSweep:
    return simulate_sweep(request.param, 20, seed=4, size=(240, 320))


def digest(sweep: SimulatedSweep) -> str:
    data = b"".join(frame.tobytes() for frame in sweep.frames)
    masks = b"".join(lesion.mask.tobytes() for truth in sweep.truth for lesion in truth)
    return hashlib.sha256(data + masks).hexdigest()


def test_same_seed_gives_same_bytes(sweep: SimulatedSweep) -> None:
    again = simulate_sweep(sweep.organ, 20, seed=4, size=(240, 320))
    assert digest(again) == digest(sweep)
    assert again.lesions == sweep.lesions


def test_another_seed_gives_another_sweep(sweep: SimulatedSweep) -> None:
    assert digest(simulate_sweep(sweep.organ, 20, seed=5, size=(240, 320))) != digest(sweep)


def test_frames_and_masks_have_the_asked_size(sweep: SimulatedSweep) -> None:
    assert len(sweep.frames) == len(sweep.truth) == 20
    assert all(frame.shape == (240, 320) and frame.dtype == np.uint8 for frame in sweep.frames)
    masks = [lesion.mask for truth in sweep.truth for lesion in truth]
    assert masks
    assert all(mask.shape == (240, 320) and mask.dtype == np.bool_ for mask in masks)


@pytest.mark.parametrize("size", [(64, 64), (101, 133), (480, 640)])
def test_any_size_shows_forty_millimetres(size: tuple[int, int]) -> None:
    sweep = simulate_sweep("breast", 1, size=size, lesions=1)
    assert sweep.frames[0].shape == size
    assert sweep.pixel_spacing_mm == (40 / size[0], 40 / size[0])


@pytest.mark.parametrize("organ", ["breast", "thyroid"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_lesion_appears_grows_and_leaves(organ: Organ, seed: int) -> None:
    sweep = simulate_sweep(organ, 24, seed, (120, 160))
    assert sweep.lesions
    for lesion in sweep.lesions:
        areas = [sum(int(one.mask.sum()) for one in truth if one.lesion == lesion.lesion) for truth in sweep.truth]
        seen = [index for index, area in enumerate(areas) if area]
        assert seen, f"lesion {lesion.lesion} is never visible"
        assert (lesion.first_frame, lesion.last_frame) == (seen[0], seen[-1])
        assert seen == list(range(seen[0], seen[-1] + 1))
        assert len(seen) < len(areas)
        assert max(areas) > 1.5 * areas[seen[0]]


def test_a_mask_has_the_area_of_its_ellipsoids_section() -> None:
    sweep = simulate_sweep("breast", 41, 7, lesions=1)
    lesion = sweep.lesions[0]
    middle = round(lesion.centre_mm[2] / SWEEP_MM * 40)
    (true,) = sweep.truth[middle]
    area_mm2 = true.mask.sum() * sweep.pixel_spacing_mm[0] ** 2
    a, b, _ = lesion.semi_axes_mm
    assert area_mm2 == pytest.approx(np.pi * a * b, rel=0.15)


def test_masks_lie_inside_the_tissue(sweep: SimulatedSweep) -> None:
    for truth in sweep.truth:
        for lesion in truth:
            assert lesion.mask.sum() * sweep.pixel_spacing_mm[0] ** 2 >= VISIBLE_MM2
            border = np.concatenate((lesion.mask[0], lesion.mask[-1], lesion.mask[:, 0], lesion.mask[:, -1]))
            assert not border.any()


def test_lesions_are_darker_than_what_surrounds_them(sweep: SimulatedSweep) -> None:
    for frame, truth in zip(sweep.frames, sweep.truth, strict=True):
        for lesion in truth:
            wider = cv2.dilate(lesion.mask.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
            assert frame[lesion.mask].mean() < 0.9 * frame[wider & ~lesion.mask].mean()


def test_neighbouring_frames_resemble_each_other_more_than_distant_ones() -> None:
    sweep = simulate_sweep("thyroid", 40, 9, (240, 320), lesions=0)
    grey = [frame.astype(np.float64).ravel() for frame in sweep.frames]
    near, far = np.corrcoef(grey[10], grey[11])[0, 1], np.corrcoef(grey[10], grey[30])[0, 1]
    assert 0.6 < near < 0.999
    assert far < near - 0.1


def test_no_lesions_when_none_are_asked_for() -> None:
    sweep = simulate_sweep("breast", 5, size=(120, 160), lesions=0)
    assert sweep.lesions == []
    assert sweep.truth == [[], [], [], [], []]


@pytest.mark.parametrize("organ", ["breast", "thyroid"])
def test_frames_use_the_grey_scale(organ: Organ) -> None:
    frame = simulate_sweep(organ, 1, 3, (240, 320)).frames[0]
    assert 50 < frame.mean() < 150
    assert frame.std() > 25
    assert (frame == 255).mean() < 0.05


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="no phantom"):
        simulate_sweep("liver")  # type: ignore[arg-type]  # what the test is about
    for arguments in ({"frames": 0}, {"size": (32, 640)}, {"lesions": 4}):
        with pytest.raises(ValueError, match="at most three"):
            simulate_sweep("breast", **arguments)  # type: ignore[arg-type]  # ditto
