"""Five-fold figures: who is in which fold, and what may not be measured."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from dataclasses import asdict

from sonovan.models.registry import read_registry
from training.folds import FOLDS, TorchRunner, five_fold, fold_of, plan_for
from training.loop import Plan
from training.network import LesionNet

pytestmark = pytest.mark.training


def test_every_group_is_in_one_fold_and_no_fold_is_empty() -> None:
    folds = [fold_of("breast", f"case{number}") for number in range(200)]
    assert set(folds) == set(range(FOLDS))
    assert max(folds.count(fold) for fold in range(FOLDS)) < 70


def test_a_start_that_has_seen_the_set_is_refused(tmp_path: Path) -> None:
    start = tmp_path / "start.pt"
    torch.save({"plan": asdict(Plan(without=("busi",)))}, start)
    with pytest.raises(ValueError, match="trained with breast"):
        five_fold(tmp_path, "breast", start, tmp_path, read_registry().entry(), 1, lambda line: None)


def test_what_a_set_says_of_malignancy_stays_unseen() -> None:
    plan = plan_for("breast", "lite2", 2)
    assert plan.suspicion == 0
    assert dict(plan.shares)["breast"] > 1


def test_a_network_in_memory_runs_like_a_file() -> None:
    found = TorchRunner(LesionNet("lite0")).run(np.zeros((1, 1, 64, 64), np.float32))
    assert found["masks"].shape == (1, 2, 64, 64)
    assert 0 <= found["masks"].min() <= found["masks"].max() <= 1
