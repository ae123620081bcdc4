"""The mean of checkpoints."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from training.blend import blend
from training.export import load_checkpoint
from training.loop import Plan, Run
from training.samples import simulated

pytestmark = pytest.mark.training

PLAN = Plan(epochs=1, batch=2, pretrained=False, shares=(("simulated", 0.5),))


def checkpoint(folder: Path, plan: Plan) -> Path:
    Run(plan, folder, simulated(0, 2, 2, 64, lambda line: None), []).finish(lambda line: None)
    return folder / "epoch_01.pt"


def test_every_weight_is_the_mean_and_the_file_can_be_exported_or_trained_on(tmp_path: Path) -> None:
    paths = [checkpoint(tmp_path / str(seed), replace(PLAN, seed=seed)) for seed in (0, 1)]
    blend(paths, tmp_path / "out" / "blend.pt")
    mixed, facts = load_checkpoint(tmp_path / "out" / "blend.pt")
    one, other = (load_checkpoint(path)[0] for path in paths)
    for name, value in mixed.state_dict().items():
        if value.dtype.is_floating_point:
            assert torch.allclose(value, (one.state_dict()[name] + other.state_dict()[name]) / 2)
    assert facts["plan"]["seed"] == 1
    following = Run(PLAN, tmp_path / "next", simulated(0, 2, 2, 64, lambda line: None), [])
    following.start_from(tmp_path / "out" / "blend.pt")


def test_what_one_has_seen_the_blend_has_seen(tmp_path: Path) -> None:
    paths = [
        checkpoint(tmp_path / "one", replace(PLAN, without=("breast", "gland"))),
        checkpoint(tmp_path / "other", replace(PLAN, without=("breast",))),
    ]
    for order in (paths, paths[::-1]):
        blend(order, tmp_path / "blend.pt")
        assert load_checkpoint(tmp_path / "blend.pt")[1]["plan"]["without"] == ("breast",)


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "one", PLAN)
    other = checkpoint(tmp_path / "other", replace(PLAN, encoder="lite0"))
    with pytest.raises(ValueError, match=r"one encoder.*one.*lite2.*lite0"):
        blend([one, other], tmp_path / "blend.pt")
    with pytest.raises(ValueError, match="two checkpoints"):
        blend([one], tmp_path / "blend.pt")
