"""Batches of an epoch: how often each set is seen, in which order, prepared one step ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.augment import augment
from training.network import ORGANS, SIZE
from training.samples import Sample

# Share of a set that one epoch shows: small and hard sets more than once, the large and easy one in part. A kind of
# picture within a set (`kind_of`) may have a share of its own: healthy breasts and cancers are what is too rare.
SHARES: dict[str, float] = {
    "busi": 1.25, "busi_empty": 2.5, "busi_malignant": 2.0, "busbra": 0.8, "busbra_malignant": 1.0, "breast": 1.5,
    "ddti": 1.4, "gland": 0.35, "simulated": 0.4,
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """N pictures of side by side pixels.

    frames: (N, 1, side, side) grey 0..255. masks: (N, side, side) of 0 and 1. channel: (N,) the organ's output.
    malignant: (N,) of 0 and 1, -1 where nobody says or nothing is left in view.
    """

    frames: Tensor
    masks: Tensor
    channel: Tensor
    malignant: Tensor

    def split(self, parts: int) -> list[Batch]:
        """Equal parts in order."""
        whole = (self.frames, self.masks, self.channel, self.malignant)
        pieces = zip(*(tensor.chunk(parts) for tensor in whole), strict=True)
        return [Batch(*piece) for piece in pieces]


def kind_of(sample: Sample) -> str:
    """`SET`, or `SET_empty` where nothing is outlined, or `SET_malignant`."""
    if not sample.mask.any():
        return f"{sample.set}_empty"
    return f"{sample.set}_malignant" if sample.malignant else sample.set


def order(samples: list[Sample], epoch: int, seed: int, shares: dict[str, float] | None = None) -> list[int]:
    """Which samples an epoch shows, shuffled; a pure function, so that a resumed run sees the same ones.

    shares: overrides SHARES. A kind without a share has that of its set; a set that is named in `shares` keeps its
    kinds together unless they are named there, too.
    """
    given = shares or {}
    members: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        kind = kind_of(sample)
        apart = kind in given or (kind in SHARES and sample.set not in given)
        members.setdefault(kind if apart else sample.set, []).append(index)
    chosen: list[int] = []
    for name in sorted(members):
        own = np.array(members[name])
        rng = np.random.default_rng([seed, epoch, len(name), len(own)])
        share = {**SHARES, **given}.get(name, 1.0)
        whole, rest = int(share), round((share - int(share)) * len(own))
        chosen += [int(index) for index in own] * whole
        chosen += [int(index) for index in rng.permutation(own)[:rest]]
    np.random.default_rng([seed, epoch]).shuffle(chosen)
    return chosen


def steps_per_epoch(samples: list[Sample], batch: int, shares: dict[str, float] | None = None) -> int:
    """Full batches of an epoch."""
    return len(order(samples, 0, 0, shares)) // batch


def batches(
    samples: list[Sample], epoch: int, seed: int, size: int, shares: dict[str, float] | None = None, side: int = SIZE
) -> Iterator[Batch]:
    """All full batches of an epoch, each made while the one before is trained on. side: of the pictures, in pixels."""
    chosen = order(samples, epoch, seed, shares)
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=4)

    def fill() -> None:
        try:
            for start in range(0, len(chosen) - size + 1, size):
                ready.put(_make(samples, chosen[start : start + size], (seed, epoch, start), side))
            ready.put(None)
        except BaseException as error:  # raised again in the loop's thread
            ready.put(error)

    threading.Thread(target=fill, daemon=True).start()
    while (item := ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def _make(samples: list[Sample], chosen: list[int], key: tuple[int, int, int], side: int) -> Batch:
    rng = np.random.default_rng(key)
    pairs = [augment(rng, samples[index].image, samples[index].mask, side) for index in chosen]
    known = [samples[index].malignant for index in chosen]
    shown = [word is not None and bool(mask.any()) for word, (_, mask) in zip(known, pairs, strict=True)]
    return Batch(
        torch.from_numpy(np.stack([picture for picture, _ in pairs])[:, None]),
        torch.from_numpy(np.stack([mask for _, mask in pairs])),
        torch.tensor([ORGANS[samples[index].organ] for index in chosen]),
        torch.tensor([float(bool(word)) if seen else -1.0 for word, seen in zip(known, shown, strict=True)]),
    )
