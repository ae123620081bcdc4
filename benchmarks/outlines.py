"""How often something is said on a bad outline, how often a good one falls silent, and what malignant lesions read.

    python -m benchmarks.outlines --data ../shared/data

On validation and test pictures of the public sets, by the splits of `sonovan.models.evaluation.index`, each a finding
of one frame. Nothing is chosen here: the bound of a reliable outline stands in the registry (`quality_least`).
Writes benchmarks/results/outlines.json and the part of docs/accuracy.md between its markers.
"""

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import INDEX, SETS, Split, read_rows
from sonovan.models.evaluation.intervals import rank_correlation, rank_correlation_ci95
from sonovan.models.evaluation.measures import MIN_LESION_PX
from sonovan.models.evaluation.score import look
from sonovan.models.segmenter import Segmenter, load

RESULTS: Final = Path(__file__).parent / "results" / "outlines.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "accuracy.md"
BEGIN, END = "<!-- outlines: begin -->", "<!-- outlines: end -->"

BAD_IOU: Final = 0.3
GOOD_IOU: Final = 0.5
BANDS: Final = ("≤ 2 %", "2–10 %", "10–50 %", "50–95 %", "≥ 95 %")
"""Those of BI-RADS 3, 4A, 4B, 4C and 5."""
UNRELIABLE, MISSED = "outline unreliable", "not outlined"
SPLITS: Final[tuple[Split, ...]] = ("validation", "test")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Outline:
    """One region of one picture.

    picture: set and id. group: set and woman. label: of the picture, empty where the set has none. expected: the Dice
    that is expected of it, None where nothing says so. iou: with the lesion that it covers best, 0 where there is none.
    touches: it covers a pixel of a lesion. reliable: something may be said of what is in it. says: a malignant score or
    a descriptor with a value is given. malignant: None where withheld or not given.
    """

    picture: str
    group: str
    label: str
    expected: float | None
    iou: float
    touches: bool
    reliable: bool
    says: bool
    malignant: float | None


@dataclass(frozen=True)
class Picture:
    """One picture: its label, whether it shows a lesion, and the regions that were outlined on it."""

    name: str
    label: str
    lesion: bool
    outlines: tuple[Outline, ...]


def lesions_in(truth: Mask) -> list[Mask]:
    """The connected parts of a true mask that are no specks of the drawing tool."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(truth.astype(np.uint8))
    return [parts == part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] >= MIN_LESION_PX]


def best_iou(region: Mask, lesions: Iterable[Mask]) -> float:
    """With the lesion that the region covers best; 0 where there is none."""
    shares = [np.count_nonzero(region & lesion) / np.count_nonzero(region | lesion) for lesion in lesions]
    return max(map(float, shares), default=0.0)


def pictures_of(segmenter: Segmenter, data: Path, set_name: str, split: Split) -> list[Picture]:
    """What is outlined on every picture of one set whose truth is known."""
    found = []
    for row in read_rows(data, set_name, split):
        seen, truth, _ = look(segmenter, row)
        if truth is None:
            continue
        name, lesions = f"{set_name}/{row.id}", lesions_in(truth)
        outlines = []
        for number, region in enumerate(seen.regions, start=1):
            own = seen.labels == number
            described = region.malignant is not None or any(each.value is not None for each in region.descriptors)
            outlines.append(
                Outline(
                    name, f"{set_name}/{row.group}", row.label, region.quality, best_iou(own, lesions),
                    bool((own & truth).any()), region.reliable, region.reliable and described,
                    region.malignant if region.reliable else None,
                )
            )  # fmt: skip
        found.append(Picture(name, row.label, bool(lesions), tuple(outlines)))
    return found


def counted(pictures: Sequence[Picture]) -> dict[str, Any]:
    """The figures of one split: `outlines` by how good they are, and lesions of each label by what is read of them.

    A picture labelled benign or malignant counts once for every region that touches its lesion, so that a lesion shown
    as two specks counts as two findings; one whose lesion no region touches counts as not outlined.
    """
    outlines = [each for picture in pictures for each in picture.outlines]
    bad = [each for each in outlines if each.iou < BAD_IOU]
    good = [each for each in outlines if each.iou >= GOOD_IOU]
    below = [each for each in outlines if not each.reliable and each.label in ("benign", "malignant")]
    return {
        "pictures": len(pictures),
        "outlines": len(outlines),
        "bad_on_which_something_is_said": share(sum(each.says for each in bad), len(bad)),
        "good_that_fell_silent": share(sum(not each.reliable for each in good), len(good)),
        "expected_against_iou": ordered(outlines),
        "unreliable_that_are_malignant": share(sum(each.label == "malignant" for each in below), len(below)),
        "read": {label: read_as(pictures, label) for label in ("malignant", "benign")},
    }


def ordered(outlines: Sequence[Outline]) -> dict[str, Any]:
    """Spearman's rank correlation of the Dice that is expected of outlines and their IoU, of those that have both."""
    known = [(each.expected, each.iou, each.group) for each in outlines if each.expected is not None]
    expected, iou = [each[0] for each in known], [each[1] for each in known]
    value = rank_correlation(expected, iou)
    return {
        "of": len(known),
        "rho": None if value is None else round(value, 4),
        "ci95": rank_correlation_ci95(expected, iou, [each[2] for each in known]),
    }


