"""The training run: AdamW with one cycle, Dice and cross-entropy on the organ's own output, averaged weights.

Every epoch ends with a checkpoint, and every few minutes leave one; a run started again with `resume` continues with
the same pictures and rates.
Sources: Smith & Topin, arXiv 1708.07120 (one cycle); Loshchilov & Hutter, ICLR 2019 (AdamW).
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
from numpy.typing import NDArray
from torch import nn

from sonovan.models.evaluation.index import FOREIGN
from training.augment import plain
from training.batches import Batch, Chances, batches, order, steps_per_epoch
from training.boundary import boundary_loss
from training.losses import gland_loss, lesion_losses, presence_loss, suspicion_loss
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
    gland: float = 0.0  # weight of the loss of where the thyroid is
    present: float = 0.0  # weight of the loss of whether there is any lesion
    misses: float = 0.0  # how much more pictures weigh that are wrong as a whole
    close: float = 0.0  # how often a picture is seen from near
    paste: float = 0.0  # how often another woman's lesion is pasted into a picture
    levels: bool = False  # whether pictures take over each other's grey levels
    hard: float = 0.0  # share of the pictures, those that were the most wrong, that an epoch shows once more
    held: int = 0  # blocks at the start of the encoder that stay as they are
    frozen: bool = False  # norms keep their statistics


SMALL = 192
SAVE_S = 300.0
"""Seconds after which a run that is cut off would lose too much."""


def one_cycle(step: int, total: int, warm: float = 0.15) -> float:
    """Factor on the peak rate: cosine up from 1/20 over the first 15 %, cosine down to 1/1000. A pure function."""
    rise = max(1, int(total * warm))
    if step < rise:
        return 0.05 + 0.95 * 0.5 * (1 - math.cos(math.pi * step / rise))
    part = (step - rise) / max(1, total - rise)
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))


def average_into(kept: nn.Module, live: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and of the batch statistics, in place."""
    with torch.no_grad():
        for old, new in zip(kept.state_dict().values(), live.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)


FOUND_IOU = 0.1
"""From here on a lesion counts as met, as in `sonovan.models.evaluation.measures`; here, all of a picture's at once."""


def validate(network: nn.Module, samples: list[Sample], threshold: float = 0.4) -> dict[str, float]:
    """Per set: mean Dice over pictures with a lesion, the share of these that are met at all (`SET_found`), and the
    share of pictures without one that stay empty (`SET_empty`; of foreign ones, by organ).
    """
    scores: dict[str, list[float]] = {}
    network.eval()
    level = math.log(threshold / (1 - threshold))
    with torch.inference_mode():
        for start in range(0, len(samples), 16):
            part = samples[start : start + 16]
            pairs = [plain(sample.image, sample.mask) for sample in part]
            frames = torch.from_numpy(np.stack([picture for picture, _ in pairs])[:, None])
            found = network(frames.contiguous(memory_format=torch.channels_last)).numpy() > level
            for sample, (_, truth), masks in zip(part, pairs, found, strict=True):
                mask, lesion = masks[ORGANS[sample.organ]], truth > 0
                if lesion.any():
                    met, either = float((mask & lesion).sum()), float((mask | lesion).sum())
                    scores.setdefault(sample.set, []).append(2 * met / (met + either))
                    scores.setdefault(f"{sample.set}_found", []).append(float(met / either >= FOUND_IOU))
                else:
                    name = f"{FOREIGN}_{sample.organ}" if sample.set == FOREIGN else sample.set
                    scores.setdefault(f"{name}_empty", []).append(float(mask.sum() < 50))
    return {name: round(float(np.mean(values)), 4) for name, values in sorted(scores.items())}


NATIVE_BF16 = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
"""Elsewhere bfloat16 is imitated, at several times the cost of float32."""


