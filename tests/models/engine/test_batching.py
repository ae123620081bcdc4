"""Batches of what waits: real sessions on the CPU, the same code that a GPU runs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sonovan.models.engine.batching import Batcher
from sonovan.models.engine.buffers import FixedBuffers
from sonovan.models.engine.choose import open_runner
from sonovan.models.engine.runner import Batch, Outputs, Runner
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.registry import Entry, read_registry, read_weights


@pytest.fixture(scope="module")
def shipped() -> tuple[bytes, Entry]:
    entry = read_registry().entry()
    return read_weights(entry), entry


@pytest.fixture(scope="module")
def runner(shipped: tuple[bytes, Entry]) -> Runner:
    return open_runner(*shipped, "cpu", "fp32")


@pytest.fixture(scope="module")
def frames(shipped: tuple[bytes, Entry]) -> Batch:
    side = shipped[1].side
    return np.random.default_rng(0).gamma(2.0, 30.0, (6, 1, side, side)).clip(0, 255).astype(np.float32)


class Held:
    """A real runner that holds its first batch back until it is told to go on, and notes how many frames each had."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.name = runner.name
        self.sizes: list[int] = []
        self.started, self.go_on = threading.Event(), threading.Event()

    def run(self, batch: Batch) -> Outputs:
        self.sizes.append(int((batch.reshape(len(batch), -1).max(1) > 0).sum()))
        self.started.set()
        assert self.go_on.wait(60)
        return self._runner.run(batch)


class Refusing:
    """A runner whose device has gone."""

    name = "cuda/fp32"

    def run(self, batch: Batch) -> Outputs:
        raise RuntimeError(f"no device for {len(batch)} frames")


def test_frames_that_wait_are_computed_together_and_nobody_waits_for_company(runner: Runner, frames: Batch) -> None:
    held = Held(runner)
    batcher = Batcher(held, 4)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batcher.run, frames[:1])
        assert held.started.wait(60)  # alone: it did not wait
        deadline = time.monotonic() + 60
        others = [pool.submit(batcher.run, frames[number : number + 1]) for number in range(1, 6)]
        while batcher.waiting() < 5:
            assert time.monotonic() < deadline
        held.go_on.set()
        found = [first.result(60), *(other.result(60) for other in others)]
    assert held.sizes == [1, 4, 1]
    assert all(one["masks"].shape == (1, 2, *frames.shape[2:]) for one in found)


def test_a_frames_bits_depend_on_no_neighbour(runner: Runner, frames: Batch) -> None:
    batcher = Batcher(runner, 3)
    alone = [batcher.run(frame[None])["masks"] for frame in frames]
    together = batcher.run(frames)["masks"]
    assert (together == np.concatenate(alone)).all()
    with ThreadPoolExecutor(5) as pool:
        beside = list(pool.map(lambda number: batcher.run(frames[number % 6][None])["masks"], range(12)))
    assert all((masks == alone[number % 6]).all() for number, masks in enumerate(beside))
    np.testing.assert_allclose(together[:1], runner.run(frames[:1])["masks"], atol=1e-4)


def test_an_error_reaches_every_caller_and_the_next_batch_runs(frames: Batch) -> None:
    batcher = Batcher(Refusing(), 4)
    for _ in range(2):
        with ThreadPoolExecutor(3) as pool:
            calls = [pool.submit(batcher.run, frames[:1]) for _ in range(3)]
            for call in calls:
                with pytest.raises(RuntimeError, match="no device for 4 frames"):
                    call.result(60)


def test_fixed_buffers_give_what_the_session_gives(shipped: tuple[bytes, Entry], frames: Batch) -> None:
    weights, entry = shipped
    module = onnxruntime()
    options = module.SessionOptions()
    options.intra_op_num_threads = 1
    session = module.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    outputs = [entry.output.name, *entry.output.features]
    buffers = FixedBuffers(module, session, "cpu", outputs, frames[:2])
    kept = buffers.run(frames[:2])
    for batch in (frames[2:4], frames[:2]):
        for found, expected in zip(buffers.run(batch), session.run(outputs, {entry.input.name: batch}), strict=True):
            assert (found == expected).all()
    assert (kept[0] == buffers.run(frames[:2])[0]).all()  # what was handed out is no view of the buffers