def read_as(pictures: Sequence[Picture], label: str) -> dict[str, int]:
    """How many findings of this label fall into each band, have an unreliable outline, or were not outlined."""
    counts = dict.fromkeys((*BANDS, UNRELIABLE, MISSED), 0)
    for picture in pictures:
        if picture.label != label or not picture.lesion:
            continue
        touching = [each for each in picture.outlines if each.touches]
        for each in touching:
            counts[UNRELIABLE if each.malignant is None else band(each.malignant)] += 1
        counts[MISSED] += not touching
    return counts


def band(malignant: float) -> str:
    """The band that a probability falls into, by the bounds of BI-RADS: ≤ 2, ≤ 10, ≤ 50, < 95, ≥ 95 %."""
    inside = (malignant <= 0.02, malignant <= 0.1, malignant <= 0.5, malignant < 0.95)
    return next((name for name, holds in zip(BANDS, inside, strict=False) if holds), BANDS[-1])


def share(hits: int, of: int) -> dict[str, Any]:
    """`n` hits of `of`, with the 95 % interval of Wilson's score, which also holds where nothing or all was hit.

    Source: Wilson, J Am Stat Assoc 22:209 (1927). Pictures of one woman count as if they were independent.
    """
    if of == 0:
        return {"n": 0, "of": 0, "ci95": None}
    z, rate = 1.96, hits / of
    middle, half = rate + z * z / (2 * of), z * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    low, high = (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)
    return {"n": hits, "of": of, "ci95": [round(max(0.0, low), 4), round(min(1.0, high), 4)]}


def table(document: dict[str, Any]) -> str:
    """The page's part between its markers."""
    lines = [
        "## Outlines that cannot be trusted, and what malignant lesions read",
        "",
        "`python -m benchmarks.outlines --data DIR`: "
        f"`{document['model']}`, {document['provider']}; outlines of an expected Dice below "
        f"{document['quality_least']} are unreliable and say nothing more (docs/decisions/0026). Each picture is a "
        "finding of one frame. Bad: IoU below .3 with the lesion that the outline covers best, or no lesion there; "
        "good: .5 and more. Intervals: 95 %, Wilson. "
        "Expected and true: Spearman's rank correlation of expected Dice and IoU, intervals over women.",
        "",
        "| split | set | outlines | bad, and something is said | good that fell silent | unreliable: malignant "
        "| expected and true |",
        "|---|---|---|---|---|---|---|",
    ]
    for split in SPLITS:
        for name, found in document["splits"][split].items():
            cells = [_cell(found[key]) for key in _SHARES]
            cells.append(_rho(found["expected_against_iou"]))
            lines.append(f"| {split} | {name} | {found['outlines']} | {' | '.join(cells)} |")
    lines += [
        "",
        f"| split | lesion | {' | '.join((*BANDS, UNRELIABLE, MISSED))} |",
        f"|---|---|{'---|' * (len(BANDS) + 2)}",
    ]
    for split in SPLITS:
        for label, counts in document["splits"][split]["all"]["read"].items():
            lines.append(f"| {split} | {label} | {' | '.join(str(count) for count in counts.values())} |")
    lines += [
        "",
        'Findings of the breast sets by the probability of malignancy that is printed; "≤ 2 %" is the least that is '
        "ever printed and the name of a band, not what was measured: these intervals leave more. About a third of "
        "these lesions is malignant; of women who are screened far fewer are, so that fewer of each band will be:",
        "",
        "| split | printed | malignant of findings (95 %) |",
        "|---|---|---|",
    ]
    for split in SPLITS:
        read = document["splits"][split]["all"]["read"]
        for name in (*BANDS, UNRELIABLE):
            cell = _cell(share(read["malignant"][name], read["malignant"][name] + read["benign"][name]))
            lines.append(f"| {split} | {name} | {cell} |")
    return "\n".join(lines)


_SHARES: Final = ("bad_on_which_something_is_said", "good_that_fell_silent", "unreliable_that_are_malignant")


def _cell(found: dict[str, Any]) -> str:
    if not found["of"]:
        return "–"
    low, high = found["ci95"]
    return f"{found['n']} of {found['of']} ({100 * low:.0f}–{100 * high:.0f} %)"


def _rho(found: dict[str, Any]) -> str:
    if found["rho"] is None or found["ci95"] is None:
        return "–"
    return f"{found['rho']:.2f} ({found['ci95'][0]:.2f}–{found['ci95'][1]:.2f})"


def write_part(page: Path, part: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put the part between the page's marks; at the end of a page that has none."""
    begin, end = marks
    text = page.read_text(encoding="utf-8")
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    page.write_text(f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = load(provider="cpu", precision="fp32")
    splits: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        sets = {
            name: pictures_of(segmenter, arguments.data, name, split)
            for name in SETS
            if (arguments.data / name / INDEX).is_file()
        }
        every = [picture for pictures in sets.values() for picture in pictures]
        splits[split] = {name: counted(pictures) for name, pictures in {**sets, "all": every}.items()}
    document = {
        "model": segmenter.model_id,
        "fingerprint": segmenter.fingerprint,
        "provider": segmenter.provider,
        "quality_least": segmenter.quality_least,
        "splits": splits,
    }
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part = table(document)
    print(part)
    if PAGE.is_file():
        write_part(PAGE, part)


if __name__ == "__main__":
    main()