class Lanes:
    """Gradients of one batch from several threads, each with one part of it and a network that shares the weights.

    Threads inside every operator would wait for each other some thousand times per step: on a machine that does other
    work too, that made a step several times slower; lanes meet once per step. Batch statistics are those of a lane.
    """

    def __init__(self, network: LesionNet, count: int, plan: Plan) -> None:
        """plan: says what the losses beside that of the masks weigh."""
        torch.set_num_threads(1)
        self._plan = plan
        self._networks = [network]
        for _ in range(count - 1):
            twin = copy.deepcopy(network)
            for mine, theirs in zip(twin.parameters(), network.parameters(), strict=True):
                mine.data = theirs.data
            if plan.frozen:  # else each lane counts for itself
                for mine, theirs in zip(twin.buffers(), network.buffers(), strict=True):
                    mine.data = theirs.data
            self._networks.append(twin)
        self._pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))

    def backward(self, batch: Batch, key: tuple[int, int]) -> tuple[float, NDArray[np.float32]]:
        """Leaves the mean gradient of the batch in the first network; returns the mean loss, and how wrong each was.

        key: seed and step, which say what `LesionNet.thin` leaves out.
        """
        for lane, network in enumerate(self._networks):
            network.train()
            network.thin(np.random.default_rng((*key, lane)), self._plan.thin)
            network.zero_grad(set_to_none=True)
        losses = list(self._pool.map(self._part, self._networks, batch.split(len(self._networks))))
        first, *others = [list(network.parameters()) for network in self._networks]
        for other in others:
            for mine, theirs in zip(first, other, strict=True):
                if mine.grad is None:  # its block was left out
                    mine.grad = theirs.grad
                elif theirs.grad is not None:
                    mine.grad.add_(theirs.grad)
        return sum(loss for loss, _ in losses), np.concatenate([wrong for _, wrong in losses])

    def _part(self, network: LesionNet, part: Batch) -> tuple[float, NDArray[np.float32]]:
        plan = self._plan
        frames = part.frames.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=NATIVE_BF16):
            seen = network.look(frames)
        each, wrong = lesion_losses(seen.logits, part, plan.misses)
        loss = each.mean() + plan.suspicion * suspicion_loss(network.suspicion(seen, part.masks), part.malignant)
        if plan.gland:
            loss = loss + plan.gland * gland_loss(network.thyroid(seen), part.gland)
        if plan.present:
            loss = loss + plan.present * presence_loss(network.presence(seen), part)
        if plan.boundary:
            chosen = seen.logits[torch.arange(len(seen.logits)), part.channel]
            loss = loss + plan.boundary * boundary_loss(chosen, part.masks)
        loss = loss / len(self._networks)
        loss.backward()
        return float(loss.detach()), wrong.numpy()


