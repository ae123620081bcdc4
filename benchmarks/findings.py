"""How often each word is right, what malignant lesions read, what is withheld, and whom the alert rule tells of.

    make bench-findings            # python -m benchmarks.findings --data ../shared/data

On validation and test pictures of the public sets, by the splits of `sonovan.models.evaluation.index`, each a finding
of one frame. It counts what the thresholds do that the registry (words) and
`sonovan.clinical.alert_settings.SuspiciousLesion` (the alert) hold. Those were chosen on training and validation
pictures, with the figures of these that it writes as well, and never on test pictures. With `--kept FILE` what the
networks saw is kept there, so that other settings need no other run of the networks.
Writes benchmarks/results/findings.json and the part of docs/accuracy.md between its markers.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from benchmarks.calibration_plot import bins, draw
from benchmarks.outlines import BAD_IOU, BANDS, GOOD_IOU, PAGE, SPLITS, band, best_iou, lesions_in, share, write_part
from sonovan.clinical.alert_settings import SuspiciousLesion
from sonovan.clinical.risk import CALIBRATIONS, risk_at
from sonovan.contracts.derivation import USUAL
from sonovan.models.evaluation.index import INDEX, SETS, Row, Split, read_rows
from sonovan.models.evaluation.score import look
from sonovan.models.heads.lesions import WORDS, given_word
from sonovan.models.regions import FoundRegion
from sonovan.models.registry import read_registry
from sonovan.models.segmenter import Segmenter, load
from sonovan.stream_apps.segment.step import term_name
from training.lesions.words import KEYS, word_of

RESULTS: Final = Path(__file__).parent / "results" / "findings.json"
PLOT: Final = Path(__file__).parents[1] / "docs" / "images" / "calibration.png"
MARKS: Final = ("<!-- findings: begin -->", "<!-- findings: end -->")
LABELS: Final = ("malignant", "benign")
STEPS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Thresholds of the malignant score whose meaning is published."""
BARS: Final = {"bad_withheld": 1 / 3, "good_withheld": 0.02, "malignant_alerted": 0.85, "benign_alerted": 0.2}

Settings = Mapping[str, float]


@dataclass(frozen=True)
class Seen:
    """One region: IoU with the lesion that it covers best; whether it touches one; what the networks say of it.

    expected: the Dice that is predicted of the outlines of its panel.
    shares: of all words of each head that is on. orientation: what the rule on the axes says.
    """

    iou: float
    touches: bool
    area_px: int
    expected: float | None
    reliable: bool
    malignant: float | None
    shares: Mapping[str, Sequence[float]]
    orientation: str | None


@dataclass(frozen=True)
class Picture:
    """One picture with its truth. words: what its reader said, by `organ.descriptor`; absent where nothing is known."""

    name: str
    set: str
    split: str
    organ: str
    label: str
    lesion: bool
    words: Mapping[str, str]
    regions: tuple[Seen, ...]

    @property
    def judged(self) -> Seen | None:
        """The largest reliable region on the lesion: what words are judged on."""
        own = [each for each in self.regions if each.touches and each.reliable]
        return max(own, key=lambda each: each.area_px, default=None)


def picture_of(segmenter: Segmenter, row: Row, split: str) -> Picture | None:
    """What is seen on one picture; None where its truth is not known."""
    seen, truth, _ = look(segmenter, row)
    if truth is None:
        return None
    lesions = lesions_in(truth)
    regions = []
    for number, region in enumerate(seen.regions, start=1):
        own = seen.labels == number
        regions.append(_seen(region, row.organ, best_iou(own, lesions), bool((own & truth).any())))
    known = {key: word_of(row, key) for key in KEYS}
    words = {key: WORDS[row.organ][key.split(".")[1]][word] for key, word in known.items() if word is not None}
    return Picture(f"{row.set}/{row.id}", row.set, split, row.organ, row.label, bool(lesions), words, tuple(regions))


