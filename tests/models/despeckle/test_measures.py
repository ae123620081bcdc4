"""Measures against values worked out by hand."""

import math

import cv2
import numpy as np
import pytest

from sonovan.models.despeckle.measures import (
    edge_preservation,
    equivalent_looks,
    even_regions,
    psnr,
    ssim,
    suppression_index,
)

RNG = np.random.default_rng(0)
TEXTURE = RNG.integers(20, 200, (64, 80), dtype=np.uint8)


def test_psnr_of_a_constant_shift_is_its_formula():
    assert psnr(TEXTURE + np.uint8(5), TEXTURE) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr(TEXTURE, TEXTURE) == math.inf


def test_ssim_of_a_constant_shift_is_its_luminance_term():
    flat = np.full((32, 32), 100, np.uint8)
    shifted = np.full((32, 32), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(shifted, flat) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1))
    assert ssim(TEXTURE, TEXTURE) == pytest.approx(1)


def test_ssim_of_an_inverted_texture_is_negative():
    assert ssim(255 - TEXTURE, TEXTURE) < -0.5


def test_ssim_is_the_published_sum_at_one_pixel():
    a, b = TEXTURE[:11, :11].astype(float), TEXTURE[20:31, 20:31].astype(float)
    at = np.arange(-5, 6)
    window = np.exp(-(at**2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    both = (window * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    assert ssim(TEXTURE[:11, :11], TEXTURE[20:31, 20:31]) == pytest.approx(expected, rel=1e-6)


def test_looks_of_two_levels_are_mean_over_spread_squared():
    region = np.array([[10, 30], [30, 10]], np.uint8)  # mean 20, σ 10
    assert equivalent_looks(region) == pytest.approx(4)
    assert equivalent_looks(np.full((3, 3), 7, np.uint8)) == math.inf


def test_halving_the_spread_halves_the_suppression_index():
    before, after = np.array([[10, 30]], np.uint8), np.array([[15, 25]], np.uint8)
    assert suppression_index(before, after) == pytest.approx(0.5)
    assert suppression_index(before, before) == pytest.approx(1)


def test_edges_kept_inverted_and_lost():
    assert edge_preservation(TEXTURE, TEXTURE) == pytest.approx(1)
    assert edge_preservation(TEXTURE, TEXTURE // 2 * 2 + 1) > 0.99
    assert edge_preservation(TEXTURE, 255 - TEXTURE) == pytest.approx(-1)
    assert edge_preservation(TEXTURE, np.full_like(TEXTURE, 90)) == 0
    blurred = np.asarray(cv2.GaussianBlur(TEXTURE, (0, 0), 2), np.uint8)
    assert 0 < edge_preservation(TEXTURE, blurred) < edge_preservation(TEXTURE, blurred, sigma=2) < 1


def test_even_regions_are_found_beside_an_edge_and_not_in_the_dark():
    frame = np.zeros((96, 96), np.uint8)
    frame[:, 48:] = np.random.default_rng(1).normal(120, 10, (96, 48)).astype(np.uint8)
    frame[:24, 48:72] = np.tile(np.linspace(40, 200, 24), (24, 1)).astype(np.uint8)  # a slope: not even
    regions = even_regions(frame)
    assert len(regions) == 8
    assert all(columns.start >= 48 for _, columns in regions)
    assert (regions[-1][0].start, regions[-1][1].start) == (0, 48)
    assert even_regions(np.zeros((96, 96), np.uint8)) == []


@pytest.mark.parametrize("measure", [psnr, ssim, suppression_index, edge_preservation])
def test_pictures_of_two_shapes_cannot_be_compared(measure):
    with pytest.raises(ValueError, match="cannot be compared"):
        measure(TEXTURE, TEXTURE[:-1])


def test_what_has_no_measure_says_so():
    with pytest.raises(ValueError, match="11×11"):
        ssim(TEXTURE[:10], TEXTURE[:10])
    with pytest.raises(ValueError, match="without pixels"):
        equivalent_looks(TEXTURE[:0])
    with pytest.raises(ValueError, match="no suppression index"):
        suppression_index(np.full((4, 4), 9, np.uint8), TEXTURE[:4, :4])
