"""Metrics in the text format that Prometheus reads, for every program of the project; no library is needed (0020).

Source: Prometheus text exposition format 0.0.4.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Described:
    """A metric's name, kind (`counter`, `gauge` or `histogram`), labels in their order, and what it says."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str

    def head(self) -> Iterator[str]:
        """The two lines that stand before its values."""
        yield f"# HELP {self.name} {self.says}"
        yield f"# TYPE {self.name} {self.kind}"

    def line(self, own: Mapping[str, str], labels: Iterable[str], value: float) -> str:
        """One value. own: labels that every metric of the program has. labels: the values of its own ones."""
        return line(self.name, {**own, **dict(zip(self.labels, labels, strict=True))}, value)


@dataclass
class Times:
    """A histogram of how long something took. bounds_s: upper bounds in seconds, the one of +Inf left out."""

    bounds_s: tuple[float, ...]
    counts: list[int] = field(init=False)
    total_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds_s) + 1)

    def add(self, elapsed_s: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds_s, elapsed_s)] += 1
        self.total_s += elapsed_s

    def lines(self, name: str, labels: Mapping[str, str]) -> Iterator[str]:
        """Its values, without the lines that stand before them."""
        for bound, total in zip((*map(str, self.bounds_s), "+Inf"), accumulate(self.counts), strict=True):
            yield line(f"{name}_bucket", {**labels, "le": bound}, total)
        yield line(f"{name}_sum", labels, self.total_s)
        yield line(f"{name}_count", labels, sum(self.counts))


def line(name: str, labels: Mapping[str, str], value: float) -> str:
    """One value with its labels."""
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{written}}} {value:.9g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
