"""Keep a session's input and outputs in the memory of its device, so that nothing is allocated for each frame."""

from types import ModuleType
from typing import Any

import numpy as np

from sonovan.models.engine.runner import Batch


class FixedBuffers:
    """Buffers for one batch size, bound to a session once. One run at a time.

    device: as onnxruntime calls it, `cuda` or `cpu`.
    """

    def __init__(self, module: ModuleType, session: Any, device: str, outputs: list[str], size: Batch) -> None:
        """outputs: their names. size: any batch of the size that `run` will get."""
        given = session.get_inputs()[0].name
        shapes = [size.shape, *(one.shape for one in session.run(outputs, {given: size}))]
        self._session, self._binding = session, session.io_binding()
        self._input, *self._outputs = [
            module.OrtValue.ortvalue_from_shape_and_type(list(shape), np.float32, device, 0) for shape in shapes
        ]
        self._binding.bind_ortvalue_input(given, self._input)
        for name, value in zip(outputs, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(name, value)

    def run(self, batch: Batch) -> list[Batch]:
        """The outputs in the order of their names, copied out of the buffers."""
        self._input.update_inplace(np.ascontiguousarray(batch, np.float32))
        self._binding.synchronize_inputs()
        self._session.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()
        return [np.array(value.numpy(), np.float32) for value in self._outputs]
