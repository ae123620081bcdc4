"""What a training minimises: the masks' own loss, and those of the tasks beside it.

Sources: Milletari et al., 3DV 2016 (soft Dice); Salehi et al., MLMI 2017 (arXiv 1706.05721, Tversky: what is missed and
what is too much weigh differently); Abraham & Khan, ISBI 2019 (arXiv 1810.07842: lesions that are missed as a whole
weigh more).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import Batch

SMOOTH = 32.0
"""Pixels: keeps the gradient finite where nothing is to be found."""
MISSED = 0.6
"""Weight of pixels that are missed, where misses weigh more; what is too much has the rest."""


def lesion_losses(logits: Tensor, batch: Batch, misses: float = 0.0) -> tuple[Tensor, Tensor]:
    """(N,) loss of each picture on its organ's channel, and (N,) how wrong each is, 0 to 1, without gradient.

    Cross-entropy plus 1 − soft Dice; an empty mask asks for an empty answer. misses: how much more a picture weighs
    that is wrong as a whole than one that is nearly right; above 0, overlap is Tversky's.
    """
    chosen = logits[torch.arange(len(logits)), batch.channel]
    entropy = functional.binary_cross_entropy_with_logits(chosen, batch.masks, reduction="none").mean((1, 2))
    soft, truth = torch.sigmoid(chosen).flatten(1), batch.masks.flatten(1)
    met, seen, there = (soft * truth).sum(1), soft.sum(1), truth.sum(1)
    missed = MISSED if misses else 0.5
    wrong = 1 - (met + SMOOTH / 2) / (met + missed * (there - met) + (1 - missed) * (seen - met) + SMOOTH / 2)
    return entropy + wrong + 0.5 * misses * wrong * wrong, wrong.detach()


def suspicion_loss(logits: Tensor, malignant: Tensor) -> Tensor:
    """Cross-entropy over the pictures of which somebody says what the lesion is; 0 where there is none."""
    known = malignant >= 0
    each = functional.binary_cross_entropy_with_logits(logits, malignant.clamp(min=0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def gland_loss(logits: Tensor, gland: Tensor) -> Tensor:
    """The same over the pixels of pictures of which somebody says where the thyroid is.

    logits: (N, h, w), an even part of gland's (N, H, W).
    """
    step = gland.shape[1] // logits.shape[1]
    return suspicion_loss(logits.flatten(), gland[:, ::step, ::step].flatten())


def presence_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of whether any lesion is in view, on the organ's own output. logits: (N, organs)."""
    shown = batch.masks.flatten(1).any(1).float()
    own = logits[torch.arange(len(logits)), batch.channel]
    return functional.binary_cross_entropy_with_logits(own, shown)
