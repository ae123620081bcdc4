"""Compute frames that wait together as one batch, for devices that compute eight frames as fast as one."""

import threading
from dataclasses import dataclass

import numpy as np

from sonovan.models.engine.runner import Batch, Outputs, Runner


@dataclass(eq=False)
class _Waiting:
    frame: Batch
    outputs: Outputs | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.outputs is not None or self.error is not None


class Batcher:
    """A runner that computes the frames of several callers together.

    Nobody waits for a batch to fill: a caller that finds the runner idle takes all frames that wait, up to `size`, and
    runs them. Every batch has `size` frames, filled up with blank ones, because runtimes choose their kernels by shape:
    so the bits of a frame's result do not depend on how many others were in its batch.
    """

    def __init__(self, runner: Runner, size: int) -> None:
        self._runner, self._size = runner, size
        self._turn = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._busy = False

    @property
    def name(self) -> str:
        """The name of the runner inside."""
        return self._runner.name

    def waiting(self) -> int:
        """How many frames wait for the end of the batch that runs now."""
        with self._turn:
            return len(self._waiting)

    def run(self, batch: Batch) -> Outputs:
        """See `Runner.run`. Raises what the runner raised, in every caller whose frame was in that batch."""
        mine = [_Waiting(frame[None]) for frame in batch]
        with self._turn:
            self._waiting += mine
        for one in mine:
            while not one.done:
                self._step(one)
        for one in mine:
            if one.error is not None:
                raise one.error
        found = [one.outputs for one in mine if one.outputs is not None]
        return {name: np.concatenate([outputs[name] for outputs in found]) for name in found[0]}

    def _step(self, mine: _Waiting) -> None:
        """Wait for another caller's batch to end, or run one."""
        with self._turn:
            if mine.done:
                return
            if self._busy:
                self._turn.wait()
                return
            self._busy = True
            taken, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        try:
            self._together(taken)
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()

    def _together(self, taken: list[_Waiting]) -> None:
        block = np.zeros((self._size, *taken[0].frame.shape[1:]), np.float32)
        for number, one in enumerate(taken):
            block[number] = one.frame[0]
        try:
            outputs = self._runner.run(block)
        except BaseException as error:
            for one in taken:
                one.error = error
            return
        for number, one in enumerate(taken):
            one.outputs = {name: values[number : number + 1] for name, values in outputs.items()}
