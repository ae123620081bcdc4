"""Geometry: what lies somewhere in a picture comes back there."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sonovan.models.picture import letterbox as module
from sonovan.models.picture.letterbox import enlarge, inside, letterbox, unletterbox
from sonovan.models.regions import find_regions

SIDE = 224
sizes = st.integers(1, 1500)


@given(rows=sizes, columns=sizes)
@example(rows=1, columns=1500)
@example(rows=1500, columns=1)
@settings(max_examples=60, deadline=None)
def test_the_picture_fills_its_square_one_way_and_is_centred(rows: int, columns: int) -> None:
    square, fit = letterbox(np.full((rows, columns), 200, np.uint8), SIDE)
    assert square.shape == (SIDE, SIDE)
    assert max(fit.width, fit.height) == SIDE
    assert abs(2 * fit.left + fit.width - SIDE) <= 1
    assert abs(2 * fit.top + fit.height - SIDE) <= 1
    lit = np.zeros((SIDE, SIDE), bool)
    lit[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = True
    assert ((square == 200) == lit).all()


@given(rows=st.integers(1, 400), columns=st.integers(1, 400), seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_strips_are_the_enlarged_mask(rows: int, columns: int, seed: int, data: st.DataObject) -> None:
    _, fit = letterbox(np.zeros((rows, columns), np.uint8), SIDE)
    square = np.random.default_rng(seed).random((SIDE, SIDE), dtype=np.float32)
    whole = unletterbox(square, fit, (rows, columns))
    top = data.draw(st.integers(0, rows - 1))
    height = data.draw(st.integers(1, rows - top))
    strips = list(enlarge(np.ascontiguousarray(inside(square, fit)), (rows, columns), top, height))
    np.testing.assert_allclose(np.vstack([strip for _, strip in strips]), whole[top : top + height], atol=5e-5)


def test_strips_bound_memory_and_agree_whatever_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    part = np.random.default_rng(0).random((120, 224), dtype=np.float32)
    whole = list(enlarge(part, (300, 560), 0, 300))
    assert len(whole) == 1
    monkeypatch.setattr(module, "STRIP_PX", 560 * 7)
    strips = list(enlarge(part, (300, 560), 0, 300))
    assert [row for row, _ in strips] == list(range(0, 300, 7))
    assert max(strip.shape[0] for _, strip in strips) == 7
    assert (np.vstack([strip for _, strip in strips]) == whole[0][1]).all()


def _edges(share: float, at: float, length: int, cell: int) -> tuple[int, int]:
    """Start and extent of at least three cells, flush with the picture's edge or two cells away from it.

    Half a cell beside the edge of the picture is beyond what a network's pixels can tell.
    """
    extent = 3 * cell + int(share * (length - 3 * cell))
    start = int(at * (length - extent))
    start = 0 if start < 2 * cell else start
    return start, length - start if length - start - extent < 2 * cell else extent


@given(
    size=st.tuples(st.integers(40, 1800), st.integers(40, 1800)),
    place=st.tuples(*[st.floats(0, 1)] * 4),
    panel=st.tuples(st.integers(0, 300), st.integers(0, 300)),
)
@settings(max_examples=150, deadline=None)
def test_a_rectangle_comes_back_at_its_place(
    size: tuple[int, int], place: tuple[float, float, float, float], panel: tuple[int, int]
) -> None:
    rows, columns = size
    cell = int(np.ceil(max(rows, columns) / SIDE)) + 1  # pixels that one of the network's stands for
    assume(min(rows, columns) > 4 * cell)
    left, width = _edges(place[0], place[2], columns, cell)
    top, height = _edges(place[1], place[3], rows, cell)
    picture = np.zeros(size, np.uint8)
    picture[top : top + height, left : left + width] = 255
    square, fit = letterbox(picture, SIDE)
    boxes = [(*panel, columns, rows)]
    (found,) = find_regions(square.astype(np.float32) / 255, fit, 0, boxes, 0.5, 1)
    corners = np.array([found.box[0], found.box[1], found.box[0] + found.box[2], found.box[1] + found.box[3]])
    truth = np.add([left, top, left + width, top + height], panel * 2)
    assert np.abs(corners - truth).max() <= 1
    assert abs(found.centroid[0] - (truth[0] + truth[2] - 1) / 2) <= 1
    assert abs(found.centroid[1] - (truth[1] + truth[3] - 1) / 2) <= 1
