"""From `decoder.pt` to the file that is shipped: one ONNX graph, checked against torch, entered into the registry."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from sonovan.models.errors import WrongWeights
from sonovan.models.heads.companion import Companion
from training.export import refuse_despeckled
from training.network import SIZE
from training.sam.network import DEEP, EDGE, FINE, NOT_A_POINT, PROMPT_SIDE, Graph, PromptDecoder

OPSET = 17
TOLERANCE = 1e-3
INPUTS = (
    "deep", "fine", "edge", "masks", "organ", "point_coords", "point_labels", "mask_input", "has_mask_input",
)  # fmt: skip


def load_decoder(path: Path) -> tuple[PromptDecoder, dict[str, Any]]:
    """The averaged weights of a `decoder.pt` or `last.pt`, and what the card tells of the run."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    decoder = PromptDecoder()
    decoder.load_state_dict(state["decoder"])
    facts = {key: state[key] for key in ("plan", "facts", "step", "history")}
    facts["parameters"] = sum(parameter.numel() for parameter in decoder.parameters())
    return decoder.eval(), facts


def export(decoder: PromptDecoder, path: Path) -> float:
    """Writes the graph and returns the largest difference to torch; raises ValueError where it exceeds TOLERANCE.

    Logits are compared as probabilities: far from 0 their own differences say nothing about a mask.
    """
    graph = Graph(decoder).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        graph, examples(3, seed=0), str(path), input_names=list(INPUTS), output_names=["logits", "iou"],
        opset_version=OPSET, dynamo=False, do_constant_folding=True,
        dynamic_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
    )  # fmt: skip
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "sonovan", "prompt"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    worst = difference(graph, path)
    if not worst <= TOLERANCE:
        raise ValueError(f"{path} differs from torch by {worst:.1e}, more than {TOLERANCE:.0e}")
    return worst


def difference(graph: Graph, path: Path) -> float:
    """Largest difference of probability or IoU between the file and torch, over several kinds of prompts."""
    session = Companion(path.read_bytes(), "prompt")
    worst = 0.0
    for points in (1, 2, 7):
        given = examples(points, seed=points)
        with torch.inference_mode():
            logits, iou = graph(*given)
        found = session.run({name: one.numpy() for name, one in zip(INPUTS, given, strict=True)})
        masks = 1 / (1 + np.exp(-found["logits"]))
        worst = max(worst, float(np.abs(masks - torch.sigmoid(logits).numpy()).max()))
        worst = max(worst, float(np.abs(found["iou"] - iou.numpy()).max()))
    return worst


def examples(points: int, seed: int) -> tuple[Tensor, ...]:
    """Random inputs of the graph; the last point is padding."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    labels = torch.randint(0, 4, (1, points), generator=generator).float()
    labels[0, -1] = NOT_A_POINT
    return (
        noise(1, DEEP, 8, 8), noise(1, FINE, 32, 32), noise(1, EDGE, 64, 64), torch.sigmoid(noise(1, 2, SIZE, SIZE)),
        torch.tensor([seed % 2]), SIZE * torch.rand((1, points, 2), generator=generator), labels,
        4 * noise(1, 1, PROMPT_SIDE, PROMPT_SIDE), torch.tensor([float(seed % 2)]),
    )  # fmt: skip


def parameters(path: Path) -> int:
    """Numbers that a graph has learned."""
    kernels = (onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer)
    return sum(int(kernel.size) for kernel in kernels if kernel.dtype.kind == "f")


def register(file: Path, weights: Path, model_id: str, settings: dict[str, float]) -> None:
    """Enters the file as the companion `prompt` of a network of this folder.

    Raises WrongWeights where the folder has no such network, or that despeckles.
    """
    refuse_despeckled(weights, model_id)
    path = weights / "registry.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    entry = next((one for one in document["models"] if one["id"] == model_id), None)
    if entry is None:
        raise WrongWeights(f"{path} names no model {model_id!r}: export the trunk first")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    entry.setdefault("companions", {})["prompt"] = {"file": file.name, "sha256": sha256, "settings": settings}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