def _seen(region: FoundRegion, organ: str, iou: float, touches: bool) -> Seen:
    shares = {f"{organ}.{each.name}": each.shares for each in region.descriptors if each.shares}
    orientation = next((each.value for each in region.descriptors if each.name == "orientation"), None)
    expected = None if region.quality is None else round(float(region.quality), 4)
    return Seen(iou, touches, int(region.area_px), expected, region.reliable, region.malignant, shares, orientation)


def word_figures(pictures: Iterable[Picture], settings: Settings) -> dict[str, Any]:
    """By head and word: on how many lesions it was given, on how many rightly, and the majority word's share.

    Of pictures whose lesion has a reliable outline and whose reader said a word. `beats_majority`: it is right more
    often, where it is given, than the commonest word would be on all of them.
    """
    known = [each for each in pictures if each.judged is not None]
    found: dict[str, Any] = {}
    for key in KEYS:
        rows = [each for each in known if key in each.words]
        if not rows:
            continue
        organ, name = key.split(".")
        words = WORDS[organ][name]
        counts = {word: sum(each.words[key] == word for each in rows) for word in words}
        majority = max(counts, key=lambda word: counts[word])
        given = [_given(each.judged, key, settings) for each in rows]
        by_word = {}
        for word in words:
            own = [each.words[key] == word for each, said in zip(rows, given, strict=True) if said == word]
            right = share(sum(own), len(own))
            beats = bool(own) and sum(own) / len(own) > counts[majority] / len(rows)
            by_word[word] = {"truth": counts[word], "given": len(own), "right": right, "beats_majority": beats}
        on = settings.get(key, 0.0) > 0
        found[key] = {"on": on, "n": len(rows), "majority": [majority, counts[majority]], "words": by_word}
    return found


def _given(seen: Seen | None, key: str, settings: Settings) -> str | None:
    if seen is None or key not in seen.shares or settings.get(key, 0.0) <= 0:
        return None
    organ, name = key.split(".")
    return given_word(key, WORDS[organ][name], seen.shares[key], settings)


def withheld(pictures: Iterable[Picture]) -> dict[str, Any]:
    """How many bad outlines are unreliable, so that nothing more is said of them, and how many good ones."""
    every = [each for picture in pictures for each in picture.regions]
    bad = [each for each in every if each.iou < BAD_IOU]
    good = [each for each in every if each.iou >= GOOD_IOU]
    return {
        "outlines": len(every),
        "bad": share(sum(not each.reliable for each in bad), len(bad)),
        "good": share(sum(not each.reliable for each in good), len(good)),
    }


def bands(pictures: Iterable[Picture]) -> dict[str, Any]:
    """Lesions with a reliable outline by the band of their malignant score: how many, and how many malignant."""
    counts = {name: [0, 0] for name in BANDS}
    for picture in pictures:
        seen = picture.judged
        if picture.label in LABELS and seen is not None and seen.malignant is not None:
            counts[band(seen.malignant)][0] += picture.label == "malignant"
            counts[band(seen.malignant)][1] += 1
    return {name: share(malignant, n) for name, (malignant, n) in counts.items()}


def risks(pictures: Iterable[Picture]) -> list[tuple[float, bool]]:
    """The risk that is told of each breast lesion with a reliable outline, and whether it was malignant."""
    found = []
    for each in pictures:
        seen = each.judged
        if each.label in LABELS and seen is not None and seen.malignant is not None:
            found.append((risk_at(round(seen.malignant, 3), USUAL).probability, each.label == "malignant"))
    return found


def alerted(
    pictures: Iterable[Picture], rule: SuspiciousLesion, settings: Settings, *, least_iou: float = BAD_IOU
) -> dict[str, Any]:
    """Malignant and benign lesions: how many `suspicious_lesion` tells of.

    least_iou: of lesions with a region of at least this IoU, whether its outline counts as reliable or not; 0 is of all
    lesions that a region touches, bad outlines included.
    """
    found = {}
    for label in LABELS:
        own = [each for each in pictures if each.label == label]
        outlined = [each for each in own if any(seen.touches and seen.iou >= least_iou for seen in each.regions)]
        told = sum(any(_tells(seen, each.organ, rule, settings) for seen in each.regions) for each in outlined)
        found[label] = share(told, len(outlined))
    return found


