"""A network that costs next to nothing and always outlines one oval: what a fast GPU would leave to everything else.

It is a real ONNX file with a registry, run by the engine like any other, so that a worker needs no switch for it.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.onnx_bytes import model, node, pictures, tensor

MODEL_ID: Final = "stub-1"
SIDE: Final = 256
ENVIRONMENT: Final = {"SONOVAN_MODELS_PROVIDER": "cpu", "SONOVAN_MODELS_PRECISION": "fp32"}
"""Of a worker that runs it, beside SONOVAN_MODELS_WEIGHTS_DIR: nothing is measured first."""


def write_stub(folder: Path) -> Path:
    """The folder with the file and its registry."""
    folder.mkdir(parents=True, exist_ok=True)
    data = stub()
    (folder / "stub.onnx").write_bytes(data)
    entry = {
        "id": MODEL_ID, "file": "stub.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "organs": {"breast": 0, "thyroid": 1}, "input": {"name": "frames", "rows": SIDE, "columns": SIDE},
        "output": {"name": "masks"}, "threshold": 0.5, "min_area_px": 4, "precisions": ["fp32"],
        "licence": "none", "card": "none",
    }  # fmt: skip
    (folder / "registry.json").write_text(json.dumps({"version": 1, "models": [entry]}), encoding="utf-8")
    return folder


def stub() -> bytes:
    """frames (N, 1, side, side) → masks (N, 2, side, side): .9 in an oval in the middle, .05 elsewhere."""
    row, column = np.ogrid[:SIDE, :SIDE]
    oval = ((row - SIDE / 2) / 30) ** 2 + ((column - SIDE / 2) / 50) ** 2 < 1
    shown = np.broadcast_to(np.where(oval, np.float32(0.9), np.float32(0.05)), (1, 2, SIDE, SIDE))
    nodes = [node("Mul", ["frames", "nothing"], "black"), node("Max", ["black", "shown"], "masks")]
    constants = [tensor("nothing", np.zeros((), np.float32)), tensor("shown", shown)]
    return model("stub", nodes, constants, [pictures("frames", 1, SIDE)], [pictures("masks", 2, SIDE)])
