"""Trials of a cheaper network: what is left out is left out, and nothing else changes."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from sonovan.models.evaluation.index import split_of
from sonovan.models.registry import read_registry
from training.cheaper import silenced, try_variants, variants
from training.network import LesionNet

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def network() -> LesionNet:
    torch.manual_seed(0)
    return LesionNet().eval()


def test_each_residual_block_is_left_out_once(network: LesionNet) -> None:
    names = [name for name, _, _ in variants(network)]
    assert len(set(names)) == len(names)
    assert sum(name.startswith("without block") for name in names) == sum(block.residual for block in network.blocks)


def test_silent_channels_say_nothing_and_the_network_given_stays_whole(network: LesionNet) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    changed = silenced(network, 0.25)
    last = changed.ups[-1].mix[1]
    assert int((last.weight == 0).sum()) == len(last.weight) // 4
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())


def test_trials_are_told_as_a_table(network: LesionNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [f"g{number}" for number in range(60) if split_of("ddti", f"g{number}") == "validation"][:1]
    (tmp_path / "ddti").mkdir()
    cv2.imwrite(str(tmp_path / "ddti" / "a.png"), np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 255
    cv2.imwrite(str(tmp_path / "ddti" / "m.png"), mask)
    with (tmp_path / "ddti" / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "label", "image", "mask", "group"], ["a", "", "a.png", "m.png", held[0]]])
    monkeypatch.setattr("training.cheaper.SIDES", (192,))
    said: list[str] = []
    trials = try_variants(network, read_registry(Path("models/weights")).entry(), tmp_path, said.append)
    assert [trial.name for trial in trials[:2]] == ["as it is", "input of 192 pixels"]
    assert said[0].startswith("| changed | ddti | time |")
    assert len(said) == len(trials) + 1
    assert 0.2 < trials[1].time < 1
