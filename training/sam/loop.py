"""Training of the prompt decoder: a simulated reader prompts, sees the mask, corrects it, and again.

Losses as in SAM (Kirillov et al. 2023, appendix A): Dice and cross-entropy of the mask, squared error of the
predicted IoU, the best of the alternatives alone where one point leaves open what is meant. Interaction as in Sofiiuk
et al., ICIP 2022 (arXiv 2102.06583): clicks go to where the last mask was wrong.
"""

from __future__ import annotations

import json
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

from training.loop import average_into, one_cycle
from training.sam.features import Bank
from training.sam.network import PromptDecoder
from training.sam.prompts import Mask, begin, centre_of, correct, shrink, stack, unprompted
from training.sam.scores import spearman


@dataclass(frozen=True)
class Plan:
    """What a run is made of; it continues only under the same plan."""

    steps: int = 600
    batch: int = 16
    rounds: int = 3  # masks per chain: the first, then one after each further click
    seed: int = 0
    rate: float = 1.5e-3
    weight_decay: float = 1e-2
    average: float = 0.99
    every: int = 200  # steps between checkpoints
    focal: bool = False  # SAM's 20 : 1 focal loss instead of plain cross-entropy
    lanes: int = 2


def mask_loss(logits: Tensor, target: Tensor, focal: bool) -> Tensor:
    """(N, M) loss of logits (N, M, h, w) against target (N, 1, h, w) of 0 and 1."""
    wanted = target.expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    if focal:  # Lin et al., ICCV 2017, with γ = 2 and α = .25
        right = torch.exp(-entropy)
        entropy = 20 * (0.25 * wanted + 0.75 * (1 - wanted)) * (1 - right) ** 2 * entropy
    soft = torch.sigmoid(logits)
    both, total = (soft * wanted).sum((2, 3)), (soft + wanted).sum((2, 3))
    smooth = 8.0  # cells: keeps the gradient finite where nothing is to be found
    return entropy.mean((2, 3)) + 1 - (2 * both + smooth) / (total + smooth)


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """(N, M) IoU of what logits (N, M, h, w) show with target (N, 1, h, w); 1 where both are empty."""
    shown, wanted = logits > 0, (target > 0).expand_as(logits)
    both, either = (shown & wanted).sum((2, 3)).float(), (shown | wanted).sum((2, 3)).float()
    return torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(either))


def step_loss(logits: Tensor, iou: Tensor, target: Tensor, alone: Tensor, focal: bool) -> Tensor:
    """Mean loss of one round. alone: (N,) bool, where the alternatives are asked instead of the single mask."""
    each = mask_loss(logits, target, focal)
    drawn = torch.where(alone, each[:, 1:].min(1).values, each[:, 0])
    worth = (iou - true_iou(logits.detach(), target)) ** 2
    asked = torch.where(alone[:, None], 1.0, torch.tensor([[1.0] + [0.0] * (iou.shape[1] - 1)]))
    return (drawn + 2 * (worth * asked).sum(1) / asked.sum(1)).mean()


def shown_mask(logits: Tensor, iou: Tensor, alone: Tensor) -> Tensor:
    """(N, h, w) the mask that a reader would be shown: the best alternative after a lone point, else the single one."""
    pick = torch.where(alone, 1 + iou[:, 1:].argmax(1), torch.zeros(len(iou), dtype=torch.long))
    return logits[torch.arange(len(pick)), pick]


