"""A simulated reader who knows the truth: where she would click, what box and what mask she would draw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.network import SIZE
from training.sam.network import (
    BACKGROUND,
    CORNER,
    FOREGROUND,
    MASK_SIDE,
    NOT_A_POINT,
    OPPOSITE,
    PROMPT_SIDE,
)

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
CLICKS = 4  # at most, beside the two corners of a box
STEP = SIZE / MASK_SIDE

# what a chain begins with: nothing, a point, a box, a click on the trunk's own mask, a mask drawn roughly
OPENINGS = {"nothing": 0.33, "point": 0.2, "box": 0.2, "trunk": 0.2, "rough": 0.07}


@dataclass
class Chain:
    """One picture's prompts as they grow, and the mask (128, 128) that they ask for.

    points: (2 + CLICKS, 2) in pixels of the 256 square. mask: (64, 64) logits, or None.
    """

    target: Mask
    points: Field
    labels: Field
    mask: Field | None = None
    clicks: int = 0

    @property
    def alone(self) -> bool:
        """Whether one point is all there is, so that it may mean several things."""
        return self.clicks == 1 and self.mask is None and self.labels[0] == NOT_A_POINT

    def click(self, column: int, row: int) -> None:
        """A click on a cell of the 128 mask: foreground where the target is, else background."""
        place = 2 + self.clicks
        self.points[place] = ((column + 0.5) * STEP - 0.5, (row + 0.5) * STEP - 0.5)
        self.labels[place] = FOREGROUND if self.target[row, column] else BACKGROUND
        self.clicks += 1


def unprompted(truth: Mask) -> Chain:
    """A chain without a prompt: everything in `truth` (128, 128) is asked for."""
    return Chain(truth, np.zeros((2 + CLICKS, 2), np.float32), np.full(2 + CLICKS, NOT_A_POINT, np.float32))


def begin(rng: np.random.Generator, truth: Mask, prior: Field) -> Chain:
    """A chain with its first prompt.

    truth: (128, 128), everything that is to be found. prior: (128, 128) probability of the trunk.
    Without a prompt, and with the trunk's mask, everything is asked for; with a point, a box or a rough mask the one
    lesion that it shows.
    """
    chain = unprompted(truth)
    names = list(OPENINGS)
    kind = names[int(rng.choice(len(names), p=list(OPENINGS.values())))]
    if kind == "trunk":
        chain.mask = shrink(_logit(prior))
        correct(rng, chain, prior > 0.5)
    elif kind != "nothing" and truth.any():
        chain.target = _one_of(rng, truth)
        if kind == "point":
            chain.click(*_anywhere(rng, chain.target))
        elif kind == "box":
            _box(rng, chain)
        else:
            chain.mask = shrink(_rough(rng, chain.target))
    return chain


def correct(rng: np.random.Generator, chain: Chain, shown: Mask) -> None:
    """The next click on what is wrong with the mask that was shown; where nothing is, a click that agrees."""
    wrong = shown ^ chain.target
    if not wrong.any():
        wrong = chain.target if chain.target.any() and rng.random() < 0.5 else ~chain.target
        chain.click(*_anywhere(rng, wrong if wrong.any() else chain.target))
    elif rng.random() < 0.5:
        chain.click(*centre_of(wrong))
    else:
        chain.click(*_anywhere(rng, wrong))


def centre_of(wrong: Mask) -> tuple[int, int]:
    """(column, row) of the point deepest inside the largest connected part of a mask that is not empty."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    framed = cv2.copyMakeBorder((labels == largest).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(column), int(row)


def shrink(logits: Field) -> Field:
    """(128, 128) logits → (64, 64), as a mask prompt has them."""
    return np.asarray(cv2.resize(logits, (PROMPT_SIDE, PROMPT_SIDE), interpolation=cv2.INTER_AREA), np.float32)


def stack(chains: list[Chain]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """points, labels, mask and has_mask of all chains, as the decoder takes them."""
    blank = np.zeros((PROMPT_SIDE, PROMPT_SIDE), np.float32)
    return (
        torch.from_numpy(np.stack([chain.points for chain in chains])),
        torch.from_numpy(np.stack([chain.labels for chain in chains])),
        torch.from_numpy(np.stack([blank if chain.mask is None else chain.mask for chain in chains])[:, None]),
        torch.tensor([float(chain.mask is not None) for chain in chains]),
    )


def _logit(probability: Field) -> Field:
    faint = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(faint) - np.log1p(-faint), np.float32)


def _one_of(rng: np.random.Generator, truth: Mask) -> Mask:
    count, labels = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)
    return np.asarray(labels == rng.integers(1, count), np.bool_)


def _anywhere(rng: np.random.Generator, mask: Mask) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    pick = int(rng.integers(len(rows)))
    return int(columns[pick]), int(rows[pick])


def _box(rng: np.random.Generator, chain: Chain) -> None:
    """Corners that miss by a tenth of the side (SAM, appendix A), by 20 pixels at most."""
    rows, columns = np.nonzero(chain.target)
    low = np.array((columns.min(), rows.min())) * STEP
    high = (np.array((columns.max(), rows.max())) + 1) * STEP - 1
    missed = np.clip(rng.normal(0, 0.1, (2, 2)) * (high - low), -20, 20)
    chain.points[:2] = np.clip(np.stack((low, high)) + missed, 0, SIZE - 1)
    chain.labels[0], chain.labels[1] = CORNER, OPPOSITE


def _rough(rng: np.random.Generator, target: Mask) -> Field:
    """Logits ±8 of the target grown or shrunk, and moved."""
    radius = max(1, int(0.25 * np.sqrt(target.sum()) * rng.random()))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    change = cv2.dilate if rng.random() < 0.5 else cv2.erode
    across, down = rng.normal(0, radius / 2, 2)
    moved = np.array([[1, 0, across], [0, 1, down]], np.float32)
    drawn = cv2.warpAffine(change(target.astype(np.uint8), kernel), moved, target.shape[::-1])
    return np.where(drawn > 0, np.float32(8), np.float32(-8))
