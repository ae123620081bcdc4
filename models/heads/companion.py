"""Run a companion's graph: onnxruntime on the CPU with one thread, which gives the same bits on any machine's cores."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.errors import UnusablePicture, WrongWeights

_SILENT: Final = 4


class Companion:
    """One small graph. `run` may be called from several threads at once."""

    def __init__(self, graph: bytes, role: str) -> None:
        """Raises WrongWeights where onnxruntime cannot read the graph."""
        self._role = role
        module = onnxruntime()
        options = module.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        try:
            self._session = module.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no common class for what a wrong file may raise
            raise WrongWeights(f"the companion {role} is no graph that can be run: {error}") from None
        self._inputs = {given.name: tuple(given.shape) for given in self._session.get_inputs()}
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def inputs(self) -> dict[str, tuple[int | str, ...]]:
        """Names and shapes of the inputs; a size that may vary is a name."""
        return self._inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(self._outputs)

    def run(self, inputs: Mapping[str, NDArray[np.float32] | NDArray[np.int64]]) -> dict[str, NDArray[np.float32]]:
        """All outputs by name."""
        found = self._session.run(self._outputs, dict(inputs))
        given = {name: np.asarray(one, np.float32) for name, one in zip(self._outputs, found, strict=True)}
        return finite(self._role, given)


def finite(name: str, given: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The values that a graph gave, unchanged.

    Raises UnusablePicture for NaN and infinity: comparisons with them are all false, so that they would look like a
    picture in which nothing was found.
    """
    for output, values in given.items():
        if not np.isfinite(values).all():
            raise UnusablePicture("not_finite", f"{name} gives no number in {output}: this picture is not judged")
    return given
