"""How often a plain stream is called drifted, and after how many screenings a drift is found: results/drift.json.

    python -m benchmarks.drift --data ../shared/data

Each woman of busbra whose picture one model of scanner took is a screening of one frame, run through the network as
`segment` does: plain, brighter by a tenth, with coarser speckle, and with everything a fifth larger. Streams draw women
of that scanner with replacement. A screening of one picture scatters more than the mean over a sweep, so that drifts of
real sweeps are found no later. The sizes of windows were chosen on the second device, with other seeds.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.quality.drift import USUAL, DriftBounds, compare
from sonovan.clinical.quality.features import BLACK, brightness_of
from sonovan.contracts.quality import FEATURES
from sonovan.models.segmenter import Segmenter, load

Gray = NDArray[np.uint8]
Pool = NDArray[np.float64]
"""(women, features), NaN where a woman has none."""

SET: Final = "busbra"
DEVICES: Final[Mapping[str, int]] = {"GE Logiq 5": 0, "GE Logiq 7": 1000}
"""Of which figures are told, and on which the sizes of windows were chosen; each with its seed."""
PLAIN_WINDOWS: Final = 4000
STREAMS: Final = 300
LONGEST: Final = 20
"""Windows after which a drift that was not found counts as never found."""
DAY_GAIN_SD: Final = 0.03
DAY: Final = 40
"""Screenings of a day; in the stream with days, each day has a gain of its own."""


def gain(picture: Gray) -> Gray:
    """A tenth brighter."""
    return np.asarray(np.clip(np.rint(picture * 1.1), 0, 255), np.uint8)


def coarse(picture: Gray) -> Gray:
    """Speckle a quarter coarser: what is finer than that is gone."""
    rows, columns = picture.shape
    small = cv2.resize(picture, (round(columns / 1.25), round(rows / 1.25)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)


def larger(picture: Gray) -> Gray:
    """Everything a fifth larger, as with less depth: the middle of the picture."""
    rows, columns = picture.shape
    high, wide = round(rows / 1.2), round(columns / 1.2)
    top, left = (rows - high) // 2, (columns - wide) // 2
    part = picture[top : top + high, left : left + wide]
    return np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)


CHANGES: Final[Mapping[str, Callable[[Gray], Gray]]] = {
    "plain": lambda picture: picture, "gain_10_percent": gain, "speckle_25_percent": coarse, "size_20_percent": larger,
}  # fmt: skip


def features(segmenter: Segmenter, picture: Gray) -> list[float]:
    """The figures of one frame in the order of FEATURES."""
    found = segmenter.segment(picture, "breast", [])
    if not found.assessable:
        return [1.0 if name == "refused" else np.nan for name in FEATURES]
    whole = [(0, 0, picture.shape[1], picture.shape[0])]
    largest = max(found.regions, key=lambda region: region.area_px, default=None)
    expected = [region.quality for region in found.regions if region.quality is not None]
    values: dict[str, float | None] = {
        "refused": 0.0,
        "regions": float(len(found.regions)),
        "brightness": brightness_of(found.grey, whole),
        "sharpness": None if found.sharpness is None else sum(found.sharpness) / 2,
        "region_size": None if largest is None else float(np.sqrt(largest.area_px / picture.size)),
        "score": None if largest is None else largest.score_mean,
        "predicted": min(expected, default=None),
    }
    return [np.nan if (value := values[name]) is None else float(value) for name in FEATURES]


def pictures_of(data: Path, device: str) -> list[Gray]:
    """One picture of every woman of this device."""
    first: dict[str, Path] = {}
    with (data / "index.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["device"].startswith(device):
                first.setdefault(row["group"], data / row["image"])
    return [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in first.values()]


def moved_by(pictures: Sequence[Gray]) -> dict[str, float]:
    """By how many standard deviations between women a tenth more gain moves the brightness, and the mean grey."""

    def figures(picture: Gray) -> tuple[float, float]:
        bright = brightness_of(picture, [(0, 0, picture.shape[1], picture.shape[0])])
        return (0.0 if bright is None else bright), float(picture[picture >= BLACK].mean())

    before, after = (np.array([figures(change(each)) for each in pictures]) for change in (lambda one: one, gain))
    brightness, mean = ((after - before).mean(axis=0) / before.std(axis=0)).tolist()
    return {"brightness": round(brightness, 2), "mean_grey": round(mean, 2)}


def pools(pictures: Sequence[Gray], segmenter: Segmenter) -> dict[str, Pool]:
    """By change, the figures of every woman."""
    found = {
        name: np.array([features(segmenter, change(picture)) for picture in pictures])
        for name, change in CHANGES.items()
    }
    shifted = found["plain"].copy()
    for name in ("score", "predicted"):
        shifted[:, FEATURES.index(name)] = np.clip(shifted[:, FEATURES.index(name)] - 0.05, 0, 1)
    return {**found, "score_minus_0.05": shifted}


def columns(rows: Pool) -> dict[Any, list[float]]:
    """By feature, the figures of those screenings that have it."""
    return {name: [v for v in rows[:, at].tolist() if not np.isnan(v)] for at, name in enumerate(FEATURES)}


def drifted(reference: Pool, window: Pool, bounds: DriftBounds) -> bool:
    """Whether any feature of the window drifted."""
    return any(each.drifted for each in compare(columns(reference), columns(window), bounds))


def with_days(rows: Pool, draw: np.random.Generator) -> Pool:
    """The same screenings, each day with a gain of its own."""
    days = draw.normal(1, DAY_GAIN_SD, len(rows) // DAY + 1).repeat(DAY)[: len(rows)]
    found = rows.copy()
    found[:, FEATURES.index("brightness")] *= days
    return found


def plain_rate(pool: Pool, bounds: DriftBounds, seed: int, days: bool = False) -> float:
    """The share of plain windows that are called drifted; each reference is held against ten windows."""
    draw, alarms, each = np.random.default_rng(seed), 0, 10
    many = bounds.window * (bounds.reference_windows + each)
    for _ in range(PLAIN_WINDOWS // each):
        stream = pool[draw.integers(0, len(pool), many)]
        stream = with_days(stream, draw) if days else stream
        reference, rest = np.split(stream, [bounds.window * bounds.reference_windows])
        alarms += sum(drifted(reference, window, bounds) for window in np.split(rest, each))
    return alarms / PLAIN_WINDOWS


def found_after(plain: Pool, changed: Pool, bounds: DriftBounds, seed: int) -> list[int | None]:
    """How many screenings after a drift began the first window ends that is called drifted; None: never."""
    draw, found = np.random.default_rng(seed), list[int | None]()
    for _ in range(STREAMS):
        reference = plain[draw.integers(0, len(plain), bounds.window * bounds.reference_windows)]
        before = int(draw.integers(0, bounds.window))
        after: int | None = None
        for number in range(1, LONGEST + 1):
            window = changed[draw.integers(0, len(changed), bounds.window)]
            if number == 1:
                window[:before] = plain[draw.integers(0, len(plain), before)]
            if drifted(reference, window, bounds):
                after = number * bounds.window - before
                break
        found.append(after)
    return found


def quantile(values: Sequence[int | None], share: float) -> int | None:
    """The so-many-th value of those that came; None where fewer came."""
    known = sorted(value for value in values if value is not None)
    place = int(np.ceil(share * len(values))) - 1
    return known[place] if place < len(known) else None


def measure(found: Mapping[str, Pool], bounds: DriftBounds, seed: int) -> dict[str, Any]:
    """All figures of one size of windows."""
    plain = found["plain"]
    changes = {name: found_after(plain, pool, bounds, seed + 1) for name, pool in found.items() if name != "plain"}
    return {
        "window": bounds.window,
        "reference": bounds.window * bounds.reference_windows,
        "stated_rate": bounds.rate,
        "plain_windows": PLAIN_WINDOWS,
        "false_alarm_rate": plain_rate(plain, bounds, seed),
        "false_alarm_rate_with_days": plain_rate(plain, bounds, seed + 2, days=True),
        "found_after_screenings": {
            name: {"median": quantile(after, 0.5), "nine_of_ten": quantile(after, 0.9)}
            for name, after in changes.items()
        },
    }


def of_device(pictures: Sequence[Gray], segmenter: Segmenter, bounds: DriftBounds, seed: int) -> dict[str, Any]:
    """All figures of one device's women."""
    found = pools(pictures, segmenter)
    spread = {
        name: [float(f"{np.nanmean(column):.4g}"), float(f"{np.nanstd(column):.4g}")]
        for name, column in zip(FEATURES, found["plain"].T, strict=True)
    }
    return {
        "women": len(pictures), "seed": seed, "mean_and_sd": spread, "gain_moves_by_sd": moved_by(pictures),
        **measure(found, bounds, seed),
    }  # fmt: skip


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--window", type=int, default=USUAL.window)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/drift.json"))
    given = parser.parse_args()
    bounds, segmenter = DriftBounds(given.window, USUAL.reference_windows, USUAL.rate), load()
    figures = {
        device: of_device(pictures_of(given.data / SET, device), segmenter, bounds, seed)
        for device, seed in DEVICES.items()
    }
    text = json.dumps({"set": SET, "devices": figures}, indent=1) + "\n"
    given.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
