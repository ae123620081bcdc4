"""What the frozen trunk makes of each training picture, computed once and kept in memory at half precision."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sonovan.models.evaluation.index import SETS, Row, Split, folders_of, read_folder
from training.augment import augment, plain
from training.network import ORGANS, SIZE, LesionNet
from training.sam.network import MASK_SIDE
from training.samples import Sample

CHUNK = 8
LANES = 2


@dataclass(frozen=True)
class Bank:
    """N pictures as the decoder sees them, 0.65 MB each.

    deep (N, 352, 8, 8), fine (N, 80, 32, 32), edge (N, 48, 64, 64) and prior (N, 1, 128, 128), the trunk's
    probability for the picture's organ: float16. truth: (N, 128, 128) uint8 of 0 and 1. organ: (N,) int64.
    """

    deep: Tensor
    fine: Tensor
    edge: Tensor
    prior: Tensor
    truth: Tensor
    organ: Tensor

    def __len__(self) -> int:
        return len(self.organ)

    def at(self, index: list[int]) -> Bank:
        """Some of the pictures, in float32."""
        chosen = torch.tensor(index)
        parts = (getattr(self, field.name)[chosen] for field in fields(self))
        return Bank(*(part.float() if part.dtype == torch.float16 else part for part in parts))


def rows_of(data: Path, split: Split, *, without: tuple[str, ...] = (), organ: str | None = None) -> list[Row]:
    """Pictures with a truth: of every public set below `data`, or of `data` itself where it has an index.csv.

    A site's own folder is taken whole for training; a public set is always divided, so that nobody trains on its test
    groups by naming its folder. Raises UnusableData; ValueError where no row says which organ it shows.
    """
    rows: list[Row] = []
    for folder in folders_of(data):
        name = folder.resolve().name
        if name in without or (folder != data and name not in SETS):
            continue
        part = split if name in SETS or split != "train" else None
        rows += read_folder(folder, part, organ=organ, otherwise=SETS.get(name))
    known = [row for row in rows if row.mask is not None or row.label == "normal"]
    for row in known:
        if row.organ not in ORGANS:
            raise ValueError(f"row {row.id} of {row.set}: the organ is {row.organ!r}; name it with --organ or a column")
    return known


def build(
    trunk: LesionNet, samples: list[Sample], variants: int, seed: int, say: Callable[[str], None] = lambda line: None
) -> Bank:
    """The bank of `variants` chance variations of every picture, or of the pictures as they are for 0.

    A pure function of its arguments: a resumed run makes the same one again instead of storing gigabytes.
    """
    trunk.eval()
    jobs = [(number, variant) for variant in range(max(1, variants)) for number in range(len(samples))]
    chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]

    def work(chunk: list[tuple[int, int]]) -> Bank:
        return _chunk(trunk, samples, chunk, seed if variants else None)

    torch.set_num_threads(1)  # threads inside operators wait for each other on a busy machine
    with ThreadPoolExecutor(LANES, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        parts = list(pool.map(work, chunks))
    say(f"features of {len(jobs)} pictures")
    return Bank(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Bank)))


def _chunk(trunk: LesionNet, samples: list[Sample], chunk: list[tuple[int, int]], seed: int | None) -> Bank:
    pictures, truths = [], []
    for number, variant in chunk:
        sample = samples[number]
        if seed is None:
            picture, truth = plain(sample.image, sample.mask)
        else:
            rng = np.random.default_rng((seed, number, variant))
            picture, truth = augment(rng, sample.image, sample.mask, SIZE)
        pictures.append(picture)
        truths.append(truth)
    organ = torch.tensor([ORGANS[samples[number].organ] for number, _ in chunk])
    frames = torch.from_numpy(np.stack(pictures)[:, None]).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        seen = trunk.look(frames)
    with torch.no_grad():
        own = torch.sigmoid(seen.logits[torch.arange(len(organ)), organ])[:, None]
        prior = functional.avg_pool2d(own, SIZE // MASK_SIDE)
        truth_small = functional.avg_pool2d(torch.from_numpy(np.stack(truths))[:, None], SIZE // MASK_SIDE)[:, 0] >= 0.5
        deep, fine, edge, half = (part.half().contiguous() for part in (seen.deep, seen.fine, seen.edge, prior))
        return Bank(deep, fine, edge, half, truth_small.to(torch.uint8), organ)
