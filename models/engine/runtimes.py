"""The two runtimes, imported such that neither reports home: a medical device says nothing to anybody.

`import openvino` sends an event to Google Analytics unless the user's home says otherwise (openvino.tools.ovc calls
openvino_telemetry with its consent dialogue off). onnxruntime 1.29 and later send process, model and session events to
Microsoft from Linux too, unless ORT_DISABLE_TELEMETRY is set before the library is initialised
(microsoft/onnxruntime PR 27379). Nothing else in this project may import them.
"""

import os
import sys
import threading
from types import ModuleType

_importing = threading.Lock()


def onnxruntime() -> ModuleType:
    """The module onnxruntime, silent."""
    with _importing:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime as module

        module.disable_telemetry_events()
        return module  # type: ignore[no-any-return]  # untyped package


def openvino() -> ModuleType:
    """The module openvino, silent: without openvino_telemetry it falls back to its own stub."""
    with _importing:
        if "openvino" not in sys.modules:
            sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # the import system's way to forbid one
        import openvino as module

        return module  # type: ignore[no-any-return]  # untyped package
