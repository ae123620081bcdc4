"""Simulated speckle has the statistics that it is named after."""

import numpy as np
import pytest

from sonovan.models.despeckle.simulated import Speckle, clean_picture, speckled
from sonovan.models.phantom.sweep import DYNAMIC_RANGE_DB

FLAT = np.full((256, 256), 128, np.uint8)


@pytest.mark.parametrize(("looks", "decibel"), [(1, 5.57), (1.4, None), (4, 2.31)])
def test_log_compressed_speckle_has_the_spread_of_its_looks(looks, decibel):
    """σ = (10 / ln 10)·√ψ'(L): 5.57 dB at one look, 2.31 dB at four (Wagner et al., 1983)."""
    noisy = speckled(FLAT, Speckle("bmode", looks, 0.8), np.random.default_rng(0)).astype(float)
    spread = noisy.std() * DYNAMIC_RANGE_DB / 255
    assert noisy.mean() == pytest.approx(128, abs=1.5)
    if decibel is None:
        assert 3.43 < spread < 5.4  # between two looks and one
    else:
        assert spread == pytest.approx(decibel, rel=0.05)


def test_gamma_speckle_multiplies():
    for level in (40, 120):
        noisy = speckled(np.full((256, 256), level, np.uint8), Speckle("gamma", 16), np.random.default_rng(1))
        assert noisy.mean() == pytest.approx(level, rel=0.02)
        assert noisy.std() / noisy.mean() == pytest.approx(0.25, rel=0.05)


def test_root_noise_goes_with_the_root_of_the_grey_level():
    for level in (64, 144):
        noisy = speckled(np.full((256, 256), level, np.uint8), Speckle("root", 1.5), np.random.default_rng(2))
        assert noisy.std() == pytest.approx(1.5 * level**0.5, rel=0.03)


@pytest.mark.parametrize("kind", ["bmode", "gamma", "root"])
def test_black_stays_black(kind):
    assert not speckled(np.zeros((32, 32), np.uint8), Speckle(kind, 2), np.random.default_rng(3)).any()


@pytest.mark.parametrize(("kind", "level"), [("bmode", 2.5), ("bmode", 0.5), ("gamma", 0), ("root", -1)])
def test_levels_that_are_none_are_refused(kind, level):
    with pytest.raises(ValueError, match=r"looks|level"):
        Speckle(kind, level)


def test_clean_pictures_repeat_and_differ():
    assert np.array_equal(clean_picture(6), clean_picture(6))
    assert not np.array_equal(clean_picture(6), clean_picture(8))
    assert clean_picture(7, (64, 100)).shape == (64, 100)
