"""The trust head: how far a picture lies from what is known of each organ, and what lies beside it.

Standardised evidence is projected on the main axes of good pictures. Three distances (Mahalanobis, to each organ's
pictures within these axes, and what the axes leave) join the coordinates in a small network; several, trained from
different starts, are averaged, which makes them less sure of what none has seen.
Sources: Lee et al., NeurIPS 2018 (arXiv 1807.03888), distances; Lakshminarayanan et al., NeurIPS 2017 (arXiv
1612.01474), averaging.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sonovan.models.evaluation.index import FOREIGN
from sonovan.models.heads.trust import CLASSES
from training.heads import Array
from training.trust.gather import Evidence


@dataclass(frozen=True)
class Plan:
    """What a training is made of."""

    axes: int = 48
    hidden: int = 24
    members: int = 5
    steps: int = 500
    rate: float = 4e-3
    decay: float = 2e-2
    dropout: float = 0.3
    noise: float = 0.3
    shrinkage: float = 0.2
    seed: int = 0


class TrustHead(nn.Module):
    """(N, F) evidence → (N, 3) probabilities of `CLASSES`."""

    def __init__(self, values: Array, truth: list[str], plan: Plan) -> None:
        super().__init__()
        good = values[[one != "foreign" for one in truth]]
        mean, scale = good.mean(0), good.std(0) + 1e-3
        standard = np.clip((good - mean) / scale, -6, 6)
        _, _, axes = np.linalg.svd(standard - standard.mean(0), full_matrices=False)
        basis = axes[: plan.axes].T
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("scale", torch.from_numpy(scale.astype(np.float32)))
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32)))
        known = standard @ basis
        names = [one for one in truth if one != "foreign"]
        for number, organ in enumerate(CLASSES[:2]):
            own = known[[one == organ for one in names]]
            spread = np.cov(own.T) * (1 - plan.shrinkage) + plan.shrinkage * np.diag(known.var(0))
            root = np.linalg.cholesky(np.linalg.inv(spread))
            self.register_buffer(f"centre{number}", torch.from_numpy(own.mean(0).astype(np.float32)))
            self.register_buffer(f"root{number}", torch.from_numpy(root.astype(np.float32)))
        self.register_buffer("spread", torch.from_numpy(known.std(0).astype(np.float32)))
        width = plan.axes + 3
        self.members = nn.ModuleList(
            nn.Sequential(
                nn.Dropout(plan.dropout), nn.Linear(width, plan.hidden), nn.Tanh(), nn.Dropout(plan.dropout),
                nn.Linear(plan.hidden, len(CLASSES)),
            )
            for _ in range(plan.members)
        )  # fmt: skip

    def read(self, values: Tensor) -> Tensor:
        """(N, axes + 3): coordinates of unit variance, logarithms of the three distances."""
        standard = torch.clamp((values - self.mean) / self.scale, -6, 6)
        at = standard @ self.basis
        left = ((standard - at @ self.basis.T) ** 2).mean(1, keepdim=True)
        far = [
            (((at - centre) @ root) ** 2).mean(1, keepdim=True)
            for centre, root in ((self.centre0, self.root0), (self.centre1, self.root1))
        ]
        return torch.cat([at / self.spread, torch.log(torch.cat([*far, left], 1) + 0.1) * 2], 1)

    def forward(self, values: Tensor) -> Tensor:
        read = self.read(values)
        parts = [torch.softmax(member(read), 1) for member in self.members]
        return torch.stack(parts).mean(0)


NEAR = 3.0
"""How much more a family of other anatomy under the same probe weighs than one of other foreign pictures.

It is what a probe meets at the edge of a breast. On validation, refused as breast at threshold .3: 89.4 % of other
anatomy, with families that weigh alike 86.5 %; of the sets' pictures .9 % either way.
"""


def weights_of(evidence: Evidence) -> Array:
    """Classes weigh alike; among foreign pictures made ones weigh as much as all real ones, and families alike but
    for NEAR.
    """
    weights = np.zeros(len(evidence.truth), np.float32)
    for organ in CLASSES[:2]:
        for kind in sorted(set(evidence.kind[evidence.truth == organ])):
            own = (evidence.truth == organ) & (evidence.kind == kind)
            weights[own] = 1 / np.sqrt(own.sum())
        weights[evidence.truth == organ] /= weights[evidence.truth == organ].sum()
    foreign = evidence.truth == "foreign"
    for is_made in (True, False):
        part = foreign & (np.char.startswith(evidence.kind, "made") == is_made)
        for family in sorted(set(evidence.family[part])):
            own = part & (evidence.family == family)
            weights[own] = (NEAR if family.startswith(f"{FOREIGN}/") else 1.0) / own.sum()
        if part.any():
            weights[part] *= 0.5 / weights[part].sum()
    return weights / weights.sum()


def learn(evidence: Evidence, plan: Plan) -> TrustHead:
    """A head that has learnt from all of `evidence`; the same evidence and plan give the same head."""
    torch.manual_seed(plan.seed)
    truth = [str(one) for one in evidence.truth]
    head = TrustHead(evidence.values, truth, plan)
    with torch.no_grad():
        read = head.read(torch.from_numpy(evidence.values))
    wanted = torch.tensor([CLASSES.index(one) for one in truth])
    weights = torch.from_numpy(weights_of(evidence))
    optimiser = torch.optim.AdamW(head.members.parameters(), plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=plan.steps)
    chance = torch.Generator().manual_seed(plan.seed)
    head.train()
    for _ in range(plan.steps):
        blurred = read + plan.noise * torch.randn(read.shape, generator=chance)
        losses = [
            (functional.cross_entropy(member(blurred), wanted, reduction="none", label_smoothing=0.02) * weights).sum()
            for member in head.members
        ]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
        schedule.step()
    return head.eval()


def probabilities(head: TrustHead, values: Array) -> Array:
    """(N, 3) float32."""
    with torch.inference_mode():
        return np.asarray(head(torch.from_numpy(values)).numpy(), np.float32)
