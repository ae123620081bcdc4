"""What is hidden of names, ids, dates and addresses that stand in pictures, and how much tissue is hidden with them.

    make bench-text                # python -m benchmarks.text --data ../shared/data

Screens of nine layouts are drawn around real pictures (validation and test of the public sets `breast` and `ddti`),
each with several invented strings: Chinese and Latin, upright and turned, beside the ultrasound and over it, of low
contrast. Each is cleaned as a van cleans a picture that declares nothing. A string is hidden where 95 % of its ink is
black. Thresholds were chosen on other layouts and on training pictures (`--choosing` runs those). No string is planted
upon a lesion. Writes benchmarks/results/text.json.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.text.counting import screen_of, undeclared
from benchmarks.text.measuring import REPORTED_SPLITS, planted, rows_of
from benchmarks.text.screens import CHOOSING, REPORTED, Layout
from sonovan.models.evaluation.index import Row, Split
from sonovan.models.text import open_finder
from sonovan.producers.privacy import clean

RESULTS: Final = Path(__file__).parents[1] / "results" / "text.json"


def main() -> None:
    """The command line; exits 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--choosing", action="store_true", help="the layouts and pictures that thresholds are chosen on"
    )
    parser.add_argument("--sheet", type=Path, help="PNG of the first screens, as drawn and as cleaned")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    layouts = CHOOSING if asked.choosing else REPORTED
    splits: tuple[Split, ...] = ("train",) if asked.choosing else REPORTED_SPLITS
    rows = rows_of(asked.data, splits)
    result = planted(rows, layouts, asked.frames, asked.jobs)
    if asked.sheet:
        _write_sheet(asked.sheet, layouts, rows)
    asked.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(
        json.dumps(
            {key: result[key] for key in ("text_recall", "false_masked", "lesion_area_masked", "bars")}, indent=1
        )
    )
    if not all(result["bars"].values()):
        raise SystemExit(1)


def _write_sheet(path: Path, layouts: Sequence[Layout], rows: Sequence[Row]) -> None:
    """The first twelve screens, each as drawn and as cleaned."""
    finder, tiles = open_finder(), []
    for number in range(12):
        screen = screen_of(number, layouts, rows)
        both = np.hstack([screen.picture, clean(screen.picture, undeclared(), finder).pixels.astype(np.uint8)])
        tiles.append(cv2.resize(both, (960, 400), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(path), np.vstack([np.hstack(tiles[at : at + 2]) for at in range(0, len(tiles), 2)]))


if __name__ == "__main__":
    main()
