"""From probabilities to regions, their outlines and the label mask."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from sonovan.models.picture.letterbox import letterbox
from sonovan.models.regions import (
    MAX_REGIONS,
    STRONG,
    FoundRegion,
    find_regions,
    in_order,
    left_out,
    paint,
    unconfirmed,
    weighty,
)

SIDE = 224


def regions_of(picture: np.ndarray, threshold: float = 0.5, min_area_px: float = 1) -> tuple[FoundRegion, ...]:
    square, fit = letterbox(picture, SIDE)
    panels = [(0, 0, picture.shape[1], picture.shape[0])]
    return in_order(find_regions(square.astype(np.float32) / 255, fit, 0, panels, threshold, min_area_px))


def ellipse(size: tuple[int, int], centre: tuple[int, int], axes: tuple[int, int], grey: int = 255) -> np.ndarray:
    picture = np.zeros(size, np.uint8)
    cv2.ellipse(picture, centre, axes, 20, 0, 360, grey, -1)
    return picture


def test_an_ellipse_keeps_its_area_outline_and_score() -> None:
    picture = ellipse((480, 640), (300, 200), (90, 50), 204)
    (found,) = regions_of(picture, threshold=0.4)
    assert found.area_px == pytest.approx((picture > 0).sum(), rel=0.02)
    assert found.centroid == pytest.approx((300, 200), abs=0.5)
    assert found.score_max == pytest.approx(0.8, abs=0.005)
    assert 0.75 < found.score_mean < found.score_max
    drawn = np.zeros(picture.shape, np.uint8)
    cv2.fillPoly(drawn, [np.array(found.polygon, np.int32)], 1)
    agreed = drawn.astype(bool) & (picture > 0)
    assert 2 * agreed.sum() / (drawn.sum() + (picture > 0).sum()) > 0.97
    assert len(found.polygon) < 120


def test_regions_come_largest_first_then_by_place() -> None:
    picture = np.zeros((224, 224), np.uint8)
    for column, row, side in ((10, 100, 12), (100, 20, 30), (60, 100, 12), (10, 10, 12)):
        picture[row : row + side, column : column + side] = 255
    found = regions_of(picture)
    assert [region.box[:2] for region in found] == [(100, 20), (10, 10), (10, 100), (60, 100)]
    labels = paint(found, picture.shape)
    assert [int((labels == number).sum()) for number in range(1, 5)] == [900, 144, 144, 144]
    assert ((labels > 0) == (picture > 0)).all()


def test_a_predicted_quality_is_not_about_a_speck_beside_a_large_region() -> None:
    picture = np.zeros((224, 224), np.uint8)
    for column, row, side in ((10, 10, 60), (100, 20, 40), (160, 160, 20), (200, 20, 50)):
        picture[row : row + side, column : min(column + side, 224)] = 255
    large, middle, beyond, speck = regions_of(picture)
    drawn = [replace(each, quality=0.9) for each in (large, middle, speck)]
    assert weighty([*drawn, beyond]) == [True, True, False, False], "the last is not drawn: nothing is predicted of it"
    assert weighty([replace(speck, quality=0.9)]) == [True], "a small lesion alone is all that the prediction is about"


def test_the_smallest_area_is_counted_in_pixels_of_the_network() -> None:
    small, large = np.zeros((224, 224), np.uint8), np.zeros((896, 896), np.uint8)
    small[50:56, 50:57] = 255
    large[200:224, 200:228] = 255
    for picture in (small, large):
        assert len(regions_of(picture, min_area_px=38)) == 1
        assert regions_of(picture, min_area_px=46) == ()


def squares(*drawn: tuple[int, int, int, int], size: int = 20) -> tuple[FoundRegion, ...]:
    """Squares (left, top, grey, and how far they reach below the diagonal: 0 all, 1 the upper triangle)."""
    picture = np.zeros((224, 224), np.uint8)
    for left, top, grey, corner in drawn:
        picture[top : top + size, left : left + size] = np.triu(np.ones((size, size)), 3) * grey if corner else grey
    return regions_of(picture, threshold=0.4)


def test_what_a_decoder_leaves_out_is_kept_where_it_draws_nothing_else_or_where_it_is_strong() -> None:
    seen = squares((10, 10, 120, 0), (100, 100, 250, 0), (150, 20, 200, 0))
    assert [each.score_mean >= STRONG for each in sorted(seen, key=lambda each: each.box)] == [False, True, True]
    assert [each.unconfirmed for each in seen] == [False] * 3
    alone = unconfirmed(seen, drawn=False)
    assert [(each.box, each.unconfirmed) for each in alone] == [(each.box, True) for each in seen]
    beside = unconfirmed(seen, drawn=True)
    assert {each.box[:2] for each in beside} == {(100, 100), (150, 20)}
    assert all(each.unconfirmed for each in beside)


def test_a_mask_leaves_out_what_it_does_not_cover() -> None:
    seen, drawn = np.zeros((64, 64), np.bool_), np.zeros((64, 64), np.bool_)
    assert left_out(seen, drawn, 4) is None
    seen[5:15, 5:15] = seen[30:50, 30:50] = True
    drawn[40:60, 40:60] = True
    missed = left_out(seen, drawn, 4)
    assert missed is not None
    assert missed.sum() == 100
    assert missed[5:15, 5:15].all()
    drawn[5:15, 5:7] = True
    assert left_out(seen, drawn, 4) is None


def test_a_region_that_is_grazed_or_has_a_speck_in_it_is_left_out() -> None:
    seen, drawn = np.zeros((64, 64), np.bool_), np.zeros((64, 64), np.bool_)
    seen[5:35, 5:35] = seen[50:60, 50:60] = True
    drawn[34:60, 34:60] = True  # shares one pixel with the large one
    missed = left_out(seen, drawn, 40)
    assert missed is not None
    assert missed.sum() == 30 * 30 - 1
    drawn[:] = False
    drawn[50:56, 50:56] = True  # a third of the small one, and less than anybody is shown
    missed = left_out(seen, drawn, 40)
    assert missed is not None
    assert missed.sum() == seen.sum()


def test_no_more_regions_than_a_label_mask_holds() -> None:
    picture = np.zeros((224, 224), np.uint8)
    picture[::6, ::6] = 255
    picture[1::6, ::6] = 255
    found = regions_of(picture, min_area_px=0)
    assert len(found) == MAX_REGIONS
    assert paint(found, picture.shape).max() == MAX_REGIONS


def test_a_line_one_pixel_wide_still_has_a_polygon() -> None:
    picture = np.zeros((224, 224), np.uint8)
    picture[40, 20:90] = 255
    (found,) = regions_of(picture)
    assert found.polygon == ((19.5, 39.5), (89.5, 39.5), (89.5, 40.5), (19.5, 40.5))
    picture[:] = 0
    picture[7, 9] = 255
    (dot,) = regions_of(picture)
    assert (dot.area_px, dot.box, len(dot.polygon)) == (1, (9, 7, 1, 1), 4)


def test_a_region_over_the_whole_picture_and_none_at_all() -> None:
    (found,) = regions_of(np.full((100, 333), 255, np.uint8))
    assert (found.box, found.area_px, found.score_mean) == ((0, 0, 333, 100), 33300, 1.0)
    assert regions_of(np.zeros((100, 333), np.uint8)) == ()


def test_where_panels_overlap_a_pixel_belongs_to_the_first() -> None:
    panels = [(0, 0, 200, 200), (100, 0, 200, 200)]
    square, fit = letterbox(np.full((200, 200), 255, np.uint8), SIDE)
    soft = square.astype(np.float32) / 255
    first, second = (find_regions(soft, fit, number, panels, 0.5, 1)[0] for number in (0, 1))
    assert (first.box, second.box) == ((0, 0, 200, 200), (200, 0, 100, 200))
    assert paint([first, second], (200, 300)).min() == 1


def test_every_crop_is_its_box_and_its_labels() -> None:
    rng = np.random.default_rng(3)
    blobs = cv2.GaussianBlur(rng.integers(0, 256, (500, 700)).astype(np.float32), (0, 0), 14)
    picture = cv2.normalize(blobs, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    found = regions_of(picture, threshold=0.6)
    labels = paint(found, picture.shape)
    assert len(found) > 5
    for ordinal, region in enumerate(found):
        left, top, width, height = region.box
        own = labels == ordinal + 1
        assert own.sum() == region.area_px == region.mask.sum()
        assert (own[top : top + height, left : left + width] == region.mask).all()
        rows, columns = np.nonzero(own)
        assert (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1) == region.box
        assert region.centroid == pytest.approx((columns.mean(), rows.mean()), abs=1e-3)
        assert 0.6 <= region.score_mean <= region.score_max <= 1
