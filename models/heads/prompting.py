"""Answer prompts: points, boxes and masks on one picture, in milliseconds once the picture is embedded.

    prompter = load_prompter()
    seen = prompter.embed(pixels, "breast")
    first = prompter.first(seen)                          # what the stream outlines
    better = prompter.segment(seen, points=[Point(211, 140, True)], mask=first)

The network's features are the embedding; the companion `prompt` reads them (docs/prompts.md names its inputs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.choose import choose
from sonovan.models.engine.entry_checks import check_outputs
from sonovan.models.engine.runner import Outputs, Runner
from sonovan.models.errors import WrongWeights
from sonovan.models.heads.companion import Companion
from sonovan.models.panel import organ_channel, panel_of, run_network
from sonovan.models.picture.letterbox import Box, Letterbox, enlarge, inside
from sonovan.models.picture.prepare import to_grey, whole_or
from sonovan.models.picture.view import find_view
from sonovan.models.registry import WEIGHTS_DIR, Entry, read_companion, read_registry, read_variants, read_weights
from sonovan.models.settings import read_settings

Field = NDArray[np.float32]

SURE: Final = 8.0
"""The logit of the pixels of a mask that somebody drew, the same as in training."""
EVEN: Final = 0.5
"""A pixel belongs to the automatic mask from this probability on, where the decoder's logits change their sign."""
LEAST_QUALITY: Final = 0.56
"""An outline is reliable from this expected Dice on where the registry has no `quality_least` of its own."""
_NOT_A_POINT: Final = -1.0
_CORNERS: Final = (2.0, 3.0)


class Point(NamedTuple):
    """A click at (column, row) of the stored frame. lesion: True if the place belongs to the lesion, False if not."""

    column: float
    row: float
    lesion: bool


@dataclass(frozen=True, eq=False)
class Embedding:
    """One picture as the network sees it, for any number of prompts. About 1.5 MB.

    seen: the network's outputs for it alone. channel: the organ's output. side: of the network's square; fit: where
    `box` lies in it. box: what of the frame the network was shown. size: (rows, columns) of the frame.
    """

    seen: Outputs
    organ: str
    channel: int
    side: int
    fit: Letterbox
    box: Box
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Outlined:
    """The answer to a prompt.

    mask: (rows, columns) bool at the frame's size. predicted_iou: the IoU that the network expects of it, 0..1.
    logits: (side, side) float32, the answer in the network's square; pass the whole object as the next prompt's mask.
    """

    mask: NDArray[np.bool_]
    predicted_iou: float
    logits: Field


@dataclass(frozen=True, eq=False)
class Shown:
    """What the stream outlines in one square: the probability (side, side), its threshold, and the expected Dice."""

    square: Field
    threshold: float
    quality: float | None = None

    @property
    def hot(self) -> NDArray[np.bool_]:
        """(side, side): what counts."""
        return self.square >= self.threshold


