"""The training run: AdamW with one cycle, Dice and cross-entropy on the organ's own output, averaged weights.

Every epoch ends with a checkpoint; a run started again with `resume` continues with the same pictures and rates.
Sources: Smith & Topin, arXiv 1708.07120 (one cycle); Milletari et al., 3DV 2016 (soft Dice); Loshchilov & Hutter,
ICLR 2019 (AdamW).
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.augment import plain
from training.batches import Batch, batches, steps_per_epoch
from training.boundary import boundary_loss
from training.network import ORGANS, SIZE, LesionNet, load_imagenet
from training.samples import Sample


@dataclass(frozen=True)
class Plan:
    """What a run is made of; a checkpoint continues only under the same plan."""

    epochs: int = 13
    batch: int = 16
    seed: int = 0
    encoder_rate: float = 6e-4
    decoder_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    average: float = 0.997
    lanes: int = 2  # parts of a batch that are computed side by side, one thread each
    pretrained: bool = True
    shares: tuple[tuple[str, float], ...] = ()  # how often an epoch shows a set, where that differs from SHARES
    without: tuple[str, ...] = ()  # sets of which nothing is seen, so that folds of them can be measured honestly
    encoder: str = "lite2"
    small: int = 0  # epochs at the start in which pictures have SMALL pixels a side: coarse things are learnt cheaply
    suspicion: float = 0.2  # weight of the benign-or-malignant loss beside that of the masks
    boundary: float = 0.0  # weight of the boundary loss beside that of the masks
    thin: float = 0.15  # how often the encoder's last block is left out; earlier ones less


SMALL = 192


def one_cycle(step: int, total: int, warm: float = 0.15) -> float:
    """Factor on the peak rate: cosine up from 1/20 over the first 15 %, cosine down to 1/1000. A pure function."""
    rise = max(1, int(total * warm))
    if step < rise:
        return 0.05 + 0.95 * 0.5 * (1 - math.cos(math.pi * step / rise))
    part = (step - rise) / max(1, total - rise)
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))


def suspicion_loss(logits: Tensor, malignant: Tensor) -> Tensor:
    """Cross-entropy over the pictures of which somebody says what the lesion is; 0 where there is none."""
    known = malignant >= 0
    each = functional.binary_cross_entropy_with_logits(logits, malignant.clamp(min=0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def lesion_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy plus soft Dice per picture on the organ's channel; an empty mask asks for an empty answer."""
    chosen = logits[torch.arange(len(logits)), batch.channel]
    entropy = functional.binary_cross_entropy_with_logits(chosen, batch.masks)
    soft, truth = torch.sigmoid(chosen).flatten(1), batch.masks.flatten(1)
    smooth = 32.0  # pixels: keeps the gradient finite where nothing is to be found
    dice = (2 * (soft * truth).sum(1) + smooth) / (soft.sum(1) + truth.sum(1) + smooth)
    return entropy + (1 - dice).mean()


