"""Single frames against whole sweeps: `make bench-sequence` writes `results/sequence.json` and its part of a page.

    python -m benchmarks.sequence --data ../shared/data [--scans 300] [--keep FOLDER]

Sweeps are simulated from the public sets' test groups (`benchmarks.sweeps`); the tracker's numbers were chosen on
sweeps of validation groups with seeds of their own (`--split validation`). Rules of counting:
`sonovan.models.evaluation.froc`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.outlines import PAGE, write_part
from benchmarks.shared import VISIT, say
from benchmarks.sweeps.looking import looked_at
from benchmarks.sweeps.remembered import Remembered
from sonovan.clinical.alert_rules import rules_of
from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.embedded import VAN_ID, EmbeddedCentre
from sonovan.inputs import sources_of
from sonovan.models.evaluation.pictures import read_picture
from sonovan.producers.items import Item, Signer
from sonovan.producers.screening import compose
from sonovan.producers.sources import capture_options
from sonovan.scratch import Scratch
from sonovan.storage.folder_store import FolderStore
from sonovan.sweeps_with_truth import Found, Scan, figures

RESULTS: Final = Path(__file__).parent / "results" / "sequence.json"
MARKS: Final = ("<!-- sequence: begin -->", "<!-- sequence: end -->")
TIMED: Final = 60
"""On so many scans, evenly spaced, the time from the last frame to the complete report is taken."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, look, count, write; the exit code is 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--scans", type=int, default=300, help="every other one shows no lesion [300]")
    parser.add_argument("--keep", type=Path, help="folder for the sweeps and the network's answers, used again")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="sonovan-sequence-") as temporary:
        found, network = looked_at(chosen.data, chosen.split, chosen.scans, chosen.keep or Path(temporary))
        scans = [each.scan for each in found]
        seconds_to_report(scans[0], network)  # what is loaded once is not a report's time
        times = [seconds_to_report(scan, network) for scan in scans[:: max(1, len(scans) // TIMED)]]
    document = figures(found) | {
        "report_p95_s": round(float(np.percentile([taken for taken, _ in times], 95)), 3),
        "report_cpu_p95_s": round(float(np.percentile([spent for _, spent in times], 95)), 3),
        "alerts": alerts(found),
        "split": chosen.split,
        "frames_per_scan": len(scans[0].frames),
        "model": network.model_id,
        "fingerprint": network.fingerprint,
        "provider": network.provider,
    }
    say(json.dumps(document, indent=1))
    if chosen.split == "test":
        chosen.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        write_part(PAGE, table(document), MARKS)
    missed = misses(document)
    say("all bars are met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


def alerts(found: Sequence[Found]) -> dict[str, Any]:
    """Shares: of the scans without a lesion that raise a suspicious alert, of lesions by label that one is about.

    A lesion that no candidate hits is not alerted. `counts` has what each share is made of.
    """
    counts = {"clean_scans": [0, 0], "malignant": [0, 0], "benign": [0, 0]}
    for each in found:
        told = {
            about.finding_id
            for rule in rules_of(AlertSettings())
            if rule.severity == "suspicious"
            for about, _ in rule.find(each.analysis.screening)
            if about.kind == "finding"
        }
        hit = {
            lesion
            for finding, lesions in zip(each.analysis.findings, each.hits, strict=True)
            if finding.finding_id in told
            for lesion in lesions
        }
        if not each.values:
            counts["clean_scans"][0] += bool(told)
            counts["clean_scans"][1] += 1
        for place, value in enumerate(each.values):
            label = each.scan.labels.get(value)
            if label in counts:
                counts[label][0] += place in hit
                counts[label][1] += 1
    return {f"{name}_alerted": round(hits / max(of, 1), 4) for name, (hits, of) in counts.items()} | {
        "counts": {name: f"{hits} of {of}" for name, (hits, of) in counts.items()}
    }


def seconds_to_report(scan: Scan, network: Remembered) -> tuple[float, float]:
    """From the moment the last frame is sent until the complete revision and its stored report are there.

    On the clock, and of this process's CPU time. The network's answer is remembered, so its own time, as it was
    measured then, is added to the former.
    """
    frames = [np.asarray(read_picture(path), np.uint8) for path in scan.frames]
    with tempfile.TemporaryDirectory(prefix="sonovan-sequence-") as folder:
        source = sources_of(frames, capture_options(organ=scan.organ, side="left"), Path(folder)).sources[0]
        signer = Signer(VAN_ID, generate_key())
        store = FolderStore(Path(folder) / "store")
        centre = EmbeddedCentre(network, Scratch(), signer, store=store, report_for="decision_support")
        sent, spent, network_s = 0.0, 0.0, 0.0

        def put(item: Item) -> None:
            nonlocal sent, spent, network_s
            before = time.perf_counter(), time.process_time()
            centre.put(item)
            if item.topic is Topic.FRAME_CAPTURED and centre.newest is not None:
                (sent, spent), network_s = before, centre.newest.record.timings_ms["network"] / 1000

        compose((source,), VISIT, signer, put, leaves=False)
        taken = time.perf_counter() - sent + network_s, time.process_time() - spent
        if centre.revisions[-1].status != "complete":
            raise RuntimeError(f"{scan.name}: the revision after the last frame is {centre.revisions[-1].status}")
    return taken


def misses(document: dict[str, Any]) -> list[str]:
    """The bars that are not met, in words."""
    gains = document["gain"]
    told = [f"at {rate} the sequence is not above single frames" for rate, one in gains.items() if one["gain"] <= 0]
    if sum(one["ci95"][0] > 0 for one in gains.values()) < 2:
        told.append("fewer than two intervals of the gain lie above 0")
    if document["sequence"]["0.2"]["sensitivity"] < 0.92:
        told.append("sequence at 0.2 is below .92")
    if document["report_p95_s"] >= 2:
        told.append("the report takes two seconds or more")
    return told


def table(document: dict[str, Any]) -> str:
    """The page's part between its markers."""
    lines = [
        "## Sweeps against single frames",
        "",
        f"`make bench-sequence`: {document['scans']} simulated sweeps of {document['frames_per_scan']} frames from "
        f"pictures of test groups, half of them without a lesion, {document['lesions']} lesions; "
        f"`{document['model']}`, {document['provider']}. Sensitivity per lesion by false positives per scan, 95 % "
        "intervals by scan (`sonovan/models/evaluation/froc.py`); both ways have the same candidates, single "
        "frames with the score of the best frame. Made of stills: docs/decisions/0047 says how, and what that cannot "
        "show.",
        "",
        "| false positives per scan | single frames | sequence | gain (paired) |",
        "|---|---|---|---|",
    ]
    for rate, gain in document["gain"].items():
        cells = [_cell(document[way][rate], "sensitivity") for way in ("single", "sequence")]
        lines.append(f"| {rate} | {' | '.join(cells)} | {_cell(gain, 'gain')} |")
    counts = document["alerts"]["counts"]
    lines += [
        "",
        f"Last frame to complete report: 95th percentile {document['report_p95_s']} s, of which "
        f"{document['report_cpu_p95_s']} s are computing. Alerts of severity "
        f"`suspicious`: scans without a lesion {counts['clean_scans']}, malignant lesions {counts['malignant']}, "
        f"benign ones {counts['benign']}.",
    ]
    return "\n".join(lines)


def _cell(told: dict[str, Any], name: str) -> str:
    low, high = told["ci95"]
    return f"{told[name]:.3f} ({low:.3f}–{high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
