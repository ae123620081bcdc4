"""Every method takes any frame, takes speckle away, and says what it cannot do."""

import shutil

import numpy as np
import pytest

from sonovan.models.despeckle import METHODS, despeckle, filters
from sonovan.models.despeckle.learned import FILE, SHA256, read_network
from sonovan.models.despeckle.measures import equivalent_looks, psnr
from sonovan.models.despeckle.simulated import Speckle, clean_picture, speckled
from sonovan.models.errors import UnusablePicture, WrongWeights
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.registry import WEIGHTS_DIR

SMOOTHING = [method for method in METHODS if method != "none"]


@pytest.fixture(scope="module")
def frame():
    return simulate_sweep("breast", 3, seed=5, size=(192, 256)).frames[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 5), (33, 64)])
def test_any_size_comes_back_as_it_was(method, size):
    grey = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    out = despeckle(grey, method)
    assert out.shape == size
    assert out.dtype == np.uint8


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 130, 255])
def test_an_even_frame_stays_even(method, value):
    out = despeckle(np.full((40, 40), value, np.uint8), method)
    assert np.abs(out[12:-12, 12:-12].astype(int) - value).max() <= (8 if method == "learned" else 1)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_frame_gives_the_same_picture_and_is_not_touched(method, frame):
    before = frame.copy()
    assert np.array_equal(despeckle(frame, method), despeckle(frame, method))
    assert np.array_equal(frame, before)


@pytest.mark.parametrize("method", SMOOTHING)
@pytest.mark.parametrize(("noise", "level"), [("bmode", 3), ("gamma", 6)])
def test_speckle_goes_and_the_picture_comes_nearer(method, noise, level):
    clean = clean_picture(9, (128, 128))
    noisy = speckled(clean, Speckle(noise, level, 1.2), np.random.default_rng(4))
    assert psnr(despeckle(noisy, method, noise), clean) > psnr(noisy, clean) + 1


@pytest.mark.parametrize("method", SMOOTHING)
def test_even_tissue_becomes_more_even(method):
    tissue = speckled(np.full((96, 96), 120, np.uint8), Speckle("bmode", 2, 1.2), np.random.default_rng(5))
    assert equivalent_looks(despeckle(tissue, method)) > 1.5 * equivalent_looks(tissue)


def test_none_gives_a_copy(frame):
    out = despeckle(frame, "none")
    assert np.array_equal(out, frame)
    assert not np.shares_memory(out, frame)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((4, 4), np.uint16), "dtype"),
        (np.full((4, 4), np.nan, np.float32), "dtype"),
        (np.zeros((4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "shape"),
    ],
)
def test_what_is_no_grey_frame_is_refused_by_reason(pixels, reason):
    with pytest.raises(UnusablePicture) as refused:
        despeckle(pixels)
    assert refused.value.reason == reason


def test_an_unknown_method_names_the_known_ones(frame):
    with pytest.raises(ValueError, match="none, diffusion, learned"):
        despeckle(frame, "bm3d")
    with pytest.raises(ValueError, match="rayleigh"):
        despeckle(frame, "median", "rayleigh")


def test_a_damaged_despeckler_is_refused_with_both_hashes(tmp_path):
    file = tmp_path / FILE
    shutil.copy(WEIGHTS_DIR / FILE, file)
    assert len(read_network(file)) < 1_000_000
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(WrongWeights, match=SHA256):
        read_network(file)
    with pytest.raises(WrongWeights, match="cannot be read"):
        read_network(tmp_path / "absent.onnx")


def test_srad_refuses_a_step_that_is_not_stable():
    with pytest.raises(ValueError, match=r"0\.25"):
        filters.srad(np.zeros((4, 4), np.float32), "gamma", step=0.3)


def test_lee_leaves_what_stands_out_of_the_speckle():
    image = np.full((41, 41), 0.4, np.float32) + np.random.default_rng(6).normal(0, 0.02, (41, 41)).astype(np.float32)
    image[20, 20] = 1.0
    out = filters.lee(image, "bmode")
    assert out[20, 20] > 0.9
    assert out[5:15, 5:15].std() < 0.5 * image[5:15, 5:15].std()
