"""Batches of an epoch: how often each set is seen, in which order, prepared one step ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sonovan.models.evaluation.index import FOREIGN
from training.augment import augment
from training.network import ORGANS, SIZE
from training.paste import paste
from training.samples import Sample

# Share of a set that one epoch shows: small and hard sets more than once, the large and easy one in part. A kind of
# picture within a set (`kind_of`) may have a share of its own: healthy breasts and cancers are what is too rare.
SHARES: dict[str, float] = {
    "busi": 1.25, "busi_empty": 2.5, "busi_malignant": 2.0, "busbra": 0.8, "busbra_malignant": 1.0, "breast": 1.5,
    "ddti": 1.4, "gland": 0.35, "simulated": 0.4, "other": 0.4,
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """N pictures of side by side pixels.

    frames: (N, 1, side, side) grey 0..255. masks: (N, side, side) of 0 and 1. channel: (N,) the organ's output.
    malignant: (N,) of 0 and 1, -1 where nobody says or nothing is left in view. gland: (N, side, side) of 0 and 1, -1
    where nobody says where the thyroid is. index: (N,) which samples these are.
    """

    frames: Tensor
    masks: Tensor
    channel: Tensor
    malignant: Tensor
    gland: Tensor
    index: Tensor

    def split(self, parts: int) -> list[Batch]:
        """Equal parts in order."""
        whole = (self.frames, self.masks, self.channel, self.malignant, self.gland, self.index)
        pieces = zip(*(tensor.chunk(parts) for tensor in whole), strict=True)
        return [Batch(*piece) for piece in pieces]


def kind_of(sample: Sample) -> str:
    """`SET`, or `SET_empty` where nothing is outlined, or `SET_malignant`."""
    if not sample.mask.any():
        return f"{sample.set}_empty"
    return f"{sample.set}_malignant" if sample.malignant else sample.set


@dataclass(frozen=True)
class Chances:
    """How often a picture is varied in ways that not every run wants.

    close: see `augment`. paste: see `paste`. levels: whether grey levels are taken over from other pictures.
    """

    close: float = 0.0
    paste: float = 0.0
    levels: bool = False


def order(
    samples: list[Sample], epoch: int, seed: int, shares: dict[str, float] | None = None, hard: Sequence[int] = ()
) -> list[int]:
    """Which samples an epoch shows, shuffled; a pure function, so that a resumed run sees the same ones.

    hard: samples that are shown once more.

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
    chosen += hard
    np.random.default_rng([seed, epoch]).shuffle(chosen)
    return chosen


def steps_per_epoch(samples: list[Sample], batch: int, shares: dict[str, float] | None = None) -> int:
    """Full batches of an epoch."""
    return len(order(samples, 0, 0, shares)) // batch


def batches(
    samples: list[Sample], chosen: list[int], key: tuple[int, int], size: int, side: int = SIZE,
    chances: Chances = Chances(), done: int = 0,
) -> Iterator[Batch]:  # fmt: skip
    """The chosen samples in full batches, each made while the one before is trained on.

    key: seed and epoch, which say how pictures are varied. side: of the pictures, in pixels. done: batches that were
    seen before a run was cut off; the others are as they would have been.
    """
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=4)
    donors = donors_of(samples) if chances.paste else {}

    def fill() -> None:
        try:
            for start in range(done * size, len(chosen) - size + 1, size):
                rng = np.random.default_rng((*key, start))
                ready.put(_make(rng, samples, chosen[start : start + size], side, chances, donors))
            ready.put(None)
        except BaseException as error:  # raised again in the loop's thread
            ready.put(error)

    threading.Thread(target=fill, daemon=True).start()
    while (item := ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def donors_of(samples: list[Sample]) -> dict[str, list[int]]:
    """Samples whose lesions may be pasted elsewhere, by organ."""
    found: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        if sample.set != "simulated" and sample.mask.any():
            found.setdefault(sample.organ, []).append(index)
    return found


def _make(
    rng: np.random.Generator, samples: list[Sample], chosen: list[int], side: int, chances: Chances,
    donors: dict[str, list[int]],
) -> Batch:  # fmt: skip
    frames, masks, glands, malignant = [], [], [], []
    for index in chosen:
        sample = samples[index]
        if chances.paste and sample.set not in (FOREIGN, "simulated") and rng.random() < chances.paste:
            sample = _pasted(rng, sample, samples[int(rng.choice(donors[sample.organ]))])
        like = samples[int(rng.integers(len(samples)))].image if chances.levels else None
        both = sample.mask if sample.gland is None else np.stack([sample.mask, sample.gland], 2)
        frame, drawn = augment(rng, sample.image, both, side, close=chances.close, like=like)
        frames.append(frame)
        masks.append(drawn if drawn.ndim == 2 else drawn[..., 0])
        glands.append(np.full_like(masks[-1], -1) if drawn.ndim == 2 else drawn[..., 1])
        known = sample.malignant is not None and bool(masks[-1].any())
        malignant.append(float(bool(sample.malignant)) if known else -1.0)
    return Batch(
        torch.from_numpy(np.stack(frames)[:, None]),
        torch.from_numpy(np.stack(masks)),
        torch.tensor([ORGANS[samples[index].organ] for index in chosen]),
        torch.tensor(malignant),
        torch.from_numpy(np.stack(glands)),
        torch.tensor(chosen),
    )


def _pasted(rng: np.random.Generator, host: Sample, donor: Sample) -> Sample:
    """The host with a lesion more; whether it is malignant is told where all that it shows is alike."""
    found = paste(rng, host, donor)
    if found is None:
        return host
    image, mask = found
    alike = donor.malignant if not host.mask.any() or host.malignant == donor.malignant else None
    return replace(host, image=image, mask=mask, malignant=alike)
