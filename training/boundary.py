"""Boundary loss: probability far outside a lesion's outline, or missing deep inside it, costs by its distance.

Source: Kervadec et al., MIDL 2019 (arXiv 1812.07032), beside the overlap, as there. Off by default: it gained nothing
(docs/tried.md).
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor


def distances(masks: Tensor) -> Tensor:
    """(N, H, W) distance to each mask's outline as a share of W, negative inside; 0 where a mask has no outline.

    masks: (N, H, W) of 0 and 1.
    """
    found = np.zeros(tuple(masks.shape), np.float32)
    for number, mask in enumerate(masks.numpy().astype(np.uint8)):
        if mask.any() and not mask.all():
            outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
            found[number] = outside - cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return torch.from_numpy(found / masks.shape[-1])


def boundary_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean of probability times distance. logits, masks: (N, H, W); negative where a mask is met."""
    return (torch.sigmoid(logits) * distances(masks)).mean()
