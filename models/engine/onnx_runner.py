"""onnxruntime: the reference on CPUs, and the only runtime for GPUs."""

import contextlib
import sys
import threading
from typing import Any, Final

import numpy as np

from sonovan.models.engine.buffers import FixedBuffers
from sonovan.models.engine.runner import GPU_DRIVER, Batch, Outputs
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.errors import ProviderNotGiven
from sonovan.models.registry import Entry

_NAMES: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_SILENT: Final = 4
"""Only what is fatal is logged: a provider that fails to load is an exception here, not a log line."""


class OnnxRunner:
    """One session. On CPUs a frame runs on one thread: the same bits on any number of cores, frames side by side.

    On GPUs one batch runs at a time, in buffers that stay on the device.
    """

    def __init__(self, weights: bytes, entry: Entry, provider: str, precision: str) -> None:
        """Raises ProviderNotGiven when the session does not run on the provider that was asked for."""
        module = onnxruntime()
        wanted = _NAMES[provider]
        if wanted not in module.get_available_providers():
            raise ProviderNotGiven(f"{provider}/{precision} was asked for, but this onnxruntime has no {wanted}")
        options = module.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        if provider != "cpu":
            _prepare_gpu(module, provider, precision)
        session = module.InferenceSession(weights, options, providers=[(wanted, _options(provider, precision))])
        given = session.get_providers()
        if given[0] != wanted:
            raise ProviderNotGiven(f"{provider}/{precision} was asked for, but onnxruntime gave {', '.join(given)}")
        self._module, self._session = module, session
        self._device = None if provider == "cpu" else "cuda"
        self._buffers: dict[int, FixedBuffers] = {}
        self._turn = threading.Lock()
        self._input, self._outputs = entry.input.name, [entry.output.name, *entry.output.features]
        self._name = f"{provider}/{precision}"

    @property
    def name(self) -> str:
        """`cpu/fp32`, `cuda/fp32` …"""
        return self._name

    def run(self, batch: Batch) -> Outputs:
        """See `Runner.run`."""
        found = (
            self._session.run(self._outputs, {self._input: batch})
            if self._device is None
            else self._bound(batch, self._device)
        )
        return {name: np.asarray(one, np.float32) for name, one in zip(self._outputs, found, strict=True)}

    def _bound(self, batch: Batch, device: str) -> list[Batch]:
        size = batch.shape[0]
        with self._turn:
            if size not in self._buffers:
                self._buffers[size] = FixedBuffers(self._module, self._session, device, self._outputs, batch)
            return self._buffers[size].run(batch)


def _options(provider: str, precision: str) -> dict[str, Any]:
    if provider == "cuda":
        # TF32 has ten bits of mantissa and is no float32; a search by timing gives other bits with each start
        return {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    if provider == "tensorrt":
        return {"trt_fp16_enable": str(precision == "fp16")}
    return {}


def _prepare_gpu(module: Any, provider: str, precision: str) -> None:
    if not GPU_DRIVER.exists():
        raise ProviderNotGiven(f"{provider}/{precision} was asked for, but this machine has no NVIDIA driver")
    module.set_default_logger_severity(_SILENT)
    with contextlib.redirect_stdout(sys.stderr):  # it prints what it misses; standard output belongs to --json
        module.preload_dlls()
