"""Diffusion keeps its laws whatever the picture, and stops where the speckle is spent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sonovan.models.despeckle.diffusion import Diffusion, diffuse
from sonovan.models.despeckle.measures import psnr
from sonovan.models.despeckle.noise import noise_variance
from sonovan.models.despeckle.simulated import Speckle, clean_picture, speckled

IMAGES = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.floats(0, 1, width=32)
)
PLANS = st.builds(
    Diffusion,
    noise=st.sampled_from(["bmode", "gamma"]),
    direction=st.sampled_from(["with", "against"]),
    step=st.floats(0.01, 0.25),
    sigma=st.floats(0.5, 3),
    edge=st.floats(1e-3, 1),
    alpha=st.floats(0.2, 4),
)


def as_image(grey):
    return grey.astype(np.float32) / np.float32(255)


@settings(max_examples=60, deadline=None)
@given(IMAGES, PLANS, st.integers(1, 8))
def test_nothing_leaves_the_range_of_the_picture_and_the_mean_stays(image, plan, steps):
    out = diffuse(image, plan, steps).image
    assert out.min() >= image.min() - 1e-6
    assert out.max() <= image.max() + 1e-6
    assert out.mean(dtype=np.float64) == pytest.approx(image.mean(dtype=np.float64), abs=1e-5)


def test_a_step_above_the_bound_is_refused():
    with pytest.raises(ValueError, match="maximum principle"):
        Diffusion(step=0.26)


@pytest.mark.parametrize("wrong", [{"sigma": 0.0}, {"edge": -1.0}, {"alpha": 0.0}, {"share": 0.0}, {"max_steps": -1}])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        Diffusion(**wrong)


def test_the_bound_is_sharp():
    """Beyond 1/4 the explicit scheme does leave the range: a lone bright pixel swings below its neighbours."""
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = 1
    plan = Diffusion(edge=1e3)
    object.__setattr__(plan, "step", 0.3)
    assert diffuse(image, plan, 1).image.min() < -0.1


@pytest.mark.parametrize(
    ("image", "what"),
    [
        (np.zeros((4, 4), np.float64), "float32"),
        (np.zeros((0, 4), np.float32), "float32"),
        (np.full((4, 4), 2, np.float32), "0 to 1"),
        (np.full((4, 4), np.nan, np.float32), "0 to 1"),
    ],
)
def test_what_is_no_image_is_refused(image, what):
    with pytest.raises(ValueError, match=what):
        diffuse(image, Diffusion())


@pytest.mark.parametrize("noise", ["bmode", "gamma"])
def test_it_stops_when_the_speckles_share_is_taken(noise):
    clean = clean_picture(3, (128, 128))
    image = as_image(speckled(clean, Speckle(noise, 3, 1.2), np.random.default_rng(0)))
    plan = Diffusion(noise)
    done = diffuse(image, plan)
    before = diffuse(image, plan, done.steps - 1)
    assert 0 < done.steps < plan.max_steps
    assert before.residual < plan.stop_at * done.noise <= done.residual


def test_a_picture_without_speckle_stays_as_it_is():
    flat = np.full((32, 32), 0.5, np.float32)
    done = diffuse(flat, Diffusion())
    assert done.steps == 0
    assert np.array_equal(done.image, flat)


@pytest.mark.parametrize("noise", ["bmode", "gamma"])
def test_the_more_speckle_the_more_is_taken_away_and_the_clean_picture_comes_nearer(noise):
    clean = clean_picture(4)
    taken = []
    for looks in (8, 4, 2):
        noisy = speckled(clean, Speckle(noise, looks, 1.2), np.random.default_rng(1))
        done = diffuse(as_image(noisy), Diffusion(noise))
        taken.append(done.residual)
        smooth = np.rint(done.image * 255).astype(np.uint8)
        assert psnr(smooth, clean) > psnr(noisy, clean) + 2
    assert taken[0] < 0.7 * taken[1] < 0.5 * taken[2]


def test_the_direction_says_which_grey_levels_are_smoothed_more():
    rng = np.random.default_rng(2)
    grain = rng.normal(0, 0.03, (64, 128)).astype(np.float32)
    image = np.where(np.arange(128) < 64, np.float32(0.15), np.float32(0.8)) + grain
    left = {}
    for direction in ("with", "against"):
        out = diffuse(np.clip(image, 0, 1), Diffusion(direction=direction, edge=0.002), 6).image
        left[direction] = (out[8:-8, 8:56].std(), out[8:-8, 72:120].std())
    assert left["with"][0] > left["with"][1]
    assert left["against"][0] < left["against"][1]
    assert left["with"][1] < left["against"][1]


def test_an_edge_is_kept_where_linear_diffusion_blurs_it():
    image = np.where(np.arange(64) < 32, np.float32(0.2), np.float32(0.7)) + np.zeros((64, 1), np.float32)
    kept = diffuse(image, Diffusion(), 20).image
    linear = diffuse(image, Diffusion(edge=1e3), 20).image
    assert kept[32, 32] - kept[32, 31] > 3 * (linear[32, 32] - linear[32, 31])


@pytest.mark.parametrize(("noise", "looks"), [("bmode", 1), ("bmode", 4), ("gamma", 3), ("gamma", 12)])
def test_the_speckles_strength_is_estimated_from_the_frame(noise, looks):
    clean = np.full((256, 256), 120, np.uint8)
    image = as_image(speckled(clean, Speckle(noise, looks, 0.8), np.random.default_rng(3)))
    true = float(np.var(image)) if noise == "bmode" else float(np.var(image) / np.mean(image) ** 2)
    assert noise_variance(image, noise) == pytest.approx(true, rel=0.3)


def test_black_frames_have_no_speckle():
    assert noise_variance(np.zeros((32, 32), np.float32), "bmode") == 0
    assert noise_variance(np.zeros((32, 32), np.float32), "gamma") == 0
