"""The face: `from sonovan import analyse`, the `sonovan` command, the embedded run.

Belongs here: what puts rooms together. The only room that may import every other.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonovan.analysis import Analysis as Analysis
    from sonovan.analysis import analyse as analyse
    from sonovan.producers.items import Ids as Ids

__all__ = ["Analysis", "Ids", "analyse"]


def __getattr__(name: str) -> Any:
    """Loads the networks' runtimes with the first use, so that `sonovan --help` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'sonovan' has no attribute {name!r}")
    if name == "Ids":
        from sonovan.producers.items import Ids

        return Ids
    from sonovan import analysis

    return getattr(analysis, name)
