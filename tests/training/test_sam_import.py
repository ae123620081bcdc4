"""Segment Anything in the public layout: read, exported, equal to its own predictor, and run like any other network."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

import segment_anything

from sonovan import models
from sonovan.models.errors import WrongWeights
from sonovan.models.heads.prompting import Point, load_prompter
from tests.models.tiny_onnx import MODEL_ID, write_weights
from tests.training.small_sam import SIDE, WIDTH, small_sam
from training.sam_import import ORGAN_TOKENS, TOLERANCE, Imported, import_sam, read_checkpoint

pytestmark = pytest.mark.training
torch.set_num_threads(1)  # threads inside operators wait for each other on a busy machine


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sam") / "sam vit small.pth"
    torch.save(small_sam().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"), side=64, precisions=("fp32",))


@pytest.fixture(scope="module")
def imported(checkpoint: Path, weights: Path) -> Imported:
    return import_sam(checkpoint, weights)


def test_the_layout_tells_every_size(checkpoint: Path) -> None:
    sam, tokens = read_checkpoint(checkpoint)
    assert tokens is None
    assert [block.window_size for block in sam.image_encoder.blocks] == [5, 0]
    assert sam.image_encoder.blocks[0].attn.num_heads == 3
    for name, value in torch.load(checkpoint, weights_only=True).items():
        assert torch.equal(value, sam.state_dict()[name]), name


def test_both_files_agree_with_the_package_own_predictor(imported: Imported) -> None:
    assert imported.embedding_difference <= TOLERANCE
    assert imported.mask_difference <= TOLERANCE
    assert imported.iou_difference <= TOLERANCE


def test_the_registry_keeps_its_first_network_and_names_the_new_one(imported: Imported, weights: Path) -> None:
    entries = json.loads((weights / "registry.json").read_text())["models"]
    assert [entry["id"] for entry in entries] == [MODEL_ID, imported.model_id]
    assert re.fullmatch("sam-x[0-9a-f]{8}", imported.model_id)
    assert entries[1]["input"] == {"name": "frames", "rows": SIDE, "columns": SIDE, "corner": True}
    assert "means nothing before it was fine-tuned" in entries[1]["note"]


def test_it_is_registered_once_however_often_it_is_imported(
    imported: Imported, checkpoint: Path, weights: Path
) -> None:
    before = (weights / "registry.json").read_bytes()
    assert import_sam(checkpoint, weights).model_id == imported.model_id
    assert (weights / "registry.json").read_bytes() == before


def test_it_runs_in_the_stream_and_answers_clicks(imported: Imported, weights: Path) -> None:
    frame = np.random.default_rng(0).integers(1, 200, (96, 150)).astype(np.uint8)
    segmenter = models.load(imported.model_id, provider="cpu", precision="fp32", weights_dir=weights)
    assert segmenter.segment(frame, "thyroid").labels.shape == frame.shape
    prompter = load_prompter(imported.model_id, provider="cpu", precision="fp32", weights_dir=weights)
    embedding = prompter.embed(frame, "breast")
    first = prompter.segment(embedding, [Point(70, 40, True)])
    second = prompter.segment(embedding, [Point(70, 40, True), Point(10, 10, False)], mask=first)
    assert first.mask.shape == second.mask.shape == frame.shape
    assert not np.array_equal(first.logits, second.logits)


def test_prompts_on_a_frame_get_the_predictors_own_answers(imported: Imported, checkpoint: Path, weights: Path) -> None:
    frame = np.random.default_rng(0).integers(1, 200, (3 * SIDE // 4, SIDE)).astype(np.uint8)
    sam, _ = read_checkpoint(checkpoint)
    predictor = segment_anything.SamPredictor(sam)
    predictor.set_image(np.repeat(frame[..., None], 3, 2))
    prompter = load_prompter(imported.model_id, provider="cpu", precision="fp32", weights_dir=weights)
    embedding = prompter.embed(frame, "breast", (0, 0, SIDE, 3 * SIDE // 4))
    box = prompter.segment(embedding, boxes=[(20, 30, 50, 40)])
    _, iou, low = predictor.predict(box=np.array((20, 30, 69, 69)), multimask_output=False)
    assert box.predicted_iou == pytest.approx(float(iou[0]), abs=1e-4)
    assert np.allclose(box.logits, cv2.resize(low[0], (SIDE, SIDE)), atol=1e-3)
    point = prompter.segment(embedding, [Point(60, 50, True)])
    _, ious, lows = predictor.predict(np.array([[60, 50]]), np.array([1]), multimask_output=True)
    best = int(ious.argmax())
    assert point.predicted_iou == pytest.approx(float(ious[best]), abs=1e-4)
    assert np.allclose(point.logits, cv2.resize(lows[best], (SIDE, SIDE)), atol=1e-3)


def test_organ_tokens_of_a_fine_tuned_one_draw_each_organ_its_own_mask(checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(checkpoint, weights_only=True)
    state[ORGAN_TOKENS] = 3 * torch.randn((2, WIDTH), generator=torch.Generator().manual_seed(1))
    torch.save(state, tmp_path / "tuned.pth")
    done = import_sam(tmp_path / "tuned.pth", tmp_path)
    seen = load_prompter(weights_dir=tmp_path, provider="cpu", precision="fp32").embed(
        np.full((64, 64), 90, np.uint8), "breast"
    )
    masks = seen.seen["masks"][0]
    assert done.encoder.exists()
    assert np.abs(masks[0] - masks[1]).max() > 1e-3


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_another_file_is_refused_by_name(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "wrong.pth"
    if content is None:
        torch.save({"weight": torch.zeros(1)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(WrongWeights, match=r"wrong\.pth (is no checkpoint|has not the public layout)"):
        read_checkpoint(path)


def test_a_checkpoint_with_a_part_missing_names_it(checkpoint: Path, tmp_path: Path) -> None:
    state = torch.load(checkpoint, weights_only=True)
    del state["mask_decoder.iou_token.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(WrongWeights, match="iou_token"):
        read_checkpoint(tmp_path / "part.pth")
