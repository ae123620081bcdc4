"""Every exhibit through the frozen trunk: what the head reads, and what is true of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonovan.models.heads.trust import FEATURES, coloured, evidence
from sonovan.models.picture.letterbox import Gray, Letterbox, letterbox
from sonovan.models.picture.view import find_view
from training.heads import BATCH, Array, Trunk, say
from training.network import SIZE
from training.trust.sources import PICTURES_PER_FAMILY, Exhibit, cines, foreign, good, grey_of, made, other, simulated

_TEXT = ("name", "family", "kind", "truth", "part")


@dataclass(frozen=True)
class Evidence:
    """values: (N, F) float32. name, family, kind, truth, part: (N,) text. seen: (N,) bool, training saw the kind."""

    values: Array
    name: NDArray[np.str_]
    family: NDArray[np.str_]
    kind: NDArray[np.str_]
    truth: NDArray[np.str_]
    part: NDArray[np.str_]
    seen: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> Evidence:
        """The exhibits that are chosen."""
        return Evidence(**{name: array[chosen] for name, array in self.__dict__.items()})

    def save(self, path: Path) -> None:
        """Values in float16: a third of a thousandth, far below what pictures of one sweep differ by."""
        np.savez_compressed(path, **{**self.__dict__, "values": self.values.astype(np.float16)})


def load(path: Path) -> Evidence:
    """What `Evidence.save` wrote."""
    with np.load(path) as stored:
        return Evidence(**{name: stored[name] for name in stored.files if name != "values"}, values=_wide(stored))


def _wide(stored: Any) -> Array:
    return np.asarray(stored["values"], np.float32)


def gather(data: Path, stills: Path, trunk: Trunk) -> Evidence:
    """All exhibits; some 3,900 pictures, about three minutes on two idle cores."""
    exhibits = chain(
        good(data), cines(data), simulated({"train": 16, "validation": 8, "held": 10}, 4),
        other(data, 1), foreign(stills, PICTURES_PER_FAMILY), made(36),
    )  # fmt: skip
    rows: list[Array] = []
    about: list[Exhibit] = []
    waiting: list[Exhibit] = []
    for exhibit in exhibits:
        waiting.append(exhibit)
        if len(waiting) == 8 * BATCH:
            rows += _look(waiting, trunk)
            about += [_bare(one) for one in waiting]
            waiting.clear()
            if len(about) % 256 == 0:
                say(f"{len(about)} pictures seen")
    rows += _look(waiting, trunk)
    about += [_bare(one) for one in waiting]
    texts = {name: np.array([getattr(one, name) for one in about]) for name in _TEXT}
    return Evidence(np.stack(rows), **texts, seen=np.array([one.seen for one in about]))


def _look(exhibits: Iterable[Exhibit], trunk: Trunk) -> list[Array]:
    whole = list(exhibits)
    boxed = [_boxed(grey_of(one.pixels)) for one in whole]
    rows = []
    for one, (square, fit), seen in zip(whole, boxed, trunk.look([square for square, _ in boxed]), strict=True):
        features = {name: seen[name][0] for name in FEATURES}
        rows.append(evidence(square, fit, coloured(one.pixels), features))
    return rows


def _boxed(grey: Gray) -> tuple[Gray, Letterbox]:
    """The field that `segment` would show to the network."""
    left, top, width, height = find_view(grey).box
    return letterbox(grey[top : top + height, left : left + width], SIZE)


def _bare(one: Exhibit) -> Exhibit:
    """Without its pixels: six thousand pictures would fill the memory."""
    return Exhibit(one.name, one.family, one.kind, one.truth, one.part, one.seen, one.pixels[:1, :1].copy())
