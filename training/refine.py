"""A last training of a network that has learnt: against lesions missed as a whole, and regions where no breast is.

What it adds to a first training: pictures of other anatomy, in which either organ's output stays empty; parts seen from
near; lesions pasted into other women's tissue; grey levels of other scanners; where the thyroid is and whether there is
any lesion as tasks; what is wrong as a whole weighs more and is shown more often. Norms and the first blocks stay as
they are, which halves a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

from sonovan.models.evaluation.index import FOREIGN, SETS, read_rows
from training.loop import Plan, Run
from training.network import SIZE
from training.samples import SIMULATED_TRAIN_SEED, Sample, load, simulated

SIDE = 384
"""Of the pictures that are kept in memory: one in which a lesion is seen from near has pixels enough."""
RATE = 0.3
"""Factor on the peak rates of a first training."""
PLAN = Plan(
    pretrained=False, encoder_rate=Plan.encoder_rate * RATE, decoder_rate=Plan.decoder_rate * RATE, gland=0.2,
    present=0.1, misses=1.0, close=0.18, paste=0.12, levels=True, hard=0.1, held=4, frozen=True,
)  # fmt: skip


def samples(data: Path, say: Callable[[str], None]) -> tuple[list[Sample], list[Sample]]:
    """Training and validation pictures of every set, of other anatomy and of the simulator."""
    rows = [row for name in (*SETS, FOREIGN) for row in read_rows(data, name, "train")]
    held = [row for name in (*SETS, FOREIGN) for row in read_rows(data, name, "validation")]
    train = load(rows, SIDE) + simulated(SIMULATED_TRAIN_SEED, 60, 10, SIDE, say)
    return train, load(held, SIZE) + simulated(SIMULATED_TRAIN_SEED // 2, 8, 5, SIZE, say)


def refine(
    data: Path, start: Path, out: Path, plan: Plan, say: Callable[[str], None], resume: bool, pause: Path | None
) -> None:
    """Trains from the checkpoint `start`; goes on from the folder's last checkpoint if told. pause: see `Run`."""
    cv2.setNumThreads(1)  # the other threads learn
    train, validation = samples(data, say)
    run = Run(plan, out, train, validation, pause)
    say(f"{len(train)} training samples, {len(validation)} for validation, {run.per_epoch} steps per epoch")
    if resume and run.resume():
        say(f"resumed after epoch {run.epoch}")
    else:
        run.start_from(start)
        say(f"before: {run.history[-1]}")
    run.finish(say)


def plan_for(epochs: int, seed: int) -> Plan:
    """The recipe."""
    return replace(PLAN, epochs=epochs, seed=seed)