class Run:
    """A run in its folder: `last.pt` to go on from, `epoch_NN.pt` with the averaged weights, `history.json`."""

    def __init__(
        self, plan: Plan, folder: Path, train: list[Sample], validation: list[Sample], pause: Path | None = None
    ) -> None:
        """pause: a file; for as long as it is there, the run waits between two batches."""
        self.pause = pause
        self.plan, self.folder, self.train, self.validation = plan, folder, train, validation
        torch.manual_seed(plan.seed)
        self.live = LesionNet(plan.encoder).to(memory_format=torch.channels_last)
        if plan.pretrained:
            load_imagenet(self.live)
        self.kept = LesionNet(plan.encoder).to(memory_format=torch.channels_last)
        self.kept.load_state_dict(self.live.state_dict())
        self.live.held = plan.held
        if plan.frozen:
            self.live.freeze_norms()
        encoder = [*self.live.stem.parameters(), *self.live.blocks.parameters()]
        known = {id(parameter) for parameter in encoder}
        decoder = [parameter for parameter in self.live.parameters() if id(parameter) not in known]
        groups = [_group(encoder, plan.encoder_rate, plan), _group(decoder, plan.decoder_rate, plan)]
        self.optimizer = torch.optim.AdamW([part for group in groups for part in group])
        self.lanes = Lanes(self.live, plan.lanes, plan)
        self.wrong = np.full(len(train), -1, np.float32)  # how wrong each sample was lately; -1: not seen yet
        self.step = 0
        self.epoch = 0
        self.shown: list[int] = []  # the samples of the epoch that has begun
        self.losses: list[float] = []  # of its batches so far
        self.per_epoch = steps_per_epoch(train, plan.batch, dict(plan.shares))
        self.history: list[dict[str, Any]] = []

    def start_from(self, path: Path) -> None:
        """Begins with the averaged weights of a checkpoint instead of ImageNet's: a second, shorter cycle."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for network in (self.live, self.kept):
            network.load_state_dict(state["kept"])
        self.history = list(state["history"])
        if self.validation:
            self.history.append({"epoch": 0, "validation": validate(self.kept, self.validation)})

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
        self.wrong = state["wrong"].numpy()
        self.shown, self.losses = state["shown"], state["losses"]
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
            self._keep()
            say(f"epoch {self.epoch}/{self.plan.epochs} loss {loss:.4f} {seconds} s {json.dumps(measured)}")

    def rates(self) -> list[float]:
        """The rates of the coming step, one per group of parameters."""
        factor = one_cycle(self.step, self.per_epoch * self.plan.epochs)
        return [group["peak"] * factor for group in self.optimizer.param_groups]

    def _train_epoch(self, say: Callable[[str], None]) -> float:
        plan, losses = self.plan, self.losses
        before, started, saved = len(losses), time.monotonic(), time.monotonic()
        side = SMALL if self.epoch < plan.small else SIZE
        if not self.shown:
            chosen = order(self.train, self.epoch, plan.seed, dict(plan.shares), self.hardest())
            self.shown = chosen[: self.per_epoch * plan.batch]  # what is hard takes the place of as many others
        chances = Chances(plan.close, plan.paste, plan.levels)
        for batch in batches(self.train, self.shown, (plan.seed, self.epoch), plan.batch, side, chances, before):
            self._wait()
            for group, rate in zip(self.optimizer.param_groups, self.rates(), strict=True):
                group["lr"] = rate
            loss, wrong = self.lanes.backward(batch, (plan.seed, self.step))
            losses.append(loss)
            self._remember(batch.index.numpy(), wrong)
            nn.utils.clip_grad_norm_(self.live.parameters(), 2.0)
            self.optimizer.step()
            self.step += 1
            average_into(self.kept, self.live, min(plan.average, (1 + self.step) / (10 + self.step)))
            if len(losses) % 20 == 0:
                pace = (time.monotonic() - started) / (len(losses) - before)
                recent = float(np.mean(losses[-20:]))
                say(f"  step {len(losses)}/{self.per_epoch} loss {recent:.4f} {pace:.2f} s/step")
            if time.monotonic() - saved > SAVE_S:
                self._save()
                saved = time.monotonic()
        self.shown, self.losses = [], []
        return round(float(np.mean(losses)), 5)

    def hardest(self) -> list[int]:
        """The samples that were the most wrong lately, as many as the plan shows once more."""
        count = round(self.plan.hard * len(self.train))
        ranked = np.argsort(-self.wrong, kind="stable")[:count]
        return [int(index) for index in ranked if self.wrong[index] > 0]

    def _remember(self, indices: NDArray[np.int64], wrong: NDArray[np.float32]) -> None:
        for index, now in zip(indices, wrong, strict=True):
            before = self.wrong[index]
            self.wrong[index] = now if before < 0 else 0.5 * before + 0.5 * now

    def _wait(self) -> None:
        while self.pause is not None and self.pause.exists():
            time.sleep(1)

    def _state(self) -> dict[str, Any]:
        return {"plan": asdict(self.plan), "per_epoch": self.per_epoch, "epoch": self.epoch, "history": self.history,
                "kept": self.kept.state_dict()}  # fmt: skip

    def _keep(self) -> None:
        """What others start from: the averaged weights of an epoch that is over."""
        torch.save(self._state(), self.folder / f"epoch_{self.epoch:02d}.pt")
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1) + "\n", encoding="utf-8")

    def _save(self) -> None:
        """What this run goes on from, in the middle of an epoch, too."""
        more = {"step": self.step, "live": self.live.state_dict(), "optimizer": self.optimizer.state_dict(),
                "wrong": torch.from_numpy(self.wrong), "shown": self.shown, "losses": self.losses}  # fmt: skip
        torch.save(self._state() | more, self.folder / "last.part")
        (self.folder / "last.part").replace(self.folder / "last.pt")  # a kill while writing leaves the old one


def _group(parameters: list[nn.Parameter], peak: float, plan: Plan) -> list[dict[str, Any]]:
    """Weight decay for kernels, none for norms and biases."""
    kernels = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [
        {"params": kernels, "peak": peak, "lr": peak, "weight_decay": plan.weight_decay},
        {"params": others, "peak": peak, "lr": peak, "weight_decay": 0.0},
    ]
