"""Training of the learned despeckler: minutes on one core, resumable, then the exported file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx
import torch

from sonovan.models.despeckle.simulated import Gray
from training.despeckle.network import DespeckleNet, tau_at, truncated_loss
from training.despeckle.pairs import draw

OPSET = 17
MODEL_ID = "despeckle-1"
KEEP_EVERY = 100


@dataclass(frozen=True)
class Plan:
    """How it is trained: AdamW, the rate falls from `rate` to nothing along a cosine."""

    steps: int = 2000
    batch: int = 8
    rate: float = 3e-3
    seed: int = 0


def train(
    plan: Plan, pool: list[Gray], out: Path, resume: bool, say: Callable[[str], None], keep_every: int = KEEP_EVERY
) -> DespeckleNet:
    """Trains, or goes on from `out/last.pt`; a resumed run draws the batches that an uninterrupted one draws.

    pool: clean pictures of at least 64×64. keep_every: steps between checkpoints, each followed by a line to `say`.

    Raises FileNotFoundError when there is nothing to resume, ValueError when it was begun with another plan.
    """
    torch.manual_seed(plan.seed)
    network = DespeckleNet()
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    first = 0
    file = out / "last.pt"
    if resume:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        if state["plan"] != asdict(plan):
            raise ValueError(f"{file} was begun with {state['plan']}, not {asdict(plan)}")
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["step"]
    out.mkdir(parents=True, exist_ok=True)
    began, total = time.monotonic(), 0.0
    for step in range(first, plan.steps):
        noisy, clean = draw(pool, plan.seed, step, plan.batch)
        loss = truncated_loss(network(noisy) / 255, clean / 255, tau_at(step / plan.steps))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if (step + 1) % keep_every == 0 or step + 1 == plan.steps:
            _keep(file, plan, network, optimiser, schedule, step + 1)
            say(f"step {step + 1} loss {total / (step % keep_every + 1):.5f} {time.monotonic() - began:.0f} s")
            total = 0.0
    return network.eval()


def _keep(file: Path, plan: Plan, network: Any, optimiser: Any, schedule: Any, step: int) -> None:
    parts = {"network": network, "optimiser": optimiser, "schedule": schedule}
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save(state | {"plan": asdict(plan), "step": step}, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)


def export(network: DespeckleNet, file: Path) -> str:
    """Writes frames (N, 1, rows, columns) 0..255 → clean, of the same shape, as ONNX. Returns the file's sha256."""
    file.parent.mkdir(parents=True, exist_ok=True)
    axes = {0: "batch", 2: "rows", 3: "columns"}
    torch.onnx.export(
        network, (torch.rand(1, 1, 64, 64) * 255,), str(file), input_names=["frames"], output_names=["clean"],
        opset_version=OPSET, dynamic_axes={"frames": axes, "clean": axes}, dynamo=False, do_constant_folding=True,
    )  # fmt: skip
    model = onnx.load(str(file))
    model.producer_name, model.producer_version = "sonovan", MODEL_ID
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(file))
    return hashlib.sha256(file.read_bytes()).hexdigest()
