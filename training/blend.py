"""The mean of several checkpoints' weights: better on women not seen than any of them, at the cost of one.

Only for runs of which one began with the other's weights: others lie in different valleys, and their mean between them.
Source: Wortsman et al., ICML 2022 (arXiv 2203.05482, "model soups").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def blend(checkpoints: Sequence[Path], out: Path) -> None:
    """Writes a checkpoint with the mean of the averaged weights, batch statistics included.

    Plan, epoch and history are those of the last checkpoint, but for the sets that none of them has seen. Raises
    ValueError when fewer than two are given, or their encoders differ.
    """
    if len(checkpoints) < 2:
        raise ValueError("a blend needs two checkpoints at least")
    states: list[dict[str, Any]] = [torch.load(path, map_location="cpu", weights_only=True) for path in checkpoints]
    *_, last = states
    for path, state in zip(checkpoints, states, strict=True):
        if state["plan"]["encoder"] != last["plan"]["encoder"]:
            names = f"{state['plan']['encoder']}, {checkpoints[-1]} {last['plan']['encoder']}"
            raise ValueError(f"a blend needs one encoder; {path} has {names}")
    unseen = tuple(name for name in last["plan"]["without"] if all(name in s["plan"]["without"] for s in states))
    kept = {name: _mean([state["kept"][name] for state in states]) for name in last["kept"]}
    shared = {key: last[key] for key in ("per_epoch", "epoch", "history")}
    shared["plan"] = last["plan"] | {"without": unseen}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(shared | {"kept": kept}, out)


def _mean(tensors: list[Tensor]) -> Tensor:
    """Counters are not averaged: the last one's."""
    last = tensors[-1]
    return torch.stack(tensors).mean(0) if last.dtype.is_floating_point else last
