"""Masks as runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sonovan.models.errors import UnusablePicture
from sonovan.models.runs import Labels, labels_of, numbered, runs_of

MASKS = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 255])
)


@given(MASKS)
def test_a_mask_comes_back_as_it_was(labels: Labels) -> None:
    assert np.array_equal(labels_of(runs_of(labels), (labels.shape[0], labels.shape[1])), labels)


def test_runs_are_told_in_the_order_in_which_one_reads() -> None:
    labels = np.zeros((3, 6), np.uint8)
    labels[0, 4:] = 1
    labels[2, :2] = 2
    labels[2, 2:5] = 1
    assert runs_of(labels).tolist() == [[1, 0, 4, 2], [2, 2, 0, 2], [1, 2, 2, 3]]


def test_an_empty_mask_has_no_runs() -> None:
    assert runs_of(np.zeros((4, 4), np.uint8)).shape == (0, 4)


@pytest.mark.parametrize(
    "runs",
    [
        [[1, 3, 0, 1]],
        [[1, 0, 2, 3]],
        [[0, 0, 0, 1]],
        [[256, 0, 0, 1]],
        [[1, 0, 0, 0]],
        [[1, 0, 0, 3], [2, 0, 2, 1]],
        [[1]],
    ],
)
def test_runs_that_fit_no_picture_are_refused(runs: list[list[int]]) -> None:
    with pytest.raises(UnusablePicture) as caught:
        labels_of(np.array(runs, np.uint16), (3, 4))
    assert caught.value.reason == "mask_corrupt"


def test_connected_parts_get_numbers_of_their_own() -> None:
    mask = np.zeros((5, 5), np.bool_)
    mask[0, 0] = mask[1, 1] = mask[4, 2:] = True
    assert numbered(mask)[[0, 1, 4, 4], [0, 1, 2, 4]].tolist() == [1, 1, 2, 2]
    many = np.zeros((40, 40), np.bool_)
    many[::2, ::2] = True
    assert numbered(many).max() == 255
    assert np.array_equal(numbered(many) > 0, many)
