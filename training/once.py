"""A registered network whose files look at the mirror image by themselves, as one that the engine shows it to.

Files that were exported before the registry had `mirror_from` hold the network twice, for the picture and for its
mirror image, and compute both for every frame. What they make of the picture itself stays as it is; nothing is trained
or calibrated again. Companions read features, which were the picture's own before, so they stay as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx

from sonovan.models.errors import WrongWeights
from sonovan.models.registry import read_registry, read_variants, read_weights
from training.export import MIRROR_FROM
from training.graphs import first_look


def look_once(weights: Path, model: str | None, say: Callable[[str], None]) -> None:
    """Writes a network's files again with the picture's pass alone, and `mirror_from` into its entry.

    weights: the registry's folder. Precisions other than float32 are no longer allowed until `python -m
    benchmarks.models --register` has measured the new files. Raises WrongWeights where a file is not what the registry
    names, or looks once already; nothing is written then.
    """
    entry = read_registry(weights).entry(model)
    files = {entry.file: read_weights(entry, weights)}
    files |= {entry.variants[name].file: data for name, data in read_variants(entry, weights).items()}
    written = {name: _once(name, data) for name, data in files.items()}
    path = weights / "registry.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    row = next(each for each in document["models"] if each["id"] == entry.id)
    row |= {"mirror_from": MIRROR_FROM, "precisions": ["fp32"], "refused": []}
    for one in (row, *row.get("variants", {}).values()):
        one["sha256"] = hashlib.sha256(written[one["file"]]).hexdigest()
    for name, data in written.items():
        (weights / name).write_bytes(data)
        say(f"{weights / name}: {len(files[name]) / 1e6:.1f} MB, now {len(data) / 1e6:.1f}")
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _once(name: str, data: bytes) -> bytes:
    graph = onnx.load_from_string(data)
    try:
        first_look(graph)
    except ValueError as error:
        raise WrongWeights(f"{name}: {error}") from None
    onnx.checker.check_model(graph, full_check=True)
    return bytes(graph.SerializeToString())
