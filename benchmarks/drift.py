"""How often a plain stream is called drifted, and after how many screenings a drift is found: results/drift.json.

    python -m benchmarks.drift --data ../shared/data

Each woman of busbra whose picture one model of scanner took is a screening of one frame, run through the network as
`segment` does: plain, brighter by a tenth, with coarser speckle, and with everything a fifth larger. Streams draw women
of that scanner with replacement, so many a day; where days have an effect of their own, every screening of a day has
it. A screening of one picture scatters more than the mean over a sweep, so that drifts of real sweeps are found no
later. The sizes of windows, and how certain the share of days must be (`clinical.quality.days`), were chosen on the
second device, with other seeds.
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
from sonovan.contracts.quality import FEATURES, Feature
from sonovan.models.segmenter import Segmenter, load

Gray = NDArray[np.uint8]
Pool = NDArray[np.float64]
"""(women, features), NaN where a woman has none."""

SET: Final = "busbra"
DEVICES: Final[Mapping[str, int]] = {"GE Logiq 5": 0, "GE Logiq 7": 1000}
"""Of which figures are told, and on which the sizes of windows were chosen; each with its seed."""
PLAIN_WINDOWS: Final = 2000
STREAMS: Final = 200
LONGEST: Final = 20
"""Windows after which a drift that was not found counts as never found."""
DAYS: Final = (40, 15)
"""Screenings of a day: a full one, and one of a small village."""
Effect = Mapping[Feature, float]
"""By feature, the standard deviation between days: of a factor, or of what is added to a score or an expected Dice."""
DAY_EFFECTS: Final[Mapping[str, Effect]] = {
    "none": {},
    "gain_3_percent": {"brightness": 0.03},
    "gain_6_percent": {"brightness": 0.06},
    "all_features": {"brightness": 0.03, "sharpness": 0.05, "region_size": 0.05, "score": 0.004, "predicted": 0.01},
}  # fmt: skip


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


def days_of(rows: Pool, first: int, per_day: int) -> Any:
    """By feature, the day of those screenings that have it. first: the place of the first row in its stream."""
    days = (np.arange(len(rows)) + first) // per_day
    return {name: days[~np.isnan(rows[:, at])].tolist() for at, name in enumerate(FEATURES)}


def drifted(stream: Pool, first: int, bounds: DriftBounds, per_day: int | None) -> bool:
    """Whether any feature of the window that begins at place `first` of a stream drifted.

    per_day: screenings of a day; None takes each screening for itself.
    """
    reference = stream[: bounds.window * bounds.reference_windows]
    window = stream[first : first + bounds.window]
    days = None if per_day is None else (days_of(reference, 0, per_day), days_of(window, first, per_day))
    return any(each.drifted for each in compare(columns(reference), columns(window), bounds, days))


def with_days(rows: Pool, effect: Effect, per_day: int, draw: np.random.Generator) -> Pool:
    """The same screenings, each day with an effect of its own."""
    found, day = rows.copy(), np.arange(len(rows)) // per_day
    for name, sd in effect.items():
        moved, at = draw.normal(0, sd, int(day.max()) + 1)[day], FEATURES.index(name)
        if name in ("score", "predicted"):
            found[:, at] = np.clip(found[:, at] + moved, 0, 1)
        else:
            found[:, at] = np.clip(found[:, at] * (1 + moved), 0, 255)
    return found


def plain_rate(pool: Pool, bounds: DriftBounds, seed: int, effect: Effect, per_day: int, by_day: bool) -> float:
    """The share of plain windows that are called drifted; each reference is held against ten windows."""
    draw, alarms, each = np.random.default_rng(seed), 0, 10
    begin = bounds.window * bounds.reference_windows
    for _ in range(PLAIN_WINDOWS // each):
        stream = with_days(pool[draw.integers(0, len(pool), begin + each * bounds.window)], effect, per_day, draw)
        places = range(begin, len(stream), bounds.window)
        alarms += sum(drifted(stream, first, bounds, per_day if by_day else None) for first in places)
    return alarms / PLAIN_WINDOWS


def plain_rates(pool: Pool, bounds: DriftBounds, seed: int, by_day: bool) -> dict[str, float]:
    """The same for each effect of days and each number of screenings a day."""
    return {
        f"{name}, {per_day} a day": plain_rate(pool, bounds, seed + number, effect, per_day, by_day)
        for number, (name, effect) in enumerate(DAY_EFFECTS.items())
        for per_day in DAYS
    }


def found_after(plain: Pool, changed: Pool, bounds: DriftBounds, seed: int) -> list[int | None]:
    """How many screenings after a drift began the first window ends that is called drifted; None: never."""
    draw, found = np.random.default_rng(seed), list[int | None]()
    begin = bounds.window * bounds.reference_windows
    for _ in range(STREAMS):
        before = int(draw.integers(0, bounds.window))
        stream = np.vstack(
            [
                plain[draw.integers(0, len(plain), begin + before)],
                changed[draw.integers(0, len(changed), LONGEST * bounds.window - before)],
            ]
        )
        ends = (
            number * bounds.window - before
            for number in range(1, LONGEST + 1)
            if drifted(stream, begin + (number - 1) * bounds.window, bounds, DAYS[0])
        )
        found.append(next(ends, None))
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
        "false_alarm_rate": plain_rates(plain, bounds, seed, by_day=True),
        "false_alarm_rate_if_each_counted_for_itself": plain_rates(plain, bounds, seed, by_day=False),
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
