"""The face: `from sonovan import analyse, Analyser`, the `sonovan` command, the embedded run.

Belongs here: what puts rooms together. The only room that may import every other.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonovan.analyser import Analyser as Analyser
    from sonovan.analyser import FrameResult as FrameResult
    from sonovan.analyser import analyse as analyse
    from sonovan.analysis import Analysis as Analysis
    from sonovan.producers.items import Ids as Ids

__all__ = ["Analyser", "Analysis", "FrameResult", "Ids", "analyse"]


def __getattr__(name: str) -> Any:
    """Loads the networks' runtimes with the first use, so that `sonovan --help` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'sonovan' has no attribute {name!r}")
    if name == "Ids":
        from sonovan.producers.items import Ids

        return Ids
    from sonovan import analyser

    return getattr(analyser, name)
