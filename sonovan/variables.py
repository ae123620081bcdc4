"""Every SONOVAN_ variable that the project reads, and the refusal of those that it does not."""

import importlib
import os
import pkgutil
from collections.abc import Iterable, Iterator, Mapping

import sonovan
from sonovan.contracts.settings import ELSEWHERE, PREFIX, refuse_unknown


def refuse_unknown_variables(environment: Mapping[str, str] = os.environ) -> None:
    """Raise Fatal where a SONOVAN_ variable is set that no settings class of the project has a field for.

    It would be ignored without a sign: `SONOVAN_INTENDED_USES` would leave the intended use at its default.
    """
    if any(name.upper().startswith(PREFIX) and name not in ELSEWHERE for name in environment):
        for name in ("sonovan.contracts.broker", "sonovan.contracts.log_lines", *settings_modules()):
            importlib.import_module(name)
        refuse_unknown(environment)


def settings_modules() -> list[str]:
    """Every module called `settings` in the face, in a room, or in a folder of a room (a stage of `stream_apps`)."""
    return sorted(name for name in _modules(sonovan.__path__, "sonovan.", depth=2) if name.endswith(".settings"))


def _modules(path: Iterable[str], prefix: str, depth: int) -> Iterator[str]:
    for found in pkgutil.iter_modules(path, prefix):
        yield found.name
        if found.ispkg and depth:
            yield from _modules(
                [f"{each}/{found.name.rpartition('.')[2]}" for each in path], f"{found.name}.", depth - 1
            )
