"""From a checkpoint to the file that is shipped: one ONNX graph, checked against torch under both runtimes.

The letterbox stays outside: it is an area average over a factor that changes with every scanner, for which ONNX has no
operator that agrees with OpenCV, and a graph of fixed size is what CPUs' runtimes compile best.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from sonovan.models.engine.runtimes import onnxruntime, openvino
from sonovan.models.errors import WrongWeights
from sonovan.models.registry import WEIGHTS_DIR
from training.despeckle.layers import InGraph, in_graph
from training.exported import OUTPUTS, Graph
from training.graphs import enlarge_by_products, halve, tidy
from training.network import ORGANS, SIZE, LesionNet

OPSET = 17
DESPECKLED = "despeckle"  # a property of files that despeckle
TOLERANCE = 5e-3  # float32 agrees to 1e-4; large kernels in float16 move outlines of odd pictures by .002
WHOLE_BYTES = 20_000_000  # files below this are stored in float32
THRESHOLD = 0.4  # chosen on validation: ddti .810, with .5 .802; where the prompt decoder draws, it plays no part
MIRROR_FROM = 0.0001  # chosen on validation: docs/decisions/0142; `python -m benchmarks.mirror` measures it
MODEL_ID = "lite2-unet-3"
LICENCE = "Trained on BUSI, BUS-BRA, BrEaST, DDTI and TG3K: research and education only; cite them (see card)."

Frames = NDArray[np.float32]
Look = Callable[[Frames], Mapping[str, Frames]]


def load_checkpoint(path: Path) -> tuple[LesionNet, dict[str, Any]]:
    """The averaged weights of a `last.pt` or `epoch_NN.pt`, and what the card tells of the run that made them.

    Raises WrongWeights for a file that is no such checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = LesionNet(state["plan"]["encoder"])
        network.load_state_dict(state["kept"])
    except (OSError, EOFError, pickle.UnpicklingError, KeyError, TypeError, RuntimeError) as error:
        raise WrongWeights(f"{path} is no checkpoint of this network: {error}") from None
    facts = {key: state[key] for key in ("plan", "epoch", "history")}
    facts["steps_per_epoch"] = state["per_epoch"]
    facts["parameters"] = sum(parameter.numel() for parameter in network.parameters())
    return network.eval(), facts


def export(
    network: LesionNet, path: Path, model_id: str = MODEL_ID, despeckle: InGraph = "none", weights: Path = WEIGHTS_DIR
) -> dict[str, float]:
    """Writes the graph to `path`, large kernels in float16 where it would be larger than WHOLE_BYTES.

    despeckle: what goes before the network; the file says so. weights: the folder that `learned` is taken from.
    Returns `differences`; raises ValueError when onnxruntime or openvino disagree with torch.
    """
    graph = Graph(network, despeckle=None if despeckle == "none" else in_graph(despeckle, weights=weights)).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        graph, (torch.rand(1, 1, SIZE, SIZE) * 255,), str(path), input_names=["frames"], output_names=list(OUTPUTS),
        opset_version=OPSET, dynamic_axes={name: {0: "batch"} for name in ("frames", *OUTPUTS)}, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "sonovan", model_id
    if despeckle != "none":
        onnx.helper.set_model_props(model, {DESPECKLED: despeckle})
    tidy(model)
    enlarge_by_products(model, SIZE)
    if model.ByteSize() >= WHOLE_BYTES:
        halve(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    found = differences(graph, path)
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise ValueError(f"{name} differs from torch by {difference:.1e}, more than {TOLERANCE:.0e}")
    return found


def refuse_despeckled(weights: Path, model_id: str) -> None:
    """Raises WrongWeights where a network's file despeckles: companions learned from frames as they are.

    weights: the folder of the registry. A network that it does not name is left to whoever looks for it.
    """
    for entry in json.loads((weights / "registry.json").read_text(encoding="utf-8"))["models"]:
        path = weights / entry["file"]
        if entry["id"] != model_id or not path.is_file():
            continue
        given = {prop.key: prop.value for prop in onnx.load(str(path)).metadata_props}
        if DESPECKLED in given:
            raise WrongWeights(f"{path} despeckles ({given[DESPECKLED]}): companions know frames as they are")


def differences(graph: nn.Module, path: Path) -> dict[str, float]:
    """How far the file's outputs are from torch's, per runtime, over pictures of several kinds, one and three at once.

    The largest absolute difference of probability, and of features by their largest magnitude.
    """
    worst = dict.fromkeys(("onnxruntime", "openvino"), 0.0)
    for runtime, look in (("onnxruntime", _onnxruntime(path)), ("openvino", _openvino(path))):
        for frames in _examples():
            with torch.inference_mode():
                truth = [output.numpy() for output in graph(torch.from_numpy(frames))]
            got = look(frames)
            for name, expected in zip(OUTPUTS, truth, strict=True):
                scale = 1.0 if name == "masks" else max(float(np.abs(expected).max()), 1e-6)
                worst[runtime] = max(worst[runtime], float(np.abs(got[name] - expected).max()) / scale)
    return worst


def _onnxruntime(path: Path) -> Look:
    module = onnxruntime()
    options = module.SessionOptions()
    options.intra_op_num_threads = 1
    session = module.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda frames: dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"frames": frames}), strict=True))


def _openvino(path: Path) -> Look:
    core = openvino().Core()
    compiled = core.compile_model(
        core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    )

    def look(frames: Frames) -> dict[str, Frames]:
        got = compiled(frames)
        return {name: got[name] for name in OUTPUTS}

    return look


def _examples() -> list[Frames]:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 255, SIZE, dtype=np.float32), (SIZE, 1))
    noise = rng.uniform(0, 255, (3, 1, SIZE, SIZE)).astype(np.float32)
    blank = np.full((1, 1, SIZE, SIZE), 7, np.float32)
    return [noise, blank, np.stack([ramp, ramp.T])[:, None]]


def _minor(runtime: ModuleType) -> str:
    """`2026.4`: what `differences` and the figures were measured with."""
    return ".".join(str(runtime.__version__).split(".")[:2])


def register(path: Path, registry: Path, model_id: str, card: str) -> dict[str, Any]:
    """Enters the file into registry.json, replacing an entry of the same id, its companions and variants included.

    Those were made for the weights that are replaced. Returns the entry.
    """
    entry: dict[str, Any] = {
        "id": model_id,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "organs": ORGANS,
        "input": {"name": "frames", "rows": SIZE, "columns": SIZE, "dtype": "float32", "range": [0, 255],
                  "letterbox": {"interpolation": "area", "fill": 0, "centred": True}},
        "output": {"name": "masks", "meaning": "probability of lesion, one channel per organ",
                   "features": list(OUTPUTS[1:])},
        "threshold": THRESHOLD,
        "mirror_from": MIRROR_FROM,
        "min_area_px": 40,
        "precisions": ["fp32"],  # more only after `python -m benchmarks.models` has shown the same Dice
        "opset": OPSET,
        "minimum_runtime": {"onnxruntime": _minor(onnxruntime()), "openvino": _minor(openvino())},
        "licence": LICENCE,
        "card": card,
    }  # fmt: skip
    known = json.loads(registry.read_text(encoding="utf-8"))["models"] if registry.exists() else []
    models = [other for other in known if other["id"] != model_id] + [entry]
    registry.write_text(json.dumps({"version": 1, "models": models}, indent=2) + "\n", encoding="utf-8")
    return entry