def average_into(kept: nn.Module, live: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and of the batch statistics, in place."""
    with torch.no_grad():
        for old, new in zip(kept.state_dict().values(), live.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)


def validate(network: nn.Module, samples: list[Sample]) -> dict[str, float]:
    """Mean Dice per set over pictures with a lesion, and the share of pictures without one that stay empty."""
    scores: dict[str, list[float]] = {}
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(samples), 16):
            part = samples[start : start + 16]
            pairs = [plain(sample.image, sample.mask) for sample in part]
            frames = torch.from_numpy(np.stack([picture for picture, _ in pairs])[:, None])
            found = network(frames.contiguous(memory_format=torch.channels_last)).numpy() > 0
            for sample, (_, truth), masks in zip(part, pairs, found, strict=True):
                mask, lesion = masks[ORGANS[sample.organ]], truth > 0
                if lesion.any():
                    dice = 2 * (mask & lesion).sum() / (mask.sum() + lesion.sum())
                    scores.setdefault(sample.set, []).append(float(dice))
                else:
                    scores.setdefault(sample.set + "_empty", []).append(float(mask.sum() < 50))
    return {name: round(float(np.mean(values)), 4) for name, values in sorted(scores.items())}


class Lanes:
    """Gradients of one batch from several threads, each with one part of it and a network that shares the weights.

    Threads inside every operator would wait for each other some thousand times per step: on a machine that does other
    work too, that made a step several times slower; lanes meet once per step. Batch statistics are those of a lane.
    """

    def __init__(self, network: LesionNet, count: int, suspicion: float, boundary: float = 0.0) -> None:
        """suspicion, boundary: weights of these losses beside that of the masks."""
        torch.set_num_threads(1)
        self._suspicion, self._boundary = suspicion, boundary
        self._networks = [network]
        for _ in range(count - 1):
            twin = copy.deepcopy(network)
            for mine, theirs in zip(twin.parameters(), network.parameters(), strict=True):
                mine.data = theirs.data
            self._networks.append(twin)
        self._pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))

    def backward(self, batch: Batch, thin: float, key: tuple[int, int]) -> float:
        """Leaves the mean gradient of the batch in the first network; returns the mean loss.

        thin: see `LesionNet.thin`; key: seed and step, which say what is left out.
        """
        for lane, network in enumerate(self._networks):
            network.train()
            network.thin(np.random.default_rng((*key, lane)), thin)
            network.zero_grad(set_to_none=True)
        losses = list(self._pool.map(self._part, self._networks, batch.split(len(self._networks))))
        first, *others = [list(network.parameters()) for network in self._networks]
        for other in others:
            for mine, theirs in zip(first, other, strict=True):
                if mine.grad is None:  # its block was left out
                    mine.grad = theirs.grad
                elif theirs.grad is not None:
                    mine.grad.add_(theirs.grad)
        return sum(losses)

    def _part(self, network: LesionNet, part: Batch) -> float:
        frames = part.frames.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            seen = network.look(frames)
        loss = lesion_loss(seen.logits, part)
        loss = loss + self._suspicion * suspicion_loss(network.suspicion(seen, part.masks), part.malignant)
        if self._boundary:
            chosen = seen.logits[torch.arange(len(seen.logits)), part.channel]
            loss = loss + self._boundary * boundary_loss(chosen, part.masks)
        loss = loss / len(self._networks)
        loss.backward()
        return float(loss.detach())


class Run:
    """A run in its folder: `last.pt` to go on from, `epoch_NN.pt` with the averaged weights, `history.json`."""

    def __init__(self, plan: Plan, folder: Path, train: list[Sample], validation: list[Sample]) -> None:
        self.plan, self.folder, self.train, self.validation = plan, folder, train, validation
        torch.manual_seed(plan.seed)
        self.live = LesionNet(plan.encoder).to(memory_format=torch.channels_last)
        if plan.pretrained:
            load_imagenet(self.live)
        self.kept = LesionNet(plan.encoder).to(memory_format=torch.channels_last)
        self.kept.load_state_dict(self.live.state_dict())
        encoder = [*self.live.stem.parameters(), *self.live.blocks.parameters()]
        decoder = [*self.live.ups.parameters(), *self.live.head.parameters(), *self.live.malignant.parameters()]
        groups = [_group(encoder, plan.encoder_rate, plan), _group(decoder, plan.decoder_rate, plan)]
        self.optimizer = torch.optim.AdamW([part for group in groups for part in group])
        self.lanes = Lanes(self.live, plan.lanes, plan.suspicion, plan.boundary)
        self.step = 0
        self.epoch = 0
        self.per_epoch = steps_per_epoch(train, plan.batch, dict(plan.shares))
        self.history: list[dict[str, Any]] = []

    def start_from(self, path: Path) -> None:
        """Begins with the averaged weights of a checkpoint instead of ImageNet's: a second, shorter cycle."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for network in (self.live, self.kept):
            network.load_state_dict(state["kept"])
        self.history = state["history"]

    def resume(self) -> bool:
        """Continues from `last.pt`; False when there is none. Raises ValueError under another plan.

        Only the number of epochs may differ: the rest of the cycle is then stretched or cut to end there.
        """
        path = self.folder / "last.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        same = {**asdict(Plan()), **state["plan"], "epochs": self.plan.epochs} == asdict(self.plan)
        if not same or state["per_epoch"] != self.per_epoch:
            raise ValueError(f"{path} was made under another plan: {state['plan']}")
        self.live.load_state_dict(state["live"])
        self.kept.load_state_dict(state["kept"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch, self.history = state["step"], state["epoch"], state["history"]
        return True

    def finish(self, say: Callable[[str], None], until: int | None = None) -> None:
        """Trains up to epoch `until` (default: the plan's last one)."""
        last = self.plan.epochs if until is None else min(until, self.plan.epochs)
        self.folder.mkdir(parents=True, exist_ok=True)
        while self.epoch < last:
            started = time.monotonic()
            loss = self._train_epoch(say)
            self.epoch += 1
            measured = validate(self.kept, self.validation) if self.validation else {}
            seconds = round(time.monotonic() - started)
            self.history.append({"epoch": self.epoch, "loss": loss, "seconds": seconds, "validation": measured})
            self._save()
            say(f"epoch {self.epoch}/{self.plan.epochs} loss {loss:.4f} {seconds} s {json.dumps(measured)}")

    def rates(self) -> list[float]:
        """The rates of the coming step, one per group of parameters."""
        factor = one_cycle(self.step, self.per_epoch * self.plan.epochs)
        return [group["peak"] * factor for group in self.optimizer.param_groups]

    def _train_epoch(self, say: Callable[[str], None]) -> float:
        losses: list[float] = []
        started = time.monotonic()
        side = SMALL if self.epoch < self.plan.small else SIZE
        shares = dict(self.plan.shares)
        for batch in batches(self.train, self.epoch, self.plan.seed, self.plan.batch, shares, side):
            for group, rate in zip(self.optimizer.param_groups, self.rates(), strict=True):
                group["lr"] = rate
            losses.append(self.lanes.backward(batch, self.plan.thin, (self.plan.seed, self.step)))
            nn.utils.clip_grad_norm_(self.live.parameters(), 2.0)
            self.optimizer.step()
            self.step += 1
            average_into(self.kept, self.live, min(self.plan.average, (1 + self.step) / (10 + self.step)))
            if len(losses) % 20 == 0:
                pace = (time.monotonic() - started) / len(losses)
                recent = float(np.mean(losses[-20:]))
                say(f"  step {len(losses)}/{self.per_epoch} loss {recent:.4f} {pace:.2f} s/step")
        return round(float(np.mean(losses)), 5)

    def _save(self) -> None:
        shared = {"plan": asdict(self.plan), "per_epoch": self.per_epoch, "epoch": self.epoch, "history": self.history,
                  "kept": self.kept.state_dict()}  # fmt: skip
        torch.save(shared, self.folder / f"epoch_{self.epoch:02d}.pt")
        more = {"step": self.step, "live": self.live.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(shared | more, self.folder / "last.part")
        (self.folder / "last.part").replace(self.folder / "last.pt")  # a kill while writing leaves the old one
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1) + "\n", encoding="utf-8")


def _group(parameters: list[nn.Parameter], peak: float, plan: Plan) -> list[dict[str, Any]]:
    """Weight decay for kernels, none for norms and biases."""
    kernels = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [
        {"params": kernels, "peak": peak, "lr": peak, "weight_decay": plan.weight_decay},
        {"params": others, "peak": peak, "lr": peak, "weight_decay": 0.0},
    ]
