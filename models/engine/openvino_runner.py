"""openvino: the fast runtime for CPUs of any maker, in float32, bfloat16 or eight bits."""

import queue
import threading
from typing import Any, Final

import numpy as np

from sonovan.models.engine.cpu import usable_cores
from sonovan.models.engine.runner import Batch, Outputs
from sonovan.models.engine.runtimes import openvino
from sonovan.models.errors import ProviderNotGiven
from sonovan.models.registry import Entry

_HINTS: Final = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""What is computed where the file says nothing else; an int8 file's remaining layers are float32 on every CPU."""
_CAPABILITIES: Final = {"fp32": "FP32", "bf16": "BF16", "int8": "INT8"}
MAX_STREAMS: Final = 16


class OpenVinoRunner:
    """One compiled network per batch size, each with a stream of one thread per core.

    A stream of one thread gives the same bits on any number of cores, and frames run side by side; a caller beyond
    the number of streams waits for a free one.
    """

    def __init__(self, weights: bytes, entry: Entry, precision: str, streams: int | None = None) -> None:
        """Raises ProviderNotGiven when this CPU does not compute in `precision`."""
        module = openvino()
        self._core = module.Core()
        able = list(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        if _CAPABILITIES[precision] not in able:  # openvino would silently compute in float32
            raise ProviderNotGiven(f"openvino/{precision} was asked for, but this CPU offers {', '.join(able)}")
        self._weights, self._entry, self._precision = weights, entry, precision
        self._features = entry.output.features
        self._outputs = (entry.output.name, *self._features)
        self._streams = streams or min(usable_cores(), MAX_STREAMS)
        self._compiled: dict[int, queue.SimpleQueue[Any]] = {}
        self._compiling = threading.Lock()
        # openvino's bindings prepare something at the first inference, inside a C++ static's guard that lets go of the
        # GIL: two threads whose first inferences meet there wait for each other for ever (2026.4, seen in a worker).
        self.run(np.zeros((1, 1, entry.side, entry.side), np.float32))

    @property
    def name(self) -> str:
        """`openvino/bf16` …"""
        return f"openvino/{self._precision}"

    def run(self, batch: Batch) -> Outputs:
        """See `Runner.run`."""
        idle = self._requests(batch.shape[0])
        request = idle.get()
        try:
            request.infer({0: np.ascontiguousarray(batch, np.float32)}, share_inputs=True)
            read = {name: np.array(request.get_tensor(name).data, np.float32) for name in self._outputs}
            return {name: one.transpose(0, 3, 1, 2) if name in self._features else one for name, one in read.items()}
        finally:
            idle.put(request)

    def _requests(self, size: int) -> "queue.SimpleQueue[Any]":
        with self._compiling:
            if size not in self._compiled:
                self._compiled[size] = self._compile(size)
            return self._compiled[size]

    def _compile(self, size: int) -> "queue.SimpleQueue[Any]":
        model = self._core.read_model(self._weights)
        side = self._entry.side
        model.reshape({self._entry.input.name: [size, 1, side, side]})
        model = _channels_last(model, self._features)
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[self._precision],
            "NUM_STREAMS": self._streams,
            "INFERENCE_NUM_THREADS": self._streams,
            "ENABLE_CPU_PINNING": False,  # two workers on one machine would pin themselves to the same cores
            "ENABLE_HYPER_THREADING": True,  # a core that the system grants is used, whichever kind it is
        }
        compiled = self._core.compile_model(model, "CPU", settings)
        given = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if given != _HINTS[self._precision]:
            raise ProviderNotGiven(f"{self.name} was asked for, but openvino computes in {given}")
        idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(compiled.get_property("NUM_STREAMS")):
            idle.put(compiled.create_infer_request())
        return idle


def _channels_last(model: Any, names: tuple[str, ...]) -> Any:
    """The model with these outputs (N, rows, columns, channels), as openvino holds them inside.

    Bringing the largest into numpy's order cost a tenth of the whole inference (2026.4); a view costs nothing.
    """
    module = openvino()
    if not names:
        return model
    changed = module.preprocess.PrePostProcessor(model)
    for name in names:
        changed.output(name).model().set_layout(module.Layout("NCHW"))
        changed.output(name).tensor().set_layout(module.Layout("NHWC"))
    return changed.build()