class Run:
    """A run in its folder: `last.pt` to go on from, `decoder.pt` with the averaged weights, `history.json`."""

    def __init__(self, plan: Plan, folder: Path, train: Bank, validation: Bank | None, facts: dict[str, Any]) -> None:
        """facts: what the card tells of trunk and data; stored with the weights."""
        self.plan, self.folder, self.train, self.validation, self.facts = plan, folder, train, validation, facts
        torch.manual_seed(plan.seed)
        self.live, self.kept = PromptDecoder(), PromptDecoder()
        self.kept.load_state_dict(self.live.state_dict())
        kernels = [one for one in self.live.parameters() if one.ndim > 1]
        others = [one for one in self.live.parameters() if one.ndim <= 1]
        groups = [{"params": kernels, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98))
        self.pool = ThreadPoolExecutor(plan.lanes, initializer=torch.set_num_threads, initargs=(1,))
        self.step = 0
        self.history: list[dict[str, Any]] = []

    def start_from(self, path: Path) -> None:
        """Begins with the weights of a `decoder.pt`: fine-tuning."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for network in (self.live, self.kept):
            network.load_state_dict(state["decoder"])

    def resume(self) -> bool:
        """Continues from `last.pt`; False when there is none. Raises ValueError under another plan or other data."""
        path = self.folder / "last.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["plan"] != asdict(self.plan) or state["facts"] != self.facts:
            raise ValueError(f"{path} was made under another plan: {state['plan']} {state['facts']}")
        self.live.load_state_dict(state["live"])
        self.kept.load_state_dict(state["decoder"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.history = state["step"], state["history"]
        return True

    def finish(self, say: Callable[[str], None], until: int | None = None) -> None:
        """Trains up to step `until` (default: the plan's last one), with a checkpoint every so many steps."""
        last = self.plan.steps if until is None else min(until, self.plan.steps)
        self.folder.mkdir(parents=True, exist_ok=True)
        losses: list[float] = []
        started = time.monotonic()
        while self.step < last:
            losses.append(self._step())
            if self.step % 50 == 0:
                say(f"  step {self.step}/{self.plan.steps} loss {np.mean(losses[-50:]):.4f}")
            if self.step % self.plan.every == 0 or self.step == last:
                measured = validate(self.kept, self.validation) if self.validation is not None else {}
                seconds = round(time.monotonic() - started)
                entry = {"step": self.step, "loss": round(float(np.mean(losses)), 5), "seconds": seconds}
                self.history.append(entry | {"validation": measured})
                say(json.dumps(self.history[-1]))
                self._save()
                losses, started = [], time.monotonic()

    def chosen(self, step: int) -> list[int]:
        """The pictures of a step: epochs without repetition; a pure function, so that a resumed run sees the same."""
        count, size = len(self.train), self.plan.batch
        places = range(step * size, (step + 1) * size)
        orders = {place // count: None for place in places}
        shuffled = {epoch: np.random.default_rng((self.plan.seed, epoch)).permutation(count) for epoch in orders}
        return [int(shuffled[place // count][place % count]) for place in places]

    def _step(self) -> float:
        self.live.train()
        self.optimizer.zero_grad(set_to_none=True)
        chosen = self.chosen(self.step)
        lanes = [(number, chosen[number :: self.plan.lanes]) for number in range(self.plan.lanes)]
        loss = sum(self.pool.map(self._lane, [lane for lane in lanes if lane[1]]))
        nn.utils.clip_grad_norm_(self.live.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate * one_cycle(self.step, self.plan.steps, 0.1)
        self.optimizer.step()
        self.step += 1
        average_into(self.kept, self.live, min(self.plan.average, (1 + self.step) / (10 + self.step)))
        return float(loss)

    def _lane(self, lane: tuple[int, list[int]]) -> float:
        number, chosen = lane
        rng = np.random.default_rng((self.plan.seed, self.step, number))
        part = self.train.at(chosen)
        truths, priors = part.truth.numpy() > 0, part.prior[:, 0].numpy()
        chains = [begin(rng, truth, prior) for truth, prior in zip(truths, priors, strict=True)]
        target = torch.from_numpy(np.stack([chain.target for chain in chains])[:, None]).float()
        with torch.autocast("cpu", torch.bfloat16):
            scene = self.live.see(part.deep, part.fine, part.edge, part.prior, part.organ)
        total = torch.zeros(())
        for turn in range(self.plan.rounds):
            alone = torch.tensor([chain.alone for chain in chains])
            with torch.autocast("cpu", torch.bfloat16):
                logits, iou = self.live.decode(scene, *stack(chains))
            logits, iou = logits.float(), iou.float()
            total = total + step_loss(logits, iou, target, alone, self.plan.focal)
            if turn + 1 < self.plan.rounds:
                for chain, shown in zip(chains, shown_mask(logits.detach(), iou.detach(), alone).numpy(), strict=True):
                    correct(rng, chain, shown > 0)
                    chain.mask = shrink(shown)
        share = len(chosen) / (self.plan.batch * self.plan.rounds)
        loss = total * share
        loss.backward()
        return float(loss.detach())

    def _save(self) -> None:
        shared = {"plan": asdict(self.plan), "facts": self.facts, "step": self.step, "history": self.history}
        shared |= {"decoder": self.kept.state_dict()}
        more = {"live": self.live.state_dict(), "optimizer": self.optimizer.state_dict()}
        for name, state in (("decoder", shared), ("last", shared | more)):
            torch.save(state, self.folder / f"{name}.part")
            (self.folder / f"{name}.part").replace(self.folder / f"{name}.pt")  # a kill leaves the old one
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1) + "\n", encoding="utf-8")


def validate(decoder: PromptDecoder, bank: Bank) -> dict[str, float]:
    """Quick figures at 128×128.

    Mean Dice of the trunk's mask, of the automatic one and after one and three clicks on it; the gain by one click
    where the first mask is below .80; rank correlation of predicted IoU with true Dice.
    """
    decoder.eval()
    first, worth, clicked, three, trunk = [], [], [], [], []
    for start in range(0, len(bank), 16):
        part = bank.at(list(range(start, min(start + 16, len(bank)))))
        truths = part.truth.numpy() > 0
        rng = np.random.default_rng(0)
        none = np.zeros_like(truths[0])
        chains = [unprompted(truth) for truth in truths]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            scene = decoder.see(part.deep, part.fine, part.edge, part.prior, part.organ)
            for turn in range(4):
                logits, iou = (one.float() for one in decoder.decode(scene, *stack(chains)))
                shown = logits[:, 0].numpy()
                dices = [_dice(one > 0, truth) for one, truth in zip(shown, truths, strict=True)]
                if turn == 0:
                    first += dices
                    worth += iou[:, 0].tolist()
                    trunk += [_dice(p > 0.5, t) for p, t in zip(part.prior[:, 0].numpy(), truths, strict=True)]
                clicked += dices if turn == 1 else []
                three += dices if turn == 3 else []
                for chain, one in zip(chains, shown, strict=True):
                    wrong = (one > 0) ^ chain.target
                    chain.click(*centre_of(wrong)) if wrong.any() else correct(rng, chain, none ^ chain.target)
                    chain.mask = shrink(one)
    lesions = [number for number, truth in enumerate(bank.truth.numpy()) if truth.any()]
    poor = [number for number in lesions if first[number] < 0.8]
    names = {"trunk": trunk, "automatic": first, "one_click": clicked, "three_clicks": three}
    told = {name: float(np.mean([values[number] for number in lesions])) for name, values in names.items()}
    told["empty"] = float(np.mean([one for number, one in enumerate(first) if number not in set(lesions)] or [1.0]))
    told["gain_where_poor"] = float(np.mean([clicked[number] - first[number] for number in poor] or [0.0]))
    told["spearman"] = spearman([worth[number] for number in lesions], [first[number] for number in lesions])
    return {name: round(value, 4) for name, value in told.items()}


def _dice(shown: Mask, truth: Mask) -> float:
    total = int(shown.sum() + truth.sum())
    return 2 * int((shown & truth).sum()) / total if total else 1.0