def _tells(seen: Seen, organ: str, rule: SuspiciousLesion, settings: Settings) -> bool:
    """Whether a region that is on the lesion, seen on one frame, meets `suspicious_lesion`."""
    if not seen.touches or not seen.reliable:
        return False
    if seen.malignant is not None and seen.malignant >= rule.min_malignant:
        return True
    said = {f"{organ}.{term_name(organ, 'orientation')}.{seen.orientation}"}
    said |= {f"{organ}.{term_name(organ, key.split('.')[1])}.{_given(seen, key, settings)}" for key in seen.shares}
    return not said.isdisjoint(rule.words)


def figures(pictures: Sequence[Picture], settings: Settings, rule: SuspiciousLesion) -> dict[str, Any]:
    """All figures of one split."""
    breast = [each for each in pictures if each.organ == "breast"]
    thresholds = {}
    for least in STEPS:
        at = alerted(breast, SuspiciousLesion(min_malignant=least, words=()), settings)
        thresholds[f"{least:.2f}"] = {label: at[label]["n"] for label in LABELS}
    return {
        "pictures": len(pictures),
        "words": word_figures(pictures, settings),
        "malignant_by_band": bands(breast),
        "withheld": withheld(pictures),
        "alerts": alerted(breast, rule, settings),
        "alerts_of_all_touched": alerted(breast, rule, settings, least_iou=0.0),
        "told_by_score_alone": thresholds,
    }


def bars_held(test: Mapping[str, Any]) -> dict[str, bool]:
    """Which of BARS the test split holds."""
    rate = {
        "bad_withheld": _rate(test["withheld"]["bad"]),
        "good_withheld": _rate(test["withheld"]["good"]),
        "malignant_alerted": _rate(test["alerts"]["malignant"]),
        "benign_alerted": _rate(test["alerts"]["benign"]),
    }
    least = ("bad_withheld", "malignant_alerted")
    return {name: rate[name] >= bar if name in least else rate[name] <= bar for name, bar in BARS.items()}


def table(document: Mapping[str, Any]) -> str:
    """The page's part between its markers."""
    rule = document["rule"]
    lines = [
        "## Words, bands and alerts",
        "",
        f"`make bench-findings`: `{document['model']}`, {document['provider']}; each picture is a finding of one "
        "frame. Given: words that are given of a lesion whose outline is reliable; right: of these, as the set's "
        "reader said; majority: how often its commonest word is true. Intervals: 95 %, Wilson.",
        "",
        "| split | word | true | given | right (95 %) | majority |",
        "|---|---|---|---|---|---|",
    ]
    for split in SPLITS:
        for key, head in document["splits"][split]["words"].items():
            majority = f"{head['majority'][1]} of {head['n']}"
            for word, one in head["words"].items():
                name = f"{key.replace('.', ' ')}: {word}".replace("_", " ")
                cells = [str(one["truth"]), str(one["given"]) if head["on"] else "off", _cell(one["right"]), majority]
                lines.append(f"| {split} | {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "Lesions of the breast sets with a reliable outline, one for each picture, by the malignant score of that "
        "outline (the table of outlines above counts every finding, those beside a lesion too, so that its numbers are "
        "larger):",
        "",
        f"| split | {' | '.join(f'malignant of {name}' for name in BANDS)} |",
        f"|---|{'---|' * len(BANDS)}",
    ]
    for split in SPLITS:
        cells = [_cell(document["splits"][split]["malignant_by_band"][name]) for name in BANDS]
        lines.append(f"| {split} | {' | '.join(cells)} |")
    lines += [
        "",
        f"`suspicious_lesion` at its default (malignant score ≥ {rule['min_malignant']}, or a suspicious word), and "
        "what is withheld because its outline is unreliable (bad: IoU < .3; good: ≥ .5). Lesions: those with an "
        "outline that is not bad, reliable or not; beside them all that a region touches:",
        "",
        "| split | malignant lesions told of | benign ones | of all that are touched: malignant | benign "
        "| bad outlines withheld | good ones |",
        "|---|---|---|---|---|---|---|",
    ]
    for split in SPLITS:
        one = document["splits"][split]
        both = [one[name][label] for name in ("alerts", "alerts_of_all_touched") for label in LABELS]
        shown = [*both, one["withheld"]["bad"], one["withheld"]["good"]]
        lines.append(f"| {split} | {' | '.join(map(_cell, shown))} |")
    held = ", ".join(f"{name.replace('_', ' ')} {'held' if ok else 'missed'}" for name, ok in document["bars"].items())
    return "\n".join([*lines, "", f"Bars on test (≥ 1/3, ≤ 2 %, ≥ .85, ≤ .20): {held}."])


