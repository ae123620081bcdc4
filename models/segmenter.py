"""Segment frames: pixels in, regions out. This is what other rooms use of the networks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.choose import choose
from sonovan.models.engine.entry_checks import check_features, check_outputs
from sonovan.models.engine.runner import Runner
from sonovan.models.heads.lesions import Lesions
from sonovan.models.heads.prompting import MaskDecoder, Shown, read_decoder
from sonovan.models.heads.region_vector import INSIDE
from sonovan.models.heads.trust import FEATURES, Trust, coloured
from sonovan.models.panel import organ_channel, panel_of, run_network
from sonovan.models.picture.colour import DOPPLER, colour_reason
from sonovan.models.picture.field import find_field
from sonovan.models.picture.letterbox import Box, Gray, Letterbox
from sonovan.models.picture.prepare import to_grey, whole_or
from sonovan.models.picture.quality import Quality, panel_quality, sharpness
from sonovan.models.picture.view import View, find_view, part_of
from sonovan.models.regions import FoundRegion, find_regions, in_order, left_out, paint, unconfirmed, weighty
from sonovan.models.registry import WEIGHTS_DIR, Entry, read_companion, read_registry, read_variants, read_weights
from sonovan.models.settings import read_settings


@dataclass(frozen=True)
class Refusal:
    """A panel that cannot be assessed: its index among the frame's panels, and the reason as a code."""

    panel: int
    reason: str


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The result of segmenting one frame.

    regions: largest first; a region's index is its ordinal. labels: (rows, columns) uint8, ordinal + 1 where a region
    lies and 0 elsewhere. quality: 0..1. assessable: whether any panel could be assessed; if not, `reason` has the code
    and there are no regions. grey: (rows, columns) uint8, the picture that was segmented.
    timings_ms: of the steps `prepare`, `network`, `regions`, and `trust` and `lesions` if the network has these
    companions.
    refusals: every panel that could not be assessed, also if another panel of the frame could; what such a panel shows
    is not known. sharpness: that of the largest assessable panel (`sonovan.models.picture.quality.sharpness`).
    """

    regions: tuple[FoundRegion, ...]
    labels: NDArray[np.uint8]
    quality: float
    assessable: bool
    reason: str | None
    grey: Gray
    timings_ms: dict[str, float]
    refusals: tuple[Refusal, ...] = ()
    sharpness: tuple[float, float] | None = None


class Segmenter:
    """A network, ready to run. `segment` may be called from several threads at once."""

    def __init__(
        self,
        entry: Entry,
        runner: Runner,
        decoder: MaskDecoder | None = None,
        trust: Trust | None = None,
        lesions: Lesions | None = None,
    ) -> None:
        """decoder, trust, lesions: the network's companions `prompt`, `trust` and `lesions`, where it has them."""
        self._entry, self._runner, self._decoder = entry, runner, decoder
        self._trust, self._lesions = trust, lesions

    @property
    def model_id(self) -> str:
        """The network's id in the registry."""
        return self._entry.id

    @property
    def weights_sha256(self) -> str:
        """sha256 of the weights' file, 64 hexadecimal digits."""
        return self._entry.sha256

    @property
    def fingerprint(self) -> str:
        """What names the network in results: `sonovan.models.registry.Entry.fingerprint`, 64 hexadecimal digits."""
        return self._entry.fingerprint

    @property
    def provider(self) -> str:
        """What really runs: `openvino/bf16`, `cpu/fp32`, `cuda/fp32` …"""
        return self._runner.name

    @property
    def quality_least(self) -> float | None:
        """The expected Dice from which on an outline is reliable; None where nothing predicts it and none is."""
        return None if self._decoder is None else self._decoder.quality_least

    def segment(
        self,
        pixels: NDArray[np.uint8] | NDArray[np.uint16],
        organ: str,
        panels: Sequence[Box] = (),
        spacing_mm: Sequence[tuple[float, float] | None] = (),
    ) -> Segmentation:
        """Finds the lesions of `organ` in one frame; the same frame gives the same bits on the same provider.

        pixels: (rows, columns) grey or (rows, columns, 3) red, green, blue; uint8 or uint16.
        panels: (left, top, width, height) of each part that is a picture of its own. None, or one that covers the whole
        frame, says nothing about where the ultrasound lies: it is looked for (`find_view`), and what is found there
        belongs to panel 0. spacing_mm: (column, row) of each panel, where known: oblong pixels are made square for the
        network; masks and outlines lie in the frame as it is.
        A panel that cannot be assessed is not shown to the network: it would find shapes in noise. One that the
        companion `trust` takes for something else than the organ is not assessable either, and has no regions. Each
        stands in `refusals`. The frame is as good as its best panel.
        Where a decoder draws in the network's stead, a region of the network's own that it leaves out is kept, marked
        `unconfirmed` (`sonovan.models.regions.unconfirmed`).
        Raises UnusablePicture for pixels that can never be segmented, and for an organ that the network does not know.
        """
        entry = self._entry
        channel = organ_channel(entry, organ)
        clock = _Clock()
        grey = to_grey(pixels)
        views, declared = views_of(grey, panels)
        clock.add("prepare")
        found: list[FoundRegion] = []
        judged: list[Quality] = []
        parts: list[Box] = []
        for number, view in enumerate(views):
            left, top, width, height = view.box
            spacing = spacing_mm[number] if number < len(spacing_mm) else None
            panel = panel_of(grey, view.box, spacing, entry)
            square, fit = panel.square, panel.fit
            judged.append(panel_quality(panel.content, (height, width)))
            clock.add("prepare")
            colour = coloured(pixels[top : top + height, left : left + width])
            over = colour_reason(colour) if judged[-1].assessable else None
            if over == DOPPLER:
                judged[-1] = replace(judged[-1], assessable=False, reason=over)
            if not judged[-1].assessable:
                continue
            seen = run_network(entry, self._runner, panel, channel)
            own = Shown(seen[entry.output.name][0, channel], entry.threshold)
            shown = own if self._decoder is None else self._decoder.shown(seen, own, organ, channel)
            clock.add("network")
            if self._trust is not None:
                verdict = self._trust.verdict(square, fit, colour, seen, organ)
                clock.add("trust")
                if not verdict.accepted:
                    judged[-1] = replace(judged[-1], assessable=False, reason=verdict.reason)
                    continue
            if over is not None:
                judged[-1] = replace(judged[-1], assessable=False, reason=over)
                continue
            first, parts = len(parts), [*parts, *view.panels]  # one that was refused takes no pixels from the others
            places = [(place, part_of(fit, view.box, part)) for place, part in enumerate(view.panels, first)]
            outlined = _outlined(own, shown, places, parts, entry.min_area_px)
            outlined = placed(outlined, grey, parts, declared=declared)
            decoder = self._decoder
            outlined = [
                replace(each, panel=number, reliable=heavy and decoder is not None and decoder.relies_on(each.quality))
                for each, heavy in zip(outlined, weighty(outlined), strict=True)
            ]
            clock.add("regions")
            if self._lesions is not None:
                outlined = self._lesions.describe(outlined, square, view.box, fit, seen, organ)
                clock.add("lesions")
            found += outlined
        regions = in_order(found)
        labels = paint(regions, (grey.shape[0], grey.shape[1]))
        clock.add("regions")
        best = max(judged, key=lambda quality: (quality.assessable, quality.score))
        refusals = tuple(
            Refusal(panel, quality.reason) for panel, quality in enumerate(judged) if quality.reason is not None
        )
        ranked = zip((quality.assessable for quality in judged), (view.box for view in views), strict=True)
        _, (left, top, width, height) = max(ranked, key=lambda seen: (seen[0], seen[1][2] * seen[1][3]))
        fine = sharpness(grey[top : top + height, left : left + width])
        clock.add("prepare")
        return Segmentation(
            regions, labels, best.score, best.assessable, best.reason, grey, clock.spent_ms, refusals, fine
        )


