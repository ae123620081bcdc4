"""Diffusion of `sonovan.models.despeckle.diffusion` as a layer: a fixed number of steps, so that it fits a graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonovan.models.despeckle.diffusion import Diffusion, gaussian_kernel


class DiffusionLayer(nn.Module):
    """Frames (N, 1, rows, columns) float32, 0..255 → the same, diffused for `steps`; nothing in it is trained.

    Equal to `diffuse(frame / 255, plan, steps)` within 1e-3 of the range 0..1. The discrepancy rule is not in it: how
    many steps a frame takes would have to be a loop that depends on the data.
    Raises ValueError for a negative number of steps.
    """

    def __init__(self, plan: Diffusion, steps: int) -> None:
        super().__init__()
        if steps < 0:
            raise ValueError(f"a graph cannot diffuse for {steps} steps")
        self.plan, self.steps = plan, steps
        taps = torch.from_numpy(gaussian_kernel(plan.sigma))
        self.reach = len(taps) // 2
        self.register_buffer("taps", taps, persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        u = frames / 255
        brightest = self._blur(u).amax(dim=(2, 3), keepdim=True).clamp(min=1e-6)
        for _ in range(self.steps):
            u = self._step(u, brightest)
        return u * 255

    def _step(self, u: Tensor, brightest: Tensor) -> Tensor:
        c = self._conductivity(self._blur(u), brightest)
        down = 0.5 * (c[:, :, 1:] + c[:, :, :-1]) * (u[:, :, 1:] - u[:, :, :-1])
        across = 0.5 * (c[..., 1:] + c[..., :-1]) * (u[..., 1:] - u[..., :-1])
        # a border without flux is a zero before the first face and after the last
        down, across = functional.pad(down, (0, 0, 1, 1)), functional.pad(across, (1, 1, 0, 0))
        change = down[:, :, 1:] - down[:, :, :-1] + across[..., 1:] - across[..., :-1]
        return u + self.plan.step * change

    def _conductivity(self, smooth: Tensor, brightest: Tensor) -> Tensor:
        plan = self.plan
        edge = functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
        slope_x = 0.5 * (edge[:, :, 1:-1, 2:] - edge[:, :, 1:-1, :-2])
        slope_y = 0.5 * (edge[:, :, 2:, 1:-1] - edge[:, :, :-2, 1:-1])
        base = 1 + (slope_x * slope_x + slope_y * slope_y) * (1 / plan.edge**2)
        level = (smooth / brightest).clamp(0, 1)
        if plan.direction == "against":
            level = 1 - level
        if plan.alpha != 1:
            level = level**plan.alpha
        grey = 2 * level / (1 + level)
        c = torch.exp(torch.log(base) * (grey / base - 1) * 0.5)
        return grey * c if plan.noise == "gamma" else c

    def _blur(self, u: Tensor) -> Tensor:
        r = self.reach
        rows = functional.conv2d(functional.pad(u, (0, 0, r, r), mode="replicate"), self.taps[None, None, :, None])
        return functional.conv2d(functional.pad(rows, (r, r, 0, 0), mode="replicate"), self.taps[None, None, None, :])
