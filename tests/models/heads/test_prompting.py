"""Points, boxes and masks on a frame: where they land, what comes back, and what the stream makes of it."""

from pathlib import Path

import numpy as np
import pytest

from sonovan import models
from sonovan.models.engine.cpu import sums_eight_bits
from sonovan.models.errors import ProviderNotGiven, UnusablePicture, WrongWeights
from sonovan.models.heads.prompting import MaskDecoder, Outlined, Point, Prompter, Shown, load_prompter
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import Box
from sonovan.models.registry import read_registry
from tests.models.tiny_onnx import write_weights
from tests.models.tiny_prompt import IOUS, RADIUS, SIDE, tiny_decoder, write_prompting

DARK = np.full((96, 200), 20, np.uint8)


@pytest.fixture(scope="module")
def prompter(tmp_path_factory: pytest.TempPathFactory) -> Prompter:
    folder = write_prompting(tmp_path_factory.mktemp("prompting"))
    return load_prompter(provider="cpu", precision="fp32", weights_dir=folder)


def centre(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def test_without_a_prompt_the_automatic_mask_comes(prompter: Prompter) -> None:
    frame = DARK.copy()
    frame[30:60, 80:140] = 230
    answer = prompter.segment(prompter.embed(frame, "breast", (0, 0, 200, 96)))
    assert answer.mask.shape == frame.shape
    assert np.mean(answer.mask == (frame > 100)) > 0.97
    assert answer.predicted_iou == pytest.approx(IOUS[0])


@pytest.mark.parametrize("panel", [(0, 0, 200, 96), (0, 0, 96, 96), (104, 0, 60, 96), (40, 20, 128, 64)])
def test_a_click_lands_at_its_place(prompter: Prompter, panel: Box) -> None:
    left, top, width, height = panel
    click = Point(left + 0.6 * width, top + 0.4 * height, True)
    answer = prompter.segment(prompter.embed(DARK, "breast", panel), [click])
    column, row = centre(answer.mask)
    pixel = max(width, height) / SIDE
    assert (column, row) == pytest.approx((click.column, click.row), abs=0.75 * pixel)
    assert answer.mask.sum() == pytest.approx(np.pi * (RADIUS * pixel) ** 2, rel=0.1)


def test_a_background_click_draws_nothing(prompter: Prompter) -> None:
    answer = prompter.segment(prompter.embed(DARK, "breast"), [Point(100, 50, False), Point(20, 20, False)])
    assert not answer.mask.any()


def test_a_box_gives_its_two_corners(prompter: Prompter) -> None:
    whole = (0, 0, 200, 96)
    answer = prompter.segment(prompter.embed(DARK, "breast", whole), boxes=[(60, 30, 80, 40)])
    assert answer.mask[30, 60]
    assert answer.mask[69, 139]
    assert not answer.mask[50, 100]


def test_a_lone_point_takes_the_alternative_that_is_expected_to_be_best(prompter: Prompter) -> None:
    embedding = prompter.embed(DARK, "breast")
    click = Point(100, 50, True)
    assert prompter.segment(embedding, [click]).predicted_iou == pytest.approx(IOUS[2])
    assert prompter.segment(embedding, [click, click]).predicted_iou == pytest.approx(IOUS[0])
    again = prompter.segment(embedding, [click], mask=np.zeros(DARK.shape, np.bool_))
    assert again.predicted_iou == pytest.approx(IOUS[0])


def test_a_drawn_mask_comes_back_in_its_place(prompter: Prompter) -> None:
    drawn = np.zeros(DARK.shape, np.bool_)
    drawn[24:72, 90:170] = True
    answer = prompter.segment(prompter.embed(DARK, "breast", (40, 0, 160, 96)), mask=drawn)
    assert np.mean(answer.mask == drawn) > 0.99


def test_an_answer_is_corrected_by_the_next_click(prompter: Prompter) -> None:
    embedding = prompter.embed(DARK, "breast", (0, 0, 200, 96))
    drawn = np.zeros(DARK.shape, np.bool_)
    drawn[20:40, 20:60] = True
    first = prompter.segment(embedding, mask=drawn)
    second = prompter.segment(embedding, [Point(150, 60, True)], mask=first)
    assert isinstance(second, Outlined)
    assert second.mask[30, 40]
    assert second.mask[60, 150]


def test_the_same_embedding_gives_the_same_bits(prompter: Prompter) -> None:
    embedding = prompter.embed(DARK, "thyroid")
    one, other = (prompter.segment(embedding, [Point(33, 40, True)]) for _ in range(2))
    assert np.array_equal(one.logits, other.logits)


def test_what_cannot_be_asked_is_said(prompter: Prompter) -> None:
    with pytest.raises(UnusablePicture, match="tiny-1 knows breast, thyroid, not 'liver'"):
        prompter.embed(DARK, "liver")
    with pytest.raises(UnusablePicture, match="does not lie in"):
        prompter.embed(DARK, "breast", (0, 0, 500, 96))
    with pytest.raises(ValueError, match="the frame has 96 rows and 200 columns"):
        prompter.segment(prompter.embed(DARK, "breast"), mask=np.zeros((10, 10), np.bool_))


def test_a_network_without_the_companion_answers_no_clicks(tmp_path: Path) -> None:
    with pytest.raises(WrongWeights, match="tiny-1 has no companion `prompt`"):
        load_prompter(weights_dir=write_weights(tmp_path), provider="cpu", precision="fp32")


def test_a_swapped_companion_is_refused_with_both_hashes(tmp_path: Path) -> None:
    folder = write_prompting(tmp_path)
    (folder / "prompt.onnx").write_bytes(tiny_decoder() + b"\0")
    with pytest.raises(WrongWeights, match=r"not the file of tiny-1/prompt: sha256 [0-9a-f]{64}, .* [0-9a-f]{64}"):
        load_prompter(weights_dir=folder, provider="cpu", precision="fp32")


def lit_frame() -> np.ndarray:
    """Bright enough for the network's own threshold in its middle, and textured like tissue everywhere."""
    frame = np.random.default_rng(0).integers(20, 90, (120, 120)).astype(np.uint8)
    frame[40:80, 40:80] = 250
    return frame


def test_the_stream_tells_what_its_outlines_are_worth(tmp_path: Path) -> None:
    settings = {"quality_offset": 0.1, "quality_dice": 0.5, "quality_agreement": 0.25}
    folder = write_prompting(tmp_path, settings)
    seen = models.load(provider="cpu", precision="fp32", weights_dir=folder).segment(lit_frame(), "breast")
    assert len(seen.regions) == 1
    assert type(seen.regions[0].quality) is float
    expected = 2 * IOUS[0] / (1 + IOUS[0])  # the decoder outlines the same bright square, so they agree
    assert seen.regions[0].quality == pytest.approx(0.1 + 0.5 * expected + 0.25, abs=0.01)


@pytest.mark.parametrize(("least", "reliable"), [(0.3, True), (0.99, False)])
def test_an_outline_is_reliable_from_the_registrys_bound_on(tmp_path: Path, least: float, reliable: bool) -> None:
    settings = {"quality_offset": 0.1, "quality_dice": 0.5, "quality_agreement": 0.25, "quality_least": least}
    folder = write_prompting(tmp_path, settings)
    (region,) = models.load(provider="cpu", precision="fp32", weights_dir=folder).segment(lit_frame(), "breast").regions
    assert region.quality is not None
    assert (region.quality >= least, region.reliable) == (reliable, reliable)


def test_the_shipped_registry_asks_for_the_expected_dice_that_was_chosen_on_validation() -> None:
    assert read_registry().entry().companions["prompt"].settings["quality_least"] == 0.56


def faint_frame() -> np.ndarray:
    """A square that the network sees (above .3) and the decoder, which draws from .5, does not."""
    frame = np.random.default_rng(0).integers(20, 60, (120, 120)).astype(np.uint8)
    frame[40:80, 40:80] = 105
    return frame


def test_what_the_decoder_leaves_out_is_kept_and_marked(tmp_path: Path) -> None:
    folder = write_prompting(tmp_path, {"automatic_breast": 1.0, "quality_dice": 0.5, "quality_agreement": 0.25})
    path = folder / "registry.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"threshold": 0.5', '"threshold": 0.3'), encoding="utf-8")
    segmenter = models.load(provider="cpu", precision="fp32", weights_dir=folder)
    (kept,) = segmenter.segment(faint_frame(), "breast").regions
    assert (kept.box, kept.unconfirmed) == (pytest.approx((40, 40, 40, 40), abs=2), True)
    assert not kept.reliable
    assert kept.quality is None  # what the decoder expects is that of its own, empty mask
    (drawn,) = segmenter.segment(lit_frame(), "breast").regions
    assert not drawn.unconfirmed
    prompter = load_prompter(provider="cpu", precision="fp32", weights_dir=folder)
    first = prompter.first(prompter.embed(faint_frame(), "breast"))
    assert np.array_equal(first.mask, segmenter.segment(faint_frame(), "breast").labels > 0)


def test_the_prompter_runs_the_file_that_the_stream_runs() -> None:
    if not sums_eight_bits() or "int8" not in read_registry().entry().precisions:
        with pytest.raises(ProviderNotGiven):
            load_prompter(provider="openvino", precision="int8")
        return
    prompter = load_prompter(provider="openvino", precision="int8")
    segmenter = models.load(provider="openvino", precision="int8")
    sweep = simulate_sweep("breast", frames=9, seed=5)
    shows = [sum(int(lesion.mask.sum()) for lesion in truth) for truth in sweep.truth]
    frame = sweep.frames[shows.index(max(shows))]
    first = prompter.first(prompter.embed(frame, "breast"))
    assert first.mask.any()
    assert np.array_equal(first.mask, segmenter.segment(frame, "breast").labels > 0)


def test_a_network_alone_says_nothing_of_its_outlines_worth(tmp_path: Path) -> None:
    folder = write_weights(tmp_path, side=SIDE, precisions=("fp32",))
    seen = models.load(provider="cpu", precision="fp32", weights_dir=folder).segment(lit_frame(), "breast")
    assert [region.quality for region in seen.regions] == [None]


def test_the_registry_lets_the_decoder_draw_an_organ() -> None:
    decoder = MaskDecoder(tiny_decoder(), SIDE, {"automatic_breast": 1.0, "automatic_thyroid": 0.0})
    masks = np.zeros((1, 2, SIDE, SIDE), np.float32)
    masks[0, :, 20:40, 20:40] = 0.9
    own = Shown(np.full((SIDE, SIDE), 0.6, np.float32), 0.4)
    drawn = decoder.shown({"masks": masks}, own, "breast", 0)
    assert np.array_equal(drawn.square > drawn.threshold, masks[0, 0] > 0.5)
    kept = decoder.shown({"masks": masks}, own, "thyroid", 1)
    assert np.array_equal(kept.square, own.square)
    assert kept.quality is not None
    nothing = Shown(np.zeros((SIDE, SIDE), np.float32), 0.4)
    assert decoder.shown({"masks": masks}, nothing, "thyroid", 1).quality is None


def test_a_network_may_want_oblong_pictures_in_its_corner(tmp_path: Path) -> None:
    folder = write_prompting(tmp_path)
    path = folder / "registry.json"
    path.write_text(path.read_text().replace('"rows": 64', '"corner": true, "rows": 64'), encoding="utf-8")
    prompter = load_prompter(provider="cpu", precision="fp32", weights_dir=folder)
    embedding = prompter.embed(DARK, "breast", (0, 0, 200, 96))
    assert (embedding.fit.left, embedding.fit.top) == (0, 0)
    assert centre(prompter.segment(embedding, [Point(120, 60, True)]).mask) == pytest.approx((120, 60), abs=2.5)


def test_corrections_start_with_what_the_stream_shows(tmp_path: Path) -> None:
    frame = lit_frame()
    for draws in (0.0, 1.0):
        folder = write_prompting(tmp_path / str(draws), {"automatic_breast": draws})
        shown = models.load(provider="cpu", precision="fp32", weights_dir=folder).segment(frame, "breast")
        prompter = load_prompter(provider="cpu", precision="fp32", weights_dir=folder)
        first = prompter.first(prompter.embed(frame, "breast"))
        assert np.array_equal(first.mask, shown.labels > 0)