class MaskDecoder:
    """The companion `prompt` alone, in the network's square. May be called from several threads at once."""

    def __init__(self, graph: bytes, side: int, settings: Mapping[str, float]) -> None:
        """side: of the network's square. Raises WrongWeights for a graph that cannot be run or takes no mask."""
        self._graph, self.side, self.settings = Companion(graph, "prompt"), side, dict(settings)
        shape = self._graph.inputs.get("mask_input", ())
        if len(shape) != 4 or not isinstance(shape[3], int):
            raise WrongWeights("the companion prompt has no input mask_input of a fixed size")
        self._mask_side = shape[3]

    def masks(
        self, seen: Outputs, organ: int, points: Field, labels: Field, mask: Field | None = None
    ) -> tuple[Field, Field]:
        """All masks that the graph offers, (M, side/n, side/n) logits, and the IoU (M,) that it expects of each.

        points: (K, 2) column and row in pixels of the square; labels: (K,) 1 lesion, 0 not, 2 and 3 corners of a box.
        mask: square logits of any size, of what is to be corrected.
        """
        if not (labels >= _CORNERS[0]).any():  # SAM learned points alone with one that is none, boxes without it
            points = np.concatenate((points, np.zeros((1, 2), np.float32)))
            labels = np.append(labels, np.float32(_NOT_A_POINT))
        small = np.zeros((self._mask_side, self._mask_side), np.float32)
        if mask is not None:
            small = np.asarray(cv2.resize(mask, small.shape, interpolation=cv2.INTER_AREA), np.float32)
        offered: dict[str, Field | NDArray[np.int64]] = {
            **{name: one[:1] for name, one in seen.items()},
            "organ": np.array([organ], np.int64),
            "point_coords": points.astype(np.float32)[None],
            "point_labels": labels.astype(np.float32)[None],
            "mask_input": small[None, None],
            "has_mask_input": np.array([mask is not None], np.float32),
        }
        found = self._graph.run({name: offered[name] for name in self._graph.inputs})
        return found["logits"][0], found["iou"][0]

    def automatic(self, seen: Outputs, organ: int) -> tuple[Field, float]:
        """The mask that it draws without a prompt, (side, side) float32 probability, and the IoU that it expects."""
        logits, iou = self.masks(seen, organ, np.zeros((0, 2), np.float32), np.zeros(0, np.float32))
        return _probability(_resized(logits[0], self.side)), float(iou[0])

    def shown(self, seen: Outputs, own: Shown, organ: str, channel: int) -> Shown:
        """The mask that the stream shows: the automatic one if the registry says so, else the network's own.

        With it comes its expected Dice. If the network's own mask is shown and is empty, the decoder is not run at all.
        """
        draws = self.draws(organ)
        if not draws and not own.hot.any():
            return own
        soft, iou = self.automatic(seen, channel)
        quality = self.quality(iou, agreement(own.hot, soft >= EVEN))
        return Shown(soft, EVEN, quality) if draws else Shown(own.square, own.threshold, quality)

    def draws(self, organ: str) -> bool:
        """Whether the stream outlines this organ by the automatic mask instead of the network's own."""
        return self.settings.get(f"automatic_{organ}", 0.0) > 0.5

    def quality(self, iou: float, agreed: float) -> float:
        """The Dice that a mask can be expected to have, 0..1.

        iou: what the decoder expects of its own mask. agreed: Dice of the network's mask with it.
        The line through them was fitted on validation pictures: settings `quality_offset`, `_dice`, `_agreement`.
        """
        sure = min(1.0, max(0.0, iou))  # a decoder's own estimate has no bounds
        expected = 2 * sure / (1 + sure)
        told = self.settings.get("quality_offset", 0.0)
        told += self.settings.get("quality_dice", 1.0) * expected
        told += self.settings.get("quality_agreement", 0.0) * agreed
        return round(min(1.0, max(0.0, told)), 4)

    def relies_on(self, quality: float | None) -> bool:
        """Whether outlines of this expected Dice are reliable; those of which nothing is expected are not.

        The bound is the setting `quality_least`; docs/accuracy.md has what lies below it.
        """
        return quality is not None and quality >= self.quality_least

    @property
    def quality_least(self) -> float:
        """The expected Dice from which on an outline is reliable."""
        return self.settings.get("quality_least", LEAST_QUALITY)


class Prompter:
    """A network with its companion `prompt`. Every method may be called from several threads at once."""

    def __init__(self, entry: Entry, runner: Runner, decoder: MaskDecoder) -> None:
        self._entry, self._runner, self._decoder = entry, runner, decoder

    @property
    def model_id(self) -> str:
        """The network's id in the registry."""
        return self._entry.id

    def embed(
        self,
        pixels: NDArray[np.uint8] | NDArray[np.uint16],
        organ: str,
        panel: Box | None = None,
        spacing_mm: tuple[float, float] | None = None,
    ) -> Embedding:
        """Runs the network once; keep the result for as long as somebody looks at the picture.

        pixels, organ and spacing_mm as for `Segmenter.segment`. panel: (left, top, width, height); None: the frame is
        searched for the field that the stream would look at.
        Raises UnusablePicture for pixels that can never be segmented, and for an organ that the network does not know.
        """
        channel = organ_channel(self._entry, organ)
        grey = to_grey(pixels)
        size = (grey.shape[0], grey.shape[1])
        box = find_view(grey).box if panel is None else whole_or([panel], size)[0]
        shown = panel_of(grey, box, spacing_mm, self._entry)
        seen = run_network(self._entry, self._runner, shown, channel)
        return Embedding(seen, organ, channel, self._entry.side, shown.fit, box, size)

    def first(self, embedding: Embedding) -> Outlined:
        """The mask that the stream shows, as a start for corrections: the network's own, or the automatic one.

        Where the automatic one is empty it is the network's own, as in the stream. Specks too small for the stream are
        part of it; regions that stand there unconfirmed beside a drawn one are not. Its predicted IoU is that of the
        automatic mask, which is what the decoder judges.
        """
        soft, iou = self._decoder.automatic(embedding.seen, embedding.channel)
        shown = Shown(soft, EVEN)
        if not self._decoder.draws(embedding.organ) or not (soft >= EVEN).any():
            own = embedding.seen[self._entry.output.name][0, embedding.channel]
            shown = Shown(own, self._entry.threshold)
        # moved so that the threshold lies at 0, where every answer's border lies
        logits = _logit(shown.square) - np.float32(np.log(shown.threshold / (1 - shown.threshold)))
        return Outlined(_on_frame(embedding, shown.square, shown.threshold), iou, logits)

    def segment(
        self,
        embedding: Embedding,
        points: Sequence[Point] = (),
        boxes: Sequence[Box] = (),
        mask: Outlined | NDArray[np.bool_] | None = None,
    ) -> Outlined:
        """The mask that the prompts ask for; without any, the automatic one. Coordinates are those of the frame.

        boxes: (left, top, width, height); the network learned from one at a time. mask: what is to be corrected: an
        earlier answer, or (rows, columns) bool at the frame's size.
        A lone point may mean several things: the answer expected to be best is given. Anything more has one answer.
        Raises ValueError for a mask of another size than the frame's.
        """
        places, labels = _prompts(embedding, points, boxes)
        before = mask.logits if isinstance(mask, Outlined) else None if mask is None else _drawn(embedding, mask)
        logits, iou = self._decoder.masks(embedding.seen, embedding.channel, places, labels, before)
        alone = len(labels) == 1 and mask is None and len(iou) > 1
        best = 1 + int(iou[1:].argmax()) if alone else 0
        square = _resized(logits[best], embedding.side)
        return Outlined(_on_frame(embedding, square, 0.0), float(iou[best]), square)


