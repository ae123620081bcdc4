"""A public checkpoint taught a few masks: what changes, what stays, and that it can be imported again."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from tests.training.small_sam import WIDTH, small_sam
from training.sam.finetune import Adapted, Tuning, finetune, loss_of
from training.sam_import import ORGAN_TOKENS, TOLERANCE, import_sam, read_checkpoint
from training.samples import Sample, simulated

pytestmark = pytest.mark.training
torch.set_num_threads(1)  # threads inside operators wait for each other on a busy machine


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return simulated(0, 4, 5, 96, lambda line: None)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> tuple[Path, Path, list[float]]:
    folder = tmp_path_factory.mktemp("tune")
    torch.save(small_sam().state_dict(), folder / "sam.pth")
    tuning = Tuning(epochs=6, rank=2, rounds=2, batch=4, rate=1e-3)
    losses = finetune(folder / "sam.pth", samples, folder / "tuned.pth", tuning)
    return folder / "sam.pth", folder / "tuned.pth", losses


def test_a_merged_adapter_computes_the_same() -> None:
    torch.manual_seed(0)
    adapted = Adapted(torch.nn.Linear(6, 9), 2)
    x = torch.randn(3, 6)
    assert torch.equal(adapted(x), adapted.linear(x))
    adapted.up.data.normal_()
    before = adapted(x)
    assert torch.allclose(adapted.merged()(x), before, atol=1e-6)


def cost(checkpoint: Path, samples: list[Sample]) -> float:
    """Mean loss over the same chains of prompts."""
    sam, tokens = read_checkpoint(checkpoint)
    drawn = torch.zeros(2, WIDTH) if tokens is None else tokens
    with torch.no_grad():
        losses = [loss_of(sam, drawn, one, np.random.default_rng((9, n)), 2) for n, one in enumerate(samples)]
    return float(torch.stack(losses).mean())


def test_twenty_masks_lower_the_loss(tuned: tuple[Path, Path, list[float]], samples: list[Sample]) -> None:
    assert len(samples) == 20
    assert cost(tuned[1], samples) < 0.9 * cost(tuned[0], samples)  # it begins with random numbers


def test_decoder_and_attention_learn_and_the_layout_stays_public(tuned: tuple[Path, Path, list[float]]) -> None:
    before, after = (torch.load(path, weights_only=True) for path in tuned[:2])
    assert set(after) - set(before) == {ORGAN_TOKENS}
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("mask_decoder.") for name in changed)
    encoder = {name.split(".", 3)[3] for name in changed if name.startswith("image_encoder.")}
    assert encoder == {"attn.qkv.weight", "attn.proj.weight"}
    assert not any(name.startswith("prompt_encoder.") for name in changed)


def test_the_tuned_one_is_imported_with_its_organ_tokens(tuned: tuple[Path, Path, list[float]], tmp_path: Path) -> None:
    _, tokens = read_checkpoint(tuned[1])
    assert tokens is not None
    done = import_sam(tuned[1], tmp_path)
    assert max(done.embedding_difference, done.mask_difference, done.iou_difference) <= TOLERANCE
