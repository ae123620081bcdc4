"""Despeckling as the layer that an exporter puts before a network.

layer = in_graph("diffusion", steps=6)     # or "learned", "none"
graph = nn.Sequential(layer, network)       # both take frames (N, 1, rows, columns) float32, 0..255
"""

from pathlib import Path
from typing import Literal

from torch import nn

from sonovan.models.despeckle.diffusion import GRAPH_STEPS, Diffusion
from sonovan.models.registry import WEIGHTS_DIR
from training.despeckle.diffusion import DiffusionLayer
from training.despeckle.network import load_network

InGraph = Literal["none", "diffusion", "learned"]


def in_graph(
    method: InGraph, steps: int = GRAPH_STEPS, plan: Diffusion | None = None, weights: Path = WEIGHTS_DIR
) -> nn.Module:
    """The layer that an exporter puts before a network: (N, 1, rows, columns) float32, 0..255 in and out.

    method: `none` passes frames on as they are. steps, plan: of the diffusion; None is the default for B-mode.
    weights: the folder of `despeckle-1.onnx`, whose parameters the layer of `learned` takes; its sides must be even.
    Raises ValueError for another method.
    """
    if method == "none":
        return nn.Identity()
    if method == "diffusion":
        return DiffusionLayer(plan or Diffusion(), steps)
    if method == "learned":
        return load_network(weights / "despeckle-1.onnx")
    raise ValueError(f"no layer despeckles by {method!r}; there are none, diffusion and learned")
