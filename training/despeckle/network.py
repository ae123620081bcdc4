"""The learned despeckler: a small residual network that names the speckle, and the loss that it is trained with."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

CHANNELS = 32
DILATIONS = (1, 2, 3, 1)
TAU = 0.15
FALLS_FOR = 0.6  # of all steps


class DespeckleNet(nn.Module):
    """Frames (N, 1, rows, columns) float32, 0..255, even sides → the same without speckle; 38,049 parameters.

    What it computes is the speckle, which is taken from the frame. Inside, the picture is halved: a quarter of the
    work, and 34 pixels of sight, several grains of speckle.
    """

    def __init__(self) -> None:
        super().__init__()
        middle: list[nn.Module] = []
        for dilation in DILATIONS:
            middle += [nn.Conv2d(CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation), nn.ReLU(inplace=True)]
        self.first = nn.Conv2d(1, CHANNELS, 4, stride=2, padding=1)
        self.middle = nn.Sequential(nn.ReLU(inplace=True), *middle)
        self.last = nn.ConvTranspose2d(CHANNELS, 1, 4, stride=2, padding=1)
        # training starts near the picture as it is; from exactly there the layers before learn nothing at first
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)

    def forward(self, frames: Tensor) -> Tensor:
        u = frames / 255
        speckle = self.last(self.middle(self.first(u)))
        return (u - speckle).clamp(0, 1) * 255


def truncated_loss(output: Tensor, target: Tensor, tau: float = TAU) -> Tensor:
    """The mean of min(|output − target|, τ), both of any shape in 0..1.

    A pixel that is off by more than τ counts τ and pulls at nothing: wrong targets (motion in an averaged cine,
    structure that a diffusion took away) and structure that looks like speckle do not bend the network.
    """
    return (output - target).abs().clamp(max=tau).mean()


def tau_at(share: float) -> float:
    """The threshold after this share (0..1) of training: falls from 1, which truncates nothing, to TAU.

    From the start at TAU, speckle stronger than that would pull at nothing, and never be learned.
    """
    return max(TAU, 1 - (1 - TAU) * share / FALLS_FOR)


def load_network(path: Path) -> DespeckleNet:
    """The network in an exported file, for a graph that holds it. Raises KeyError for a file of another network."""
    tensors = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(str(path)).graph.initializer}
    network = DespeckleNet()
    # the exporter keeps the parameters' names, behind the name that the network has in its graph
    found = {
        name: torch.from_numpy(next(tensors[key] for key in (name, f"network.{name}") if key in tensors).copy())
        for name in network.state_dict()
        if name in tensors or f"network.{name}" in tensors
    }
    missing = sorted(set(network.state_dict()) - set(found))
    if missing:
        raise KeyError(f"{path} holds no {missing[0]}")
    network.load_state_dict(found)
    return network.eval()
