"""What the training of every head shares: a frozen trunk's outputs, small graphs, the entry in the registry."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sonovan.models.engine.runner import Outputs
from sonovan.models.engine.runtimes import onnxruntime, openvino
from sonovan.models.picture.letterbox import Gray
from training.export import OPSET, load_checkpoint, refuse_despeckled
from training.exported import OUTPUTS
from training.network import SIZE, LesionNet

BATCH = 8


class _Looking(nn.Module):
    def __init__(self, network: LesionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        seen = self.network.look(frames)
        return torch.sigmoid(seen.logits), seen.deep, seen.fine, seen.edge


class Trunk:
    """A frozen trunk: float32 on openvino, which takes a third of torch's time on CPUs."""

    def __init__(self, checkpoint: Path, precision: str = "f32") -> None:
        network, _ = load_checkpoint(checkpoint)
        self.sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
        core = openvino().Core()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trunk.onnx"
            axes = {name: {0: "batch"} for name in ("frames", *OUTPUTS)}
            torch.onnx.export(
                _Looking(network).eval(), (torch.rand(1, 1, SIZE, SIZE) * 255,), str(path), input_names=["frames"],
                output_names=list(OUTPUTS), opset_version=OPSET, dynamic_axes=axes, dynamo=False,
            )  # fmt: skip
            model = core.read_model(str(path))
            model.reshape([BATCH, 1, SIZE, SIZE])
            self._compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})

    def look(self, squares: Sequence[Gray]) -> Iterator[Outputs]:
        """What the trunk makes of each letterboxed picture (256, 256) uint8: `masks` and features, N = 1."""
        for start in range(0, len(squares), BATCH):
            some = squares[start : start + BATCH]
            frames = np.zeros((BATCH, 1, SIZE, SIZE), np.float32)
            frames[: len(some), 0] = np.stack(some)
            found = self._compiled(frames)
            seen = {name: np.array(found[name], np.float32) for name in OUTPUTS}
            for number in range(len(some)):
                yield {name: array[number : number + 1] for name, array in seen.items()}


def export_head(head: nn.Module, width: int, path: Path, name: str, outputs: Sequence[str]) -> None:
    """Writes a head (N, width) float32 → `outputs` as ONNX. Raises ValueError where onnxruntime disagrees with torch.

    name: of its input.
    """
    head = head.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {one: {0: "batch"} for one in (name, *outputs)}
    torch.onnx.export(
        head, (torch.zeros(1, width),), str(path), input_names=[name], output_names=list(outputs),
        opset_version=OPSET, dynamic_axes=axes, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(path))
    model.producer_name = "sonovan"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    sample = np.random.default_rng(0).normal(0, 1, (5, width)).astype(np.float32)
    with torch.inference_mode():
        truth = head(torch.from_numpy(sample))
    truths = [truth] if isinstance(truth, Tensor) else list(truth)
    for wanted, got in zip(truths, session.run(list(outputs), {name: sample}), strict=True):
        difference = float(np.abs(wanted.numpy() - got).max())
        if not difference <= 1e-4:
            raise ValueError(f"{path}: onnxruntime differs from torch by {difference:.1e}")


def register(file: Path, role: str, settings: dict[str, float], model: str, weights: Path) -> Path:
    """Copies a companion beside the weights of `model` and enters it there; an older one of its role is replaced.

    Returns the copy. Raises ValueError where registry.json names no such model, WrongWeights where that despeckles.
    """
    refuse_despeckled(weights, model)
    registry = weights / "registry.json"
    known = json.loads(registry.read_text(encoding="utf-8"))
    entries = [entry for entry in known["models"] if entry["id"] == model]
    if not entries:
        raise ValueError(f"{registry} names no model {model!r}; it names {[one['id'] for one in known['models']]}")
    data = file.read_bytes()
    copy = weights / f"{model}.{role}.onnx"
    copy.write_bytes(data)
    companion = {"file": copy.name, "sha256": hashlib.sha256(data).hexdigest(), "settings": settings}
    entries[0].setdefault("companions", {})[role] = companion
    registry.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    return copy


def add_sources(command: argparse.ArgumentParser) -> None:
    """Options of whatever looks at pictures through a trunk."""
    command.add_argument("--data", type=Path, required=True)
    command.add_argument("--trunk", type=Path, required=True)


def add_learning(command: argparse.ArgumentParser) -> None:
    """Options of learning a head, those of `add_sources` among them."""
    add_sources(command)
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--again", action="store_true", help="use what an earlier run in --out gathered")


def add_entering(command: argparse.ArgumentParser) -> None:
    """Options of entering a trained head into the registry."""
    command.add_argument("--run", type=Path, required=True)
    command.add_argument("--model", required=True)
    command.add_argument("--weights", type=Path, default=Path("models/weights"))
    command.add_argument("--cards", type=Path, default=Path("models/cards"))


def run_command(parser: argparse.ArgumentParser) -> int:
    """Runs the command that was typed, by its default `run_command`, and returns its exit code."""
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)  # matrices this small are slower on two
    return int(arguments.run_command(arguments))


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


def seeded(name: str) -> np.random.Generator:
    """Chance that depends on a name alone, so that a picture is varied alike whatever else is read."""
    return np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))


Array = NDArray[np.float32]
