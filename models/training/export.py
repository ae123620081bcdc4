"""From a checkpoint to the file that is shipped: one ONNX graph, checked against torch.

The letterbox stays outside: it is an area average over a factor that changes with every scanner, for which ONNX has no
operator that agrees with OpenCV, and a graph of fixed size is what CPUs' runtimes compile best. Weights are stored in
float32: halved ones moved probabilities along outlines by .004, and 17 MB are no burden.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.network import ORGANS, SIZE, LesionNet

OPSET = 17
TOLERANCE = 2e-3
THRESHOLD = 0.4  # chosen on validation, where .3 to .5 differ by .002
MODEL_ID = "lite0-unet-1"
LICENCE = "Trained on BUSI, BUS-BRA, BrEaST, DDTI and TG3K: research and education only; cite them (see card)."


class Graph(nn.Module):
    """What the file computes: grey 0..255 (N, 1, 256, 256) float32 → lesion probability (N, 2, 256, 256) float32."""

    def __init__(self, network: LesionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        return torch.sigmoid(self.network(frames))


def load_checkpoint(path: Path) -> tuple[LesionNet, dict[str, Any]]:
    """The averaged weights of a `last.pt` or `epoch_NN.pt`, and what the card tells of the run that made them."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = LesionNet()
    network.load_state_dict(state["kept"])
    facts = {key: state[key] for key in ("plan", "epoch", "history")}
    facts["steps_per_epoch"] = state["per_epoch"]
    facts["parameters"] = sum(parameter.numel() for parameter in network.parameters())
    return network.eval(), facts


def export(network: LesionNet, path: Path) -> None:
    """Writes the graph to `path` and raises ValueError when onnxruntime or openvino disagree with torch."""
    graph = Graph(network).eval()
    example = torch.rand(1, 1, SIZE, SIZE) * 255
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        graph, (example,), str(path), input_names=["frames"], output_names=["masks"], opset_version=OPSET,
        dynamic_axes={"frames": {0: "batch"}, "masks": {0: "batch"}}, dynamo=False, do_constant_folding=True,
    )  # fmt: skip
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "sonovan", MODEL_ID
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    for name, difference in differences(graph, path).items():
        if not difference <= TOLERANCE:
            raise ValueError(f"{name} differs from torch by {difference:.1e}, more than {TOLERANCE:.0e}")


def round_kernels(path: Path) -> None:
    """Rounds the file's kernels to what bfloat16 holds, so that bf16 and float32 run the very same weights."""
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim >= 2:
            bits = array.copy().view(np.uint32)
            bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)  # to nearest, ties to even
            tensor.CopyFrom(onnx.numpy_helper.from_array(bits.astype(np.uint32).view(np.float32), tensor.name))
    onnx.save(model, str(path))


def differences(graph: nn.Module, path: Path) -> dict[str, float]:
    """Largest absolute difference of probability to torch, per runtime, over pictures and batches of several kinds."""
    import onnxruntime
    import openvino

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    worst = {"onnxruntime": 0.0, "openvino": 0.0}
    for frames in _examples():
        with torch.inference_mode():
            truth = graph(torch.from_numpy(frames)).numpy()
        got = {"onnxruntime": session.run(["masks"], {"frames": frames})[0], "openvino": compiled(frames)["masks"]}
        for name, masks in got.items():
            worst[name] = max(worst[name], float(np.abs(masks - truth).max()))
    return worst


def _examples() -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 255, SIZE, dtype=np.float32), (SIZE, 1))
    noise = rng.uniform(0, 255, (3, 1, SIZE, SIZE)).astype(np.float32)
    blank = np.full((1, 1, SIZE, SIZE), 7, np.float32)
    return [noise, blank, np.stack([ramp, ramp.T])[:, None]]


def register(path: Path, registry: Path, card: str) -> dict[str, Any]:
    """Enters the file into registry.json, replacing an entry of the same id. Returns the entry."""
    entry: dict[str, Any] = {
        "id": MODEL_ID,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "organs": ORGANS,
        "input": {"name": "frames", "rows": SIZE, "columns": SIZE, "dtype": "float32", "range": [0, 255],
                  "letterbox": {"interpolation": "area", "fill": 0, "centred": True}},
        "output": {"name": "masks", "meaning": "probability of lesion, one channel per organ"},
        "threshold": THRESHOLD,
        "min_area_px": 40,
        "precisions": ["fp32"],  # more only after `python -m benchmarks.engines` has shown the same masks
        "opset": OPSET,
        "licence": LICENCE,
        "card": card,
    }  # fmt: skip
    known = json.loads(registry.read_text(encoding="utf-8"))["models"] if registry.exists() else []
    models = [other for other in known if other["id"] != MODEL_ID] + [entry]
    registry.write_text(json.dumps({"version": 1, "models": models}, indent=2) + "\n", encoding="utf-8")
    return entry
