"""The network is shown a picture, and its mirror image where that may matter."""

from pathlib import Path

import numpy as np
import pytest

from sonovan import models
from sonovan.models.engine.batching import Batcher
from sonovan.models.engine.choose import open_runner
from sonovan.models.engine.runner import Batch, Outputs
from sonovan.models.errors import UnusablePicture
from sonovan.models.panel import Panel, panel_of, run_network
from sonovan.models.registry import Entry, read_registry, read_weights
from tests.models.test_segmenter import frame


class Leaning:
    """Sees less the further right it is: probability grey / 255 on the left, a fifth of it on the right."""

    name = "leaning/fp32"

    def __init__(self) -> None:
        self.runs = 0

    def run(self, batch: Batch) -> Outputs:
        """Breast as above, thyroid nowhere; `deep` is the picture."""
        self.runs += 1
        seen = batch[:, :1] / 255 * np.linspace(1, 0.2, batch.shape[3], dtype=np.float32)
        return {"masks": np.concatenate([seen, np.zeros_like(seen)], axis=1), "deep": batch}


def entry_with(weights: Path, mirror_from: float | None) -> Entry:
    return read_registry(weights).entry().model_copy(update={"mirror_from": mirror_from})


def shown(entry: Entry, grey: np.ndarray) -> Panel:
    return panel_of(grey, (0, 0, grey.shape[1], grey.shape[0]), None, entry)


def test_what_shows_next_to_nothing_is_looked_at_once(tiny_weights: Path) -> None:
    entry, runner = entry_with(tiny_weights, 0.3), Leaning()
    panel = shown(entry, np.full((224, 224), 60, np.uint8))
    seen = run_network(entry, runner, panel, channel=0)
    assert runner.runs == 1
    assert (seen["masks"] == Leaning().run(panel.square.astype(np.float32)[None, None])["masks"]).all()


def test_where_a_probability_may_matter_the_mask_is_the_mean_with_the_mirror_image(tiny_weights: Path) -> None:
    entry, runner = entry_with(tiny_weights, 0.3), Leaning()
    panel = shown(entry, frame(224, 224, (20, 40, 50, 60)))
    seen = run_network(entry, runner, panel, channel=0)
    assert runner.runs == 2
    np.testing.assert_allclose(seen["masks"][0, 0], panel.square / 255 * 0.6, atol=1e-6)  # it leans to neither side
    assert (seen["deep"][0, 0] == panel.square).all()  # features are the picture's own


def test_only_the_organ_that_was_asked_for_decides(tiny_weights: Path) -> None:
    entry, runner = entry_with(tiny_weights, 0.3), Leaning()
    run_network(entry, runner, shown(entry, frame(224, 224, (20, 40, 50, 60))), channel=1)
    assert runner.runs == 1


def test_a_network_without_the_setting_is_run_once(tiny_weights: Path) -> None:
    entry, runner = entry_with(tiny_weights, None), Leaning()
    run_network(entry, runner, shown(entry, frame(224, 224, (20, 40, 50, 60))), channel=0)
    assert runner.runs == 1


def test_a_mirror_image_that_gives_no_number_judges_nothing(tiny_weights: Path) -> None:
    class Breaking(Leaning):
        def run(self, batch: Batch) -> Outputs:
            seen = super().run(batch)
            return seen | {"masks": seen["masks"] * np.float32(np.nan)} if self.runs == 2 else seen

    entry = entry_with(tiny_weights, 0.3)
    with pytest.raises(UnusablePicture, match="no number"):
        run_network(entry, Breaking(), shown(entry, frame(224, 224, (20, 40, 50, 60))), channel=0)


def test_a_region_is_outlined_where_both_looks_say_so(tiny_weights: Path) -> None:
    picture = frame(300, 300, (30, 60, 80, 90), (200, 60, 60, 90))
    runs = {}
    for mirror_from in (None, 0.3):
        runner = Leaning()
        seen = models.Segmenter(entry_with(tiny_weights, mirror_from), runner).segment(picture, "breast")
        runs[mirror_from] = (runner.runs, len(seen.regions))
    assert runs == {None: (1, 1), 0.3: (2, 2)}  # one look alone outlines the left one, with the threshold at .5


def test_frames_that_are_computed_together_are_looked_at_as_if_alone(tiny_weights: Path) -> None:
    entry = entry_with(tiny_weights, 0.3)
    runner = open_runner(read_weights(entry, tiny_weights), entry, "cpu", "fp32")
    alone, together = models.Segmenter(entry, runner), models.Segmenter(entry, Batcher(runner, 4))
    for picture in (frame(300, 300), frame(300, 300, (30, 60, 80, 90))):
        one, other = alone.segment(picture, "breast"), together.segment(picture, "breast")
        assert (one.labels == other.labels).all()
        assert [each.score_mean for each in one.regions] == [each.score_mean for each in other.regions]
