"""Prompts to masks on the trunk's features: the decoder half of a compact SAM.

After Kirillov et al., *Segment Anything*, ICCV 2023 (arXiv 2304.02643): prompts as tokens, a two-way transformer
between tokens and picture, masks by hypernetworks, a predicted IoU per mask. Positions by random Fourier features:
Tancik et al., NeurIPS 2020 (arXiv 2006.10739). What differs: the image encoder is the trunk that the stream runs
anyway, its own answer is one more input, outlines are sharpened by its `edge` features, and padding tokens are hidden
instead of learnt, so that the answer does not depend on how many there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import ORGANS, SIZE

WIDTH = 128
MASKS = 4  # the first answers where prompts leave no doubt, the others are alternatives for a single point
GRID = 32
MASK_SIDE = 128
PROMPT_SIDE = 64
DEEP, FINE, EDGE = 352, 80, 48

NOT_A_POINT, BACKGROUND, FOREGROUND, CORNER, OPPOSITE = -1, 0, 1, 2, 3
FAINT = 1e-4  # probabilities nearer to 0 or 1 than this say no more


@dataclass(frozen=True)
class Scene:
    """One picture's part of the work, N at once: the same for every prompt.

    image: (N, WIDTH, 32, 32). edge: (N, 48, 64, 64). prior: (N, 1, 128, 128), a quarter of the trunk's logit.
    organ: (N,) output channel of the trunk.
    """

    image: Tensor
    edge: Tensor
    prior: Tensor
    organ: Tensor


class Positions(nn.Module):
    """Points (…, 2), column and row in 0..1 → (…, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(2, WIDTH // 2))
        steps = (torch.arange(GRID) + 0.5) / GRID
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        self.register_buffer("grid", torch.stack((columns, rows), -1).flatten(0, 1)[None], persistent=False)

    def forward(self, points: Tensor) -> Tensor:
        angles = 2 * math.pi * ((2 * points - 1) @ self.frequencies)
        return torch.cat((angles.sin(), angles.cos()), -1)

    def dense(self) -> Tensor:
        """(1, 1024, WIDTH): the centres of the grid's cells, row by row."""
        return self(self.grid)


class Attention(nn.Module):
    """Queries (N, Q, WIDTH) look at keys (N, K, WIDTH) in `inner` dimensions. hidden: (N, 1, 1, K), added to scores."""

    def __init__(self, inner: int, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.each = heads, inner // heads
        self.query, self.key, self.value = (nn.Linear(WIDTH, inner) for _ in range(3))
        self.out = nn.Linear(inner, WIDTH)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, hidden: Tensor | None = None) -> Tensor:
        q, k, v = self._split(self.query(query)), self._split(self.key(key)), self._split(self.value(value))
        scores = q @ k.transpose(2, 3) / math.sqrt(self.each)
        if hidden is not None:
            scores = scores + hidden
        seen = torch.softmax(scores, -1) @ v
        return self.out(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, self.each)).transpose(1, 2)


class TwoWay(nn.Module):
    """Tokens ask each other, then the picture; a small MLP; then the picture asks the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.among = Attention(WIDTH)
        self.to_image = Attention(WIDTH // 2)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.to_tokens = Attention(WIDTH // 2)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(4))

    def forward(
        self, tokens: Tensor, image: Tensor, told: Tensor, place: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """told: the tokens as they came in, their place among tokens. place: positions of the picture's cells."""
        asked = tokens + told
        tokens = self.norms[0](tokens + self.among(asked, asked, tokens, hidden))
        tokens = self.norms[1](tokens + self.to_image(tokens + told, image + place, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        image = self.norms[3](image + self.to_tokens(image + place, tokens + told, tokens, hidden))
        return tokens, image


class PromptDecoder(nn.Module):
    """Trunk features and prompts → masks and what they are worth. Normalises per picture, never per batch."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = Positions()
        self.labels = nn.Embedding(4, WIDTH)
        self.organs = nn.Embedding(len(ORGANS), WIDTH)
        self.from_fine = nn.Conv2d(FINE, WIDTH, 1)
        self.from_deep = nn.Conv2d(DEEP, WIDTH, 1)
        self.from_prior = nn.Conv2d(1, WIDTH, 4, stride=4)
        self.settle = nn.GroupNorm(1, WIDTH)
        self.no_mask = nn.Parameter(torch.zeros(1, WIDTH, 1, 1))
        self.from_mask = nn.Sequential(
            nn.Conv2d(1, 16, 2, stride=2), nn.GroupNorm(1, 16), nn.GELU(), nn.Conv2d(16, WIDTH, 1)
        )
        self.outputs = nn.Parameter(0.02 * torch.randn(1, 1 + MASKS, WIDTH))
        self.blocks = nn.ModuleList(TwoWay() for _ in range(2))
        self.last = Attention(WIDTH // 2)
        self.last_norm = nn.LayerNorm(WIDTH)
        self.up_one = nn.ConvTranspose2d(WIDTH, 64, 2, stride=2)
        self.join_edge = nn.Conv2d(EDGE, 64, 1)
        self.up_norm = nn.GroupNorm(1, 64)
        self.up_two = nn.ConvTranspose2d(64, 16, 2, stride=2)
        self.sharpen = nn.Conv2d(18, 16, 3, padding=1)
        self.hyper = nn.ModuleList(_mlp(WIDTH, WIDTH, 17) for _ in range(MASKS))
        self.worth = _mlp(2 * WIDTH + 4, 64, 1)

    def see(self, deep: Tensor, fine: Tensor, edge: Tensor, prior: Tensor, organ: Tensor) -> Scene:
        """deep (N, 352, 8, 8), fine (N, 80, 32, 32), edge (N, 48, 64, 64); prior (N, 1, 128, 128) probability."""
        faint = prior.clamp(FAINT, 1 - FAINT)
        logit = 0.25 * (faint.log() - (1 - faint).log())
        image = self.from_fine(fine) + self.from_prior(logit)
        image = image + functional.interpolate(self.from_deep(deep), scale_factor=4.0, mode="bilinear")
        return Scene(self.settle(image), edge, logit, organ)

    def decode(
        self, scene: Scene, points: Tensor, labels: Tensor, mask: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """points (N, K, 2): column and row in pixels of the square, whole at centres; labels (N, K).

        mask: (N, 1, 64, 64) logits; has_mask: (N,) 0 or 1.

        Returns logits (N, MASKS, 128, 128) and the IoU (N, MASKS) that the network expects of them.
        """
        told, hidden = self._tokens(scene.organ, points, labels)
        given = has_mask.view(-1, 1, 1, 1)
        mask = mask.clamp(-16, 16) * given
        dense = given * self.from_mask(0.25 * mask) + (1 - given) * self.no_mask
        image, tokens = (scene.image + dense).flatten(2).transpose(1, 2), told
        place = self.positions.dense()
        for block in self.blocks:
            tokens, image = block(tokens, image, told, place, hidden)
        tokens = self.last_norm(tokens + self.last(tokens + told, image + place, image))
        logits = self._masks(tokens[:, 1 : 1 + MASKS], image, scene, mask)
        return logits, self._worth(tokens, logits, scene)

    def _tokens(self, organ: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        count = organ.shape[0]
        known = labels.clamp(min=0).long()
        prompts = self.positions((points + 0.5) / SIZE) + self.labels(known)
        own = self.outputs.expand(count, -1, -1)
        told = torch.cat((own, self.organs(organ)[:, None], prompts), 1)
        always = torch.zeros_like(told[:, : 2 + MASKS, 0])
        hidden = torch.cat((always, -1e4 * (labels < 0).to(always.dtype)), 1)
        return told, hidden[:, None, None]

    def _masks(self, tokens: Tensor, image: Tensor, scene: Scene, mask: Tensor) -> Tensor:
        square = image.transpose(1, 2).unflatten(2, (GRID, GRID))
        x = functional.gelu(self.up_norm(self.up_one(square) + self.join_edge(scene.edge)))
        x = functional.gelu(self.up_two(x))
        before = functional.interpolate(0.25 * mask, scale_factor=2.0, mode="bilinear")
        x = functional.gelu(self.sharpen(torch.cat((x, scene.prior, before), 1)))
        x = torch.cat((x, scene.prior), 1).flatten(2)
        weights = torch.stack([hyper(tokens[:, number]) for number, hyper in enumerate(self.hyper)], 1)
        return (weights @ x).unflatten(2, (MASK_SIDE, MASK_SIDE))

    def _worth(self, tokens: Tensor, logits: Tensor, scene: Scene) -> Tensor:
        """What a mask looks like tells as much of its worth as the tokens do: its area, how sure it is, and how much
        of it the trunk saw as well. No gradient flows back: masks shall not be drawn so as to look sure."""
        soft, prior = torch.sigmoid(logits.detach()).flatten(2), torch.sigmoid(4 * scene.prior).flatten(2)
        hot = (soft > 0.5).to(soft.dtype)
        area, inside = hot.sum(2), (hot * soft).sum(2)
        agreed = 2 * (soft * prior).sum(2) / (soft.sum(2) + prior.sum(2) + 1)
        outside = (soft * (1 - hot)).sum(2)
        seen = (inside / (area + 1), agreed, outside / (area + outside + 1), torch.log1p(area) / 10)
        own = tokens[:, 1 : 1 + MASKS]
        joint = torch.cat((tokens[:, :1].expand_as(own), own, torch.stack(seen, -1)), -1)
        return torch.sigmoid(self.worth(joint)).squeeze(-1)


class Graph(nn.Module):
    """What the file computes for one picture; inputs and outputs as docs/prompts.md names them."""

    def __init__(self, decoder: PromptDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, deep: Tensor, fine: Tensor, edge: Tensor, masks: Tensor, organ: Tensor,
        point_coords: Tensor, point_labels: Tensor, mask_input: Tensor, has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        prior = functional.avg_pool2d(masks.index_select(1, organ), SIZE // MASK_SIDE)
        scene = self.decoder.see(deep, fine, edge, prior, organ)
        return self.decoder.decode(scene, point_coords, point_labels, mask_input, has_mask_input)


def _mlp(into: int, wide: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(into, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, out))
