"""What an exported file computes: despeckling where it is on, then the network; the engine shows it mirror images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.network import LesionNet

OUTPUTS = ("masks", "deep", "fine", "edge")


class Graph(nn.Module):
    """Grey 0..255 (N, 1, 256, 256) float32 → probabilities (N, 2, 256, 256), and features."""

    def __init__(self, network: LesionNet, *, both_ways: bool = False, despeckle: nn.Module | None = None) -> None:
        """both_ways: the masks are the mean of the picture's and its mirror image's, always and for twice the time, as
        in files from before `mirror_from` stood in the registry.

        despeckle: a layer from frames to frames, see `training.despeckle.layers.in_graph`.
        """
        super().__init__()
        self.network, self.both_ways, self.despeckle = network, both_ways, despeckle

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.despeckle is not None:
            frames = self.despeckle(frames)
        seen = self.network.look(frames)
        masks = torch.sigmoid(seen.logits)
        if self.both_ways:
            masks = (masks + torch.sigmoid(self.network(frames.flip(3))).flip(3)) / 2
        return masks, seen.deep, seen.fine, seen.edge
