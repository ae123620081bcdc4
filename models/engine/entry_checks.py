"""Check, when a network is loaded, that its files fit its entry in the registry."""

from collections.abc import Sequence

import numpy as np

from sonovan.models.engine.runner import Runner
from sonovan.models.errors import ModelError, WrongWeights, in_one_line
from sonovan.models.heads.companion import Companion
from sonovan.models.registry import Entry


def check_outputs(entry: Entry, runner: Runner) -> None:
    """Run a black picture through the network. Raises WrongWeights that names the entry and the field that its file
    does not fit.
    """
    side = entry.side
    try:
        seen = runner.run(np.zeros((1, 1, side, side), np.float32))
    except ModelError:
        raise
    except Exception as error:  # the runtimes have no common class for what a wrong name may raise
        raise WrongWeights(f"{entry.id}: its file does not run as the registry says: {in_one_line(error)}") from None
    masks = seen[entry.output.name].shape
    if len(masks) != 4 or masks[2:] != (side, side):
        raise WrongWeights(f"{entry.id}: output.name: {entry.output.name} is {masks}, not (1, organs, {side}, {side})")
    for organ, channel in entry.organs.items():
        if channel >= masks[1]:
            raise WrongWeights(
                f"{entry.id}: organs.{organ}: its file has {masks[1]} channels, none is number {channel}"
            )
    for name in entry.output.features:
        if seen[name].ndim != 4:
            raise WrongWeights(
                f"{entry.id}: output.features: {name} is {seen[name].shape}, not (1, channels, rows, columns)"
            )


def check_features(entry: Entry, role: str, needed: Sequence[str]) -> None:
    """Raise WrongWeights if a companion reads a feature that the entry does not name."""
    missing = [name for name in needed if name not in entry.output.features]
    if missing:
        raise WrongWeights(f"{entry.id}: output.features: its companion {role} reads {', '.join(missing)}")


def check_companion(graph: Companion, role: str, takes: Sequence[str], gives: Sequence[str] = ()) -> None:
    """Raise WrongWeights for a graph of another kind: the files of two companions have changed places."""
    if set(graph.inputs) != set(takes) or not set(gives) <= set(graph.outputs):
        told = f"takes {', '.join(graph.inputs)} and gives {', '.join(graph.outputs)}"
        raise WrongWeights(f"the companion {role} {told}: that is another companion's file")
