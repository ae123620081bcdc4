"""An int8 file: calibrated on training pictures, layers left out by name, and Dice that decides."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

import onnx

from sonovan.models.engine.choose import open_runner
from sonovan.models.engine.cpu import sums_eight_bits
from sonovan.models.evaluation.index import read_rows, split_of
from sonovan.models.evaluation.precision import BAR, allowed, figures, loss, read_cases
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.registry import WEIGHTS_DIR, read_registry
from training.quantise import calibration_frames, quantise, search

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(not sums_eight_bits(), reason="this CPU has no VNNI: int8 is not offered"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of simulated breast frames, six for training and six for validation."""
    folder = tmp_path_factory.mktemp("data") / "busi"
    folder.mkdir()
    wanted = {"train": 6, "validation": 6}
    rows = []
    for number in range(200):
        split = split_of("busi", f"g{number}")
        if not wanted.get(split):
            continue
        wanted[split] -= 1
        sweep = simulate_sweep("breast", 9, 300_000 + number)
        seen = max(range(9), key=lambda place: sum(lesion.mask.sum() for lesion in sweep.truth[place]))
        mask = np.zeros(sweep.frames[seen].shape, np.uint8)
        for lesion in sweep.truth[seen]:
            mask[lesion.mask] = 255
        cv2.imwrite(str(folder / f"{number}.png"), sweep.frames[seen])
        cv2.imwrite(str(folder / f"{number}_mask.png"), mask)
        rows.append([f"{number}", "benign", f"{number}.png", f"{number}_mask.png", f"g{number}"])
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "label", "image", "mask", "group"], *rows])
    return folder.parent


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The shipped network alone, in a folder of its own."""
    entry = read_registry().entry()
    document = json.loads((WEIGHTS_DIR / "registry.json").read_text(encoding="utf-8"))
    alone = {"variants": {}, "companions": {}}
    document["models"] = [each | alone for each in document["models"] if each["id"] == entry.id]
    shutil.copy(WEIGHTS_DIR / entry.file, tmp_path / entry.file)
    (tmp_path / "registry.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def test_the_shipped_network_is_calibrated_and_registered(data: Path, weights: Path) -> None:
    said: list[str] = []
    quantise(weights, None, data, 6, said.append)
    entry = read_registry(weights).entry()
    path = weights / entry.variants["int8"].file
    assert entry.variants["int8"].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "int8" not in entry.precisions  # until it is measured on real pictures
    nodes = onnx.load(str(path)).graph.node
    document = json.loads((weights / "registry.json").read_text(encoding="utf-8"))
    left_out = document["models"][0]["variants"]["int8"]["in_float32"]
    made_by = {name: node.op_type for node in nodes for name in node.output}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    eight = [node for node in convolutions if not any(group in node.name for group in left_out)]
    assert len(eight) > len(convolutions) / 2
    assert {made_by[name] for node in eight for name in node.input} == {"DequantizeLinear"}
    assert path.stat().st_size < (weights / entry.file).stat().st_size
    frame = np.concatenate(calibration_frames(data, entry.side, 1)).astype(np.float32)
    exact, rounded = (
        open_runner((weights / file).read_bytes(), measured, "cpu", precision).run(frame)
        for measured in [entry.model_copy(update={"precisions": ("fp32", "int8"), "refused": ()})]
        for file, precision in ((entry.file, "fp32"), (path.name, "int8"))
    )
    for name in entry.output.features:  # companions read them: no layer after them may be missing
        assert np.corrcoef(exact[name].ravel(), rounded[name].ravel())[0, 1] > 0.9, name
        assert (exact[name].min() >= 0) == (rounded[name].min() >= 0), name
    assert said[0].startswith("float32")
    assert "loses" in said[1]


def test_only_training_pictures_calibrate(data: Path) -> None:
    frames = calibration_frames(data, 64, 100)
    assert len(frames) == len(read_rows(data, "busi", "train")) == 6
    assert all(frame.shape == (1, 1, 64, 64) for frame in frames)
    assert {case.set for case in read_cases(data)} == {"busi"}


def test_groups_return_to_float32_until_the_loss_is_small_enough() -> None:
    def attempt(left_out: tuple[str, ...]) -> tuple[bytes, dict[str, float]]:
        spared = {"/head/": 0.006, "/ups.3/": 0.004, "/stem/": 0.001}
        return "".join(left_out).encode(), {"busi": 0.011 - sum(spared.get(group, 0.0) for group in left_out)}

    assert search(attempt) == (("/head/", "/ups.3/"), b"/head//ups.3/")


def test_empty_pictures_and_dice_are_weighed_by_their_own_bars() -> None:
    def attempt(left_out: tuple[str, ...]) -> tuple[bytes, dict[str, float]]:
        lost = {"busi": 0.009, "empty": 0.02}
        if "/head/" in left_out:
            lost["empty"] = 0.0  # allowed as it was: nothing is gained
        if "/stem/" in left_out:
            lost["busi"] = 0.001
        return b"", lost

    assert search(attempt)[0] == ("/stem/",)


def test_the_best_is_kept_where_nothing_is_good_enough() -> None:
    tried: list[tuple[str, ...]] = []

    def attempt(left_out: tuple[str, ...]) -> tuple[bytes, dict[str, float]]:
        tried.append(left_out)
        return b"", {"busi": 0.02 if "/stem/" in left_out else 0.03}

    left_out, _ = search(attempt)
    assert left_out == ("/stem/",)
    assert not allowed(attempt(left_out)[1])
    assert BAR < 0.02
    assert len(tried) == len(set(tried)) + 1


def test_dice_of_the_same_masks_loses_nothing(data: Path, weights: Path) -> None:
    from sonovan.models.segmenter import load

    cases = read_cases(data)
    segmenter = load(provider="cpu", precision="fp32", weights_dir=weights)
    found = figures(segmenter, cases)
    assert set(found) == {"busi", "all", "assessed"}
    assert found["busi"] > 0.5
    assert set(loss(found, figures(segmenter, cases)).values()) == {0.0}