def _cell(found: Mapping[str, Any]) -> str:
    if not found["of"]:
        return "–"
    low, high = found["ci95"]
    return f"{found['n']} of {found['of']} ({100 * low:.0f}–{100 * high:.0f} %)"


def _rate(found: Mapping[str, Any]) -> float:
    return found["n"] / found["of"] if found["of"] else float("nan")


def observed(segmenter: Segmenter, data: Path, split: Split, kept: Path | None) -> list[Picture]:
    """Every picture of the public sets in a split; from `kept` what an earlier run of the same weights saw."""
    known = {} if kept is None or not kept.exists() else _read(kept, segmenter.weights_sha256)
    found = []
    for name in SETS:
        for row in read_rows(data, name, split) if (data / name / INDEX).is_file() else ():
            picture = known.get(f"{split}/{name}/{row.id}") or picture_of(segmenter, row, split)
            if picture is None:
                continue
            found.append(picture)
            if kept is not None and f"{split}/{picture.name}" not in known:
                with kept.open("a", encoding="utf-8") as file:
                    line = {"weights": segmenter.weights_sha256, **asdict(picture)}
                    file.write(json.dumps(line, default=float) + "\n")
    return found


def _read(kept: Path, weights: str) -> dict[str, Picture]:
    known = {}
    for line in kept.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        if fields.pop("weights") == weights:
            fields["regions"] = tuple(Seen(**each) for each in fields["regions"])
            known[f"{fields['split']}/{fields['name']}"] = Picture(**fields)
    return known


def main() -> None:
    """Look, count, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--kept", type=Path, help="file that keeps what the networks saw")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = load(provider="cpu", precision="fp32")
    settings = read_registry().entry(segmenter.model_id).companions["lesions"].settings
    rule = SuspiciousLesion()
    seen = {split: observed(segmenter, arguments.data, split, arguments.kept) for split in SPLITS}
    splits = {split: figures(seen[split], settings, rule) for split in SPLITS}
    calibration = {split: bins(risks(seen[split])) for split in SPLITS}
    document = {
        "model": segmenter.model_id,
        "fingerprint": segmenter.fingerprint,
        "provider": segmenter.provider,
        "rule": {"min_malignant": rule.min_malignant, "suspicious_words": list(rule.words)},
        "settings": {key: value for key, value in settings.items() if key.split(".")[0] in WORDS},
        "splits": splits,
        "calibration": calibration,
        "bars": bars_held(splits["test"]),
    }
    RESULTS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table_of = CALIBRATIONS[USUAL.calibration]
    draw(
        {str(split): found for split, found in calibration.items()},
        f"calibrated on {table_of.lesions} lesions, {table_of.malignant} malignant",
        PLOT,
    )
    part = table(document)
    print(part)
    write_part(PAGE, part, MARKS)


if __name__ == "__main__":
    main()
