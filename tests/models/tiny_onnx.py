"""A real ONNX file of five nodes: probability = grey / 255 for breast, its complement for thyroid.

So tests know what any picture must give, whatever the shipped weights have learnt.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from benchmarks.onnx_bytes import field, model, node, number, operands, pictures, tensor

MODEL_ID = "tiny-1"


def tiny_model(side: int) -> bytes:
    """frames (N, 1, side, side) 0..255 → masks (N, 2, side, side): grey / 255 and 1 - grey / 255."""
    axis = field(5, field(1, "axis") + number(3, 1) + number(20, 2))
    nodes = [
        node("Mul", ["frames", "share"], "bright"),
        node("Sub", ["one", "bright"], "dark"),
        node("Concat", ["bright", "dark"], "masks", axis),
    ]
    constants = [tensor(name, np.array(value, np.float32)) for name, value in (("share", 1 / 255), ("one", 1.0))]
    return model("tiny", nodes, constants, [pictures("frames", 1, side)], [pictures("masks", 2, side)])


def write_weights(
    folder: Path,
    *,
    side: int = 224,
    precisions: tuple[str, ...] = ("fp32", "bf16"),
    variants: tuple[str, ...] = (),
) -> Path:
    """A weights folder with this model and its registry.

    variants: precisions with a file of their own, in which the two channels are swapped: so tests see which file ran.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = tiny_model(side)
    (folder / "tiny.onnx").write_bytes(data)
    swapped = data.replace(operands("bright", "dark"), operands("dark", "bright"))
    for precision in variants:
        (folder / f"tiny-{precision}.onnx").write_bytes(swapped)
    entry = {
        "id": MODEL_ID, "file": "tiny.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "organs": {"breast": 0, "thyroid": 1}, "input": {"name": "frames", "rows": side, "columns": side},
        "output": {"name": "masks"}, "threshold": 0.5, "min_area_px": 4, "precisions": precisions,
        "variants": {
            precision: {"file": f"tiny-{precision}.onnx", "sha256": hashlib.sha256(swapped).hexdigest()}
            for precision in variants
        },
        "licence": "test", "card": "none.md",
    }  # fmt: skip
    (folder / "registry.json").write_text(json.dumps({"version": 1, "models": [entry]}), encoding="utf-8")
    return folder