def _outlined(
    own: Shown, shown: Shown, places: Sequence[tuple[int, Letterbox]], parts: Sequence[Box], min_area_px: float
) -> list[FoundRegion]:
    """The regions of what is shown, and those of the network's own that a drawn mask leaves out, unconfirmed."""
    drawn = _regions(shown, places, parts, min_area_px)
    outlined = [replace(region, quality=shown.quality) for region in drawn]
    missed = left_out(own.hot, shown.hot, min_area_px) if shown.square is not own.square else None
    if missed is not None:
        rest = Shown(np.where(own.hot & ~missed, np.float32(0), own.square), own.threshold)
        outlined += unconfirmed(_regions(rest, places, parts, min_area_px), bool(drawn))
    return outlined


def placed(regions: Sequence[FoundRegion], grey: Gray, parts: Sequence[Box], *, declared: bool) -> list[FoundRegion]:
    """The regions with what the scan's edge and the skin line say of them; `panel` is an index into `parts` here."""
    fields = {place: find_field(grey, parts[place], declared=declared) for place in {each.panel for each in regions}}
    found = []
    for each in regions:
        field = fields[each.panel]
        found.append(replace(each, cut=field.cuts(each.polygon), place=field.place(each.box, each.centroid)))
    return found


def _regions(
    probable: Shown, places: Sequence[tuple[int, Letterbox]], parts: Sequence[Box], min_area_px: float
) -> list[FoundRegion]:
    """The regions of a panel's views.

    places: for each view, its index into `parts` and where it lies in the square.
    """
    square, threshold = probable.square, probable.threshold
    return [one for place, at in places for one in find_regions(square, at, place, parts, threshold, min_area_px)]


