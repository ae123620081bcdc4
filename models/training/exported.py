"""What an exported file computes: despeckling where it is on, then the mean of the network over several looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.network import SIZE, LesionNet

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """One way to look at a picture: resampled to `side` pixels, mirrored or not."""

    side: int = SIZE
    mirrored: bool = False


OUTPUTS = ("masks", "deep", "fine", "edge")
LOOKS = (Look(), Look(mirrored=True))


class Graph(nn.Module):
    """Grey 0..255 (N, 1, 256, 256) float32 → probabilities (N, 2, 256, 256), and features.

    The masks are the mean over `looks`; the features are those of the first one, which is the picture as it is.
    """

    def __init__(self, network: LesionNet, looks: tuple[Look, ...] = LOOKS, despeckle: nn.Module | None = None) -> None:
        """despeckle: a layer from frames to frames, see `models.training.despeckle.layers.in_graph`.

        Raises ValueError when the first look changes the picture, or a side is not a multiple of 32.
        """
        super().__init__()
        if not looks or looks[0] != Look() or any(look.side % 32 for look in looks):
            raise ValueError(f"the first look is the picture as it is, and sides are multiples of 32: {looks}")
        self.network, self.looks, self.despeckle = network, looks, despeckle
        for side in {look.side for look in looks} - {SIZE}:
            self.register_buffer(f"to_{side}", torch.from_numpy(resampling(SIZE, side)), persistent=False)
            self.register_buffer(f"from_{side}", torch.from_numpy(resampling(side, SIZE)), persistent=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.despeckle is not None:
            frames = self.despeckle(frames)
        seen = self.network.look(frames)
        masks = torch.sigmoid(seen.logits)
        for look in self.looks[1:]:
            masks = masks + self._masks(frames, look)
        return masks / len(self.looks), seen.deep, seen.fine, seen.edge

    def _masks(self, frames: Tensor, look: Look) -> Tensor:
        if look.side != SIZE:
            to = getattr(self, f"to_{look.side}")
            frames = to @ (frames @ to.T)
        if look.mirrored:
            frames = frames.flip(3)
        masks = torch.sigmoid(self.network(frames))
        if look.mirrored:
            masks = masks.flip(3)
        if look.side != SIZE:
            back = getattr(self, f"from_{look.side}")
            masks = back @ (masks @ back.T)
        return masks


def resampling(have: int, want: int) -> Matrix:
    """(want, have) float32: linear interpolation between centres of pixels, with a wider tent where it shrinks.

    A product of small matrices is the same to the last bit of float32 on every runtime, and faster than a `Resize`.
    Rows add up to 1.
    """
    scale = have / want
    reach = max(1.0, scale)
    centres = (np.arange(want) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(have)[None] - np.clip(centres, 0, have - 1)[:, None])
    weights = np.clip(1 - distance / reach, 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