def load_prompter(
    model_id: str | None = None, *, provider: str = "auto", precision: str = "auto", weights_dir: Path | None = None
) -> Prompter:
    """A network of the registry with its companion `prompt`; arguments as for `sonovan.models.load`.

    Raises WrongWeights, also where the network has no such companion, or ProviderNotGiven.
    """
    settings = read_settings()
    folder = weights_dir or settings.weights_dir or WEIGHTS_DIR
    entry = read_registry(folder).entry(model_id)
    decoder = read_decoder(entry, folder)
    if decoder is None:
        raise WrongWeights(f"{entry.id} has no companion `prompt`: it answers no clicks")
    wanted = settings.provider if provider == "auto" else provider
    exactness = settings.precision if precision == "auto" else precision
    runner = choose(read_weights(entry, folder), entry, wanted, exactness, read_variants(entry, folder))
    check_outputs(entry, runner)
    return Prompter(entry, runner, decoder)


def read_decoder(entry: Entry, folder: Path = WEIGHTS_DIR) -> MaskDecoder | None:
    """The decoder of a network, its file verified; None where it has none. Raises WrongWeights."""
    graph = read_companion(entry, "prompt", folder)
    return None if graph is None else MaskDecoder(graph, entry.side, entry.companions["prompt"].settings)


def _prompts(embedding: Embedding, points: Sequence[Point], boxes: Sequence[Box]) -> tuple[Field, Field]:
    """(K, 2) places in the square, centres of pixels at whole numbers, and (K,) labels."""
    places: list[tuple[float, float]] = []
    labels: list[float] = []
    for left, top, width, height in boxes:
        places += [(left, top), (left + width - 1, top + height - 1)]
        labels += _CORNERS
    for point in points:
        places.append((point.column, point.row))
        labels.append(float(point.lesion))
    fit, box = embedding.fit, embedding.box
    scale = np.array((fit.width / box[2], fit.height / box[3]))
    found = (np.array(places, np.float64).reshape(-1, 2) - box[:2] + 0.5) * scale - 0.5 + (fit.left, fit.top)
    return found.astype(np.float32), np.array(labels, np.float32)


def _drawn(embedding: Embedding, mask: NDArray[np.bool_]) -> Field:
    """A mask of the frame as logits (side, side) of the square, from -SURE to SURE."""
    if mask.shape != embedding.size:
        rows, columns = embedding.size
        raise ValueError(f"the mask is {mask.shape}, the frame has {rows} rows and {columns} columns")
    (left, top, width, height), fit = embedding.box, embedding.fit
    part = mask[top : top + height, left : left + width].astype(np.float32)
    square = np.zeros((embedding.side, embedding.side), np.float32)
    how = cv2.INTER_AREA if fit.width < width else cv2.INTER_LINEAR
    square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = cv2.resize(
        part, (fit.width, fit.height), interpolation=how
    )
    return np.asarray((2 * square - 1) * SURE, np.float32)


def _on_frame(embedding: Embedding, square: Field, least: float) -> NDArray[np.bool_]:
    """Where a square (side, side) reaches `least`, at the frame's size; strip by strip, so that a huge frame fits."""
    left, top, width, height = embedding.box
    mask = np.zeros(embedding.size, np.bool_)
    part = np.ascontiguousarray(inside(square, embedding.fit))
    for row, strip in enlarge(part, (height, width), 0, height):
        mask[top + row : top + row + strip.shape[0], left : left + width] = strip >= least
    return mask


def _resized(logits: Field, side: int) -> Field:
    return np.asarray(cv2.resize(logits, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Dice of two masks of one shape; 1 where both are empty."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def _logit(probability: Field) -> Field:
    faint = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(faint) - np.log1p(-faint), np.float32)


def _probability(logits: Field) -> Field:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
