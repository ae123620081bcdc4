"""One woman's lesion in another's tissue: more places, neighbours and numbers of lesions than anybody outlined.

What is pasted brings a rim of its own surroundings, fades into the new ones, and takes their brightness.
Source: Dwibedi et al., ICCV 2017 (arXiv 1708.01642), "cut, paste and learn".
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.pictures import Gray
from training.samples import Sample

RIM = 0.3
"""How much of a lesion's surroundings comes along, as a share of its longer side."""
TRIES = 12
DARKEST = 12
"""Mean grey level of a place below which it shows no tissue."""


def paste(rng: np.random.Generator, host: Sample, donor: Sample) -> tuple[Gray, Gray] | None:
    """The host's picture and mask with the donor's largest lesion added; None where there is no place for it.

    A place shows tissue, touches no other lesion, lies about as deep as the lesion did, and in the gland where the
    host says where that is.
    """
    patch, lesion = _cut(rng, donor)
    height, width = patch.shape
    side = host.image.shape[0]
    if max(height, width) > 0.7 * side or not lesion.any():
        return None
    deep = _middle(donor.mask)[0] * side / donor.mask.shape[0]
    for _ in range(TRIES):
        left = int(rng.integers(0, side - width + 1))
        top = int(np.clip(deep - height / 2 + rng.uniform(-0.2, 0.2) * side, 0, side - height))
        place = np.s_[top : top + height, left : left + width]
        if _fits(host, place, lesion):
            return _blended(host, place, patch, lesion)
    return None


def _cut(rng: np.random.Generator, donor: Sample) -> tuple[Gray, Gray]:
    """The donor's largest lesion with its rim, at another size, left and right swapped or not; picture and mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((donor.mask > 0).astype(np.uint8))
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if count > 1 else 0
    left, top, width, height = (int(value) for value in stats[largest, :4])
    rim = int(RIM * max(width, height)) + 2
    rows, columns = slice(max(0, top - rim), top + height + rim), slice(max(0, left - rim), left + width + rim)
    patch, lesion = donor.image[rows, columns], (labels[rows, columns] == largest).astype(np.uint8) * 255
    scale = float(np.exp(rng.uniform(np.log(0.6), np.log(1.4))))
    size = (max(8, round(patch.shape[1] * scale)), max(8, round(patch.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    patch, lesion = cv2.resize(patch, size, interpolation=how), cv2.resize(lesion, size, interpolation=how)
    if rng.random() < 0.5:
        patch, lesion = patch[:, ::-1], lesion[:, ::-1]
    return np.ascontiguousarray(patch), np.where(lesion > 127, np.uint8(255), np.uint8(0))


def _fits(host: Sample, place: tuple[slice, slice], lesion: Gray) -> bool:
    there = host.image[place]
    if host.mask[place].any() or there.mean() < DARKEST or np.mean(there < 3) > 0.2:
        return False
    return host.gland is None or bool(np.mean(host.gland[place][lesion > 0] > 0) > 0.8)


def _blended(host: Sample, place: tuple[slice, slice], patch: Gray, lesion: Gray) -> tuple[Gray, Gray]:
    reach = max(lesion.shape)
    wide = max(3, int(RIM * 0.5 * reach)) | 1
    grown = np.asarray(cv2.dilate(lesion, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))), np.float32)
    share = np.asarray(cv2.GaussianBlur(grown / 255, (0, 0), max(1.0, 0.05 * reach)), np.float32)
    share *= _fading(share.shape, max(2, int(0.06 * reach)))
    around = (lesion == 0) & (patch > 2)
    there = host.image[place].astype(np.float32)
    gain = (there.mean() + 5) / (float(patch[around].mean() if around.any() else patch.mean()) + 5)
    seen = there + share * (patch * float(np.clip(gain, 0.6, 1.6)) - there)
    image, mask = host.image.copy(), host.mask.copy()
    image[place] = np.clip(seen, 0, 255).astype(np.uint8)
    mask[place] = np.maximum(mask[place], lesion)
    return image, mask


def _fading(shape: tuple[int, ...], width: int) -> NDArray[np.float32]:
    """1 inside, down to 0 at the rim of a rectangle over so many pixels, so that no edge of the patch shows."""
    sides = [np.minimum(np.arange(length), np.arange(length)[::-1]) / width for length in shape]
    return np.minimum(np.minimum(sides[0][:, None], sides[1][None]), 1).astype(np.float32)


def _middle(mask: Gray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())
