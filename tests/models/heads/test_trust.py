"""What is no ultrasound of the organ is not assessable, and says why."""

import numpy as np
import pytest

from sonovan import models
from sonovan.models.errors import WrongWeights
from sonovan.models.heads.trust import Trust, coloured, evidence, figures
from sonovan.models.picture.letterbox import letterbox
from sonovan.models.segmenter import Refusal
from tests.models.tiny_heads import COLOUR, EVIDENCE, trust_model, write_heads


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> models.Segmenter:
    folder = write_heads(tmp_path_factory.mktemp("trust"), {"trust": (trust_model(), {"least": 0.6})})
    return models.load(provider="cpu", precision="fp32", weights_dir=folder)


def tissue(level: int, rows: int = 300, columns: int = 300) -> np.ndarray:
    """Smooth texture about a level, with a lit disc."""
    y, x = np.mgrid[0:rows, 0:columns]
    grey = level + 12 * np.sin(x / 9) * np.sin(y / 7)
    grey[(y - 150) ** 2 + (x - 150) ** 2 < 30**2] = 240
    return grey.astype(np.uint8)


def test_a_picture_of_the_declared_organ_is_segmented(trusting: models.Segmenter) -> None:
    seen = trusting.segment(tissue(170), "breast")
    assert (seen.assessable, seen.reason) == (True, None)
    assert seen.regions
    assert set(seen.timings_ms) == {"prepare", "network", "trust", "regions"}


@pytest.mark.parametrize(
    ("level", "organ", "reason"),
    [(170, "thyroid", "not_thyroid_ultrasound"), (60, "breast", "not_breast_ultrasound")],
)
def test_the_other_organ_is_not_assessable(trusting: models.Segmenter, level: int, organ: str, reason: str) -> None:
    seen = trusting.segment(tissue(level), organ)
    assert (seen.assessable, seen.reason, seen.regions) == (False, reason, ())
    assert not seen.labels.any()


def test_a_photograph_is_not_assessable_whatever_is_declared(trusting: models.Segmenter) -> None:
    photograph = np.stack([tissue(170), tissue(170) // 2, tissue(170) // 4], 2)
    for organ in ("breast", "thyroid"):
        assert trusting.segment(photograph, organ).reason == f"not_{organ}_ultrasound"


def test_each_panel_is_judged_by_itself(trusting: models.Segmenter) -> None:
    pair = np.hstack([tissue(170), tissue(60)])
    seen = trusting.segment(pair, "breast", [(0, 0, 300, 300), (300, 0, 300, 300)])
    assert seen.assessable
    assert {region.panel for region in seen.regions} == {0}
    assert seen.refusals == (Refusal(1, "not_breast_ultrasound"),)


def test_an_organ_without_a_threshold_of_its_own_takes_the_common_one() -> None:
    square, fit = letterbox(tissue(128), 256)  # in the middle: neither organ is sure
    seen = {name: np.full((1, 1, side, side), 0.5, np.float32) for name, side in (("deep", 8), ("fine", 32))}
    for least, accepted in ((0.4, True), (0.6, False)):
        verdict = Trust(trust_model(), {"least": 0.9, "least_breast": least}).verdict(square, fit, 0.0, seen, "breast")
        assert verdict.accepted is accepted
    assert sum(verdict.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert (
        not Trust(trust_model(), {"least": 0.9, "least_breast": 0.4})
        .verdict(square, fit, 0.0, seen, "thyroid")
        .accepted
    )


def test_a_file_that_is_no_graph_is_named() -> None:
    with pytest.raises(WrongWeights, match="trust"):
        Trust(b"no graph", {})


def test_grey_has_no_colour_and_a_red_half_is_half_coloured() -> None:
    grey = np.full((400, 400, 3), 90, np.uint8)
    assert coloured(grey) == coloured(grey[..., 0]) == 0
    grey[:, :200] = (250, 20, 20)
    assert coloured(grey) == pytest.approx(0.5, abs=0.01)
    assert coloured(grey.astype(np.uint16) * 257) == pytest.approx(0.5, abs=0.01)


def test_evidence_looks_at_the_picture_alone_not_at_its_borders() -> None:
    square, fit = letterbox(tissue(170, 150, 300), 256)
    inside, outside = np.full((1, 32, 32), 3.0, np.float32), np.full((1, 32, 32), 3.0, np.float32)
    outside[:, : fit.top // 8] = 99
    deep = np.zeros((1, 8, 8), np.float32)
    one, other = (evidence(square, fit, 0.25, {"deep": deep, "fine": fine}) for fine in (inside, outside))
    assert one.shape == (EVIDENCE,)
    assert np.array_equal(one, other)
    assert one[COLOUR] == 0.25


@pytest.mark.parametrize("size", [(1, 1), (2, 200), (200, 2), (256, 256)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_figures_of_any_picture_are_finite(size: tuple[int, int], level: int) -> None:
    found = figures(np.full(size, level, np.uint8), 0.0)
    assert found.shape == (32,)
    assert np.isfinite(found).all()
