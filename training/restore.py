"""A network that can be trained again, from the file that was shipped: its checkpoint may be lost.

The exporter folds every norm into the convolution before it, so that what the file holds is their product. The norms
come back by measure: pictures go through the network, and each channel's mean and variance before its norm become the
norm's statistics. Kernels get the length that they had before any training, and each norm's own factor takes the rest:
what the network computes stays the same. What the file never held is new: the heads that only training reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sonovan.models.errors import WrongWeights
from sonovan.models.evaluation.index import SETS, read_rows
from training.export import differences
from training.exported import Graph
from training.graphs import looks, whole
from training.loop import Plan
from training.network import SIZE, LesionNet, load_imagenet
from training.samples import load

AGREEMENT = 1e-4
"""How far probabilities and features may lie from the file's, as `export.differences` measures."""
EVERY = 12
"""One training picture of so many measures the norms: some 200."""


def restore(path: Path, encoder: str = "lite2") -> LesionNet:
    """The network in a file that `export` wrote, with norms that pass everything through.

    Raises WrongWeights where a kernel is absent or has another shape.
    """
    model = onnx.load(str(path))
    whole(model)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    kernels: dict[str, list[NDArray[np.float32]]] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":  # a mirror image's pass comes second, with the same constants
            kernels.setdefault(_place(node.name), [stored[name] for name in node.input[1:]])
    network = LesionNet(encoder)
    for name, convolution, norm in pairs(network):
        try:
            weight, bias = (torch.from_numpy(np.array(array, np.float32)) for array in kernels[name])
        except (KeyError, ValueError):
            raise WrongWeights(f"{path} holds no kernel and bias for {name} of {encoder}") from None
        if weight.shape != convolution.weight.shape:
            raise WrongWeights(f"{path}: {name} is {tuple(weight.shape)}, not {tuple(convolution.weight.shape)}")
        with torch.no_grad():
            convolution.weight.copy_(weight)
            if norm is None:
                convolution.bias.copy_(bias)
            else:
                one = torch.ones_like(bias)
                _become(norm, torch.zeros_like(bias), one, (one + norm.eps).sqrt(), bias)
    return network.eval()


def measure_norms(network: LesionNet, batches: Sequence[Tensor], like: LesionNet) -> None:
    """Gives every norm the statistics of what it sees of `batches`, each (N, 1, H, W); the outputs stay as they are.

    like: a network before training; each kernel gets the length that it has there, so that rates mean what they meant.
    """
    seen = _statistics(network, batches)
    with torch.no_grad():
        for (name, convolution, norm), (_, before, _) in zip(pairs(network), pairs(like), strict=True):
            if norm is None:
                continue
            mean, variance = seen[name]
            length, wanted = (_lengths(kernels.weight) for kernels in (convolution, before))
            scale = torch.where((length > 0) & (wanted > 0), length / wanted, torch.ones_like(length))
            factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            shift = norm.bias.double() - norm.running_mean.double() * factor  # y = factor · x + shift, as it stands
            convolution.weight.copy_((convolution.weight.double() / scale[:, None, None, None]).float())
            variance = variance / scale**2
            _become(norm, mean / scale, variance, factor * scale * (variance + norm.eps).sqrt(), shift + factor * mean)


def _statistics(network: LesionNet, batches: Sequence[Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and variance of each channel before its norm, by the convolution's name; float64."""
    sums: dict[str, Tensor] = {}
    hooks: list[RemovableHandle] = []

    def watch(name: str, convolution: nn.Conv2d) -> None:
        def add(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            mean = output.mean((0, 2, 3)).double()
            part = torch.stack([mean, output.square().mean((0, 2, 3)).double(), torch.ones_like(mean)])
            sums[name] = sums[name] + part * len(output) if name in sums else part * len(output)

        hooks.append(convolution.register_forward_hook(add))

    for name, convolution, norm in pairs(network):
        if norm is not None:
            watch(name, convolution)
    network.eval()
    with torch.inference_mode():
        for frames in batches:
            network.look(frames)
    for hook in hooks:
        hook.remove()
    found = {name: (total / count, squares / count) for name, (total, squares, count) in sums.items()}
    return {name: (mean, (squares - mean * mean).clamp(min=0)) for name, (mean, squares) in found.items()}


def _lengths(kernels: Tensor) -> Tensor:
    return kernels.double().flatten(1).norm(dim=1)


def pairs(network: LesionNet) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d | None]]:
    """Every convolution that the file holds, by its name, with the norm behind it; the last has none."""
    modules = dict(network.named_modules())
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d) and (name == "head" or "." in name):
            parent, _, number = name.rpartition(".")
            norm = modules[f"{parent}.{int(number) + 1}"] if number.isdigit() else None
            yield name, module, norm if isinstance(norm, nn.BatchNorm2d) else None


def checkpoint(path: Path, data: Path, out: Path) -> dict[str, float]:
    """Writes a checkpoint with which `refine --start` begins, from a shipped file.

    Norms are measured on training pictures. Returns how far it is from the file, as `check` does. Raises WrongWeights
    as `restore` and `check` do.
    """
    network = restore(path)
    rows = [row for name in SETS for row in read_rows(data, name, "train")[::EVERY]]
    frames = torch.from_numpy(np.stack([sample.image for sample in load(rows, SIZE)])[:, None].astype(np.float32))
    torch.manual_seed(0)
    before = LesionNet(network.encoder)
    load_imagenet(before)
    measure_norms(network, frames.split(16), before)
    far = check(network, path)
    plan = asdict(Plan(encoder=network.encoder, pretrained=False))
    told = {"restored_from": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    state = {"plan": plan, "per_epoch": 0, "epoch": 0, "history": [told], "kept": network.state_dict()}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, out)
    return far


def check(network: LesionNet, path: Path) -> dict[str, float]:
    """`export.differences` from the file. Raises WrongWeights where one is larger than AGREEMENT."""
    found = differences(Graph(network, both_ways=looks(onnx.load(str(path))) == 2).eval(), path)
    for runtime, difference in found.items():
        if not difference <= AGREEMENT:
            raise WrongWeights(f"{path} under {runtime} differs from the network restored by {difference:.1e}")
    return found


def _place(name: str) -> str:
    """`/blocks.3/expand/expand.0/Conv` → `blocks.3.expand.0`: a node's module, as torch names it."""
    parts = [part for part in name.split("/") if part and part != "network"][:-1]
    kept = [part for part, after in zip(parts, [*parts[1:], ""], strict=True) if not after.startswith(f"{part}.")]
    return ".".join(kept)


def _become(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor) -> None:
    for old, new in zip((norm.running_mean, norm.running_var, norm.weight, norm.bias), (mean, variance, weight, bias),
                        strict=True):  # fmt: skip
        old.copy_(new)
