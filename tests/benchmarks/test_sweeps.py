"""Simulated sweeps: their truth is where the lesion is, and the same numbers give the same pixels."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.sweeps.artefacts import Artefact, with_artefact, without_contact
from benchmarks.sweeps.simulate import MAKEUP, SIZE, Makeup, Sweep, simulate
from benchmarks.sweeps.tissue import COLUMNS, ROWS, Lesion, Tissue

PLAIN = Makeup(artefacts=0, reversals=0, lost=0, late=0, edge=0, two=0)


def tissue(seed: int) -> Tissue:
    rng = np.random.default_rng(seed)
    canvas = np.repeat(np.repeat(rng.integers(90, 150, (ROWS // 8, COLUMNS // 8)), 8, axis=0), 8, axis=1)
    return Tissue("busi", f"t{seed}", canvas.astype(np.uint8), ("", ""))


def lesion() -> Lesion:
    y, x = np.mgrid[:80, :110]
    mask = np.hypot((x - 55) / 38, (y - 40) / 26) < 1
    return Lesion("busi", "l1", np.where(mask, 20, 120).astype(np.uint8), mask, 0.5, True)


def sweep(seed: int = 1, lesions: int = 1, makeup: Makeup = PLAIN) -> Sweep:
    return simulate(np.random.default_rng(seed), [tissue(1), tissue(2)], [lesion()] * lesions, makeup)


def dark_inside(frame: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    return float(frame[truth > 0].mean()) / float(frame[truth == 0].mean())


def test_the_truth_is_where_the_lesion_is() -> None:
    made = sweep()
    shown = [place for place, truth in enumerate(made.truth) if truth.any()]
    largest = max(shown, key=lambda place: np.count_nonzero(made.truth[place]))
    assert dark_inside(made.frames[largest], made.truth[largest]) < 0.6
    assert made.malignant == (True,)


def test_a_lesion_comes_and_goes_in_one_piece_of_the_sweep() -> None:
    shown = [bool(truth.any()) for truth in sweep().truth]
    assert 2 <= sum(shown) < len(shown)
    assert sum(one != other for one, other in pairwise(shown)) <= 2


def test_a_sweep_without_lesions_has_no_truth() -> None:
    made = sweep(lesions=0, makeup=MAKEUP)
    assert not any(truth.any() for truth in made.truth)
    assert all(frame.shape == SIZE and frame.dtype == np.uint8 for frame in made.frames)


def test_two_lesions_have_two_numbers() -> None:
    assert {int(value) for truth in sweep(lesions=2).truth for value in np.unique(truth)} == {0, 1, 2}


def test_the_same_seed_gives_the_same_pixels_and_another_one_others() -> None:
    one, again, other = sweep(3, makeup=MAKEUP), sweep(3, makeup=MAKEUP), sweep(4, makeup=MAKEUP)
    assert all(np.array_equal(a, b) for a, b in zip(one.frames, again.frames, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one.frames, other.frames, strict=True))


@pytest.mark.parametrize("kind", ["hole", "shadow", "rib"])
def test_an_artefact_is_dark_on_its_frames_alone(kind: str) -> None:
    frame = np.full(SIZE, 120, np.uint8)
    artefact = Artefact(kind, (2, 3), (160.0, 120.0), (30.0, 20.0), 0.2, ())  # type: ignore[arg-type]  # of the parameters
    quiet = np.zeros(SIZE, np.float32)
    assert with_artefact(frame, artefact, 1, quiet) is frame
    assert with_artefact(frame, artefact, 2, quiet)[120, 160] < 60


def test_lost_contact_darkens_the_frame_from_there_on() -> None:
    dark = without_contact(np.full(SIZE, 120, np.uint8), 0.5)
    assert dark[:, : SIZE[1] // 4].mean() > 100
    assert dark[:, 3 * SIZE[1] // 4 :].mean() < 15