def views_of(grey: Gray, panels: Sequence[Box]) -> tuple[list[View], bool]:
    """What the network is shown, panel by panel, and whether it was declared: if not, it is the field that is found."""
    whole = (0, 0, grey.shape[1], grey.shape[0])
    boxes = whole_or(panels, (grey.shape[0], grey.shape[1]))
    return ([find_view(grey)], False) if boxes == (whole,) else ([View(box, (box,)) for box in boxes], True)


class _Clock:
    """A stopwatch that adds up milliseconds by the name of the step."""

    def __init__(self) -> None:
        self.spent_ms = {"prepare": 0.0, "network": 0.0, "regions": 0.0}
        self._last = time.perf_counter()

    def add(self, name: str) -> None:
        now = time.perf_counter()
        self.spent_ms[name] = round(self.spent_ms.get(name, 0.0) + 1e3 * (now - self._last), 3)
        self._last = now


def load(
    model_id: str | None = None, *, provider: str = "auto", precision: str = "auto", weights_dir: Path | None = None
) -> Segmenter:
    """A network from the registry, its file verified, on the runtime that `sonovan.models.engine.choose` takes here.

    model_id: None is the registry's first. provider: `openvino`, `cpu`, `cuda`, `tensorrt`; precision: `fp32`, `bf16`,
    `int8`, `fp16`; `auto` is what SONOVAN_MODELS_PROVIDER and SONOVAN_MODELS_PRECISION fix, else what a measurement of
    about two seconds finds, once per user and machine.
    Raises WrongWeights, or ProviderNotGiven when what was asked for is not what would run.
    """
    settings = read_settings()
    folder = weights_dir or settings.weights_dir or WEIGHTS_DIR
    entry = read_registry(folder).entry(model_id)
    weights = read_weights(entry, folder)
    wanted = settings.provider if provider == "auto" else provider
    exactness = settings.precision if precision == "auto" else precision
    runner = choose(weights, entry, wanted, exactness, read_variants(entry, folder))
    check_outputs(entry, runner)
    return assembled(entry, runner, folder)


def assembled(entry: Entry, runner: Runner, folder: Path = WEIGHTS_DIR) -> Segmenter:
    """The network with all its companions, as `load` gives it, on a runner of one's own choice.

    folder: of the companions' files. Raises WrongWeights.
    """
    trust, lesions = read_companion(entry, "trust", folder), read_companion(entry, "lesions", folder)
    if trust is not None:
        check_features(entry, "trust", FEATURES)
    if lesions is not None:
        check_features(entry, "lesions", INSIDE)
    return Segmenter(
        entry,
        runner,
        read_decoder(entry, folder),
        None if trust is None else Trust(trust, entry.companions["trust"].settings),
        None if lesions is None else Lesions(lesions, entry.companions["lesions"].settings),
    )
