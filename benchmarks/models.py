"""Runtimes and precisions of a network: how fast, how much memory, and what they cost in Dice.

    make bench-models                                       # benchmarks.models --data ../shared/data --register

Writes benchmarks/results/models.json and the table in docs/performance.md. `--register` writes into registry.json which
precisions are allowed: those that lose no more than .003 Dice against float32 on the real validation pictures, per set
and over all, and next to nothing of what the companions say (models/evaluation/precision.py). What this machine cannot
compute keeps the verdict it had.
The exit code is 1 where a precision that is allowed is slower than its bar.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.engines import PLAIN, Network, race, read_network
from sonovan.models.engine.cpu import cpu_name, fast_flags, usable_cores
from sonovan.models.evaluation.precision import ALL, ASSESSED, AUC, BAR, BARS, Case, allowed, figures, loss, read_cases
from sonovan.models.registry import WEIGHTS_DIR, read_registry
from sonovan.models.segmenter import assembled

RESULTS: Final = Path(__file__).parent / "results" / "models.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- models: begin -->", "<!-- models: end -->"
REFERENCE: Final = "cpu/fp32"


def costs(network: Network, cases: Sequence[Case], weights: Path) -> dict[str, dict[str, Any]]:
    """By `provider/precision`: the figures, what they lose against float32, and whether it may run.

    weights: the folder of the companions' files.
    """
    exact: dict[str, float] = {}
    found: dict[str, dict[str, Any]] = {}
    runners = network.runners()
    for (provider, precision), runner in sorted(runners.items(), key=lambda item: f"{item[0][0]}/{item[0][1]}"):
        measured = figures(assembled(network.entry, runner, weights), cases)
        exact = exact or measured  # cpu/fp32 comes first
        lost = loss(exact, measured)
        found[f"{provider}/{precision}"] = {"figures": measured, "lost": lost, "allowed": allowed(lost)}
        print(f"{provider}/{precision} {measured[ALL]} loses {lost}", flush=True)
    return found


def bars(flags: Sequence[str]) -> dict[str, float]:
    """The least ratio to the plain provider that each precision must reach on a processor with these flags."""
    wanted = {}
    if "avx512_bf16" in flags:
        wanted["bf16"] = 1.6
    if "amx_bf16" in flags:
        wanted["bf16"] = 2.5
    if "avx512_vnni" in flags or "amx_int8" in flags:
        wanted["int8"] = 2.2
    return wanted


def missed(document: dict[str, Any]) -> list[str]:
    """A line for each precision that is allowed and slower than its bar."""
    lines = []
    for precision, bar in bars(document["flags"]).items():
        if precision in document["allowed"]:
            may = [row for row in document["engines"] if row["precision"] == precision]
            may = [row for row in may if f"{row['provider']}/{precision}" not in document["refused"]]
            best = max(row["ratio"] for row in may)
            if best < bar:
                lines.append(f"{precision} is {best} times as fast as the plain provider, the bar is {bar}")
    return lines


def table(document: dict[str, Any]) -> str:
    """The page's part between its markers."""
    costed = document["costs"]
    lines = [
        f"`{document['model']}` on {document['cpu']}, {document['cores']} cores ({', '.join(document['flags'])}), "
        f"load before {document['load_before']}; {document['pictures']} validation pictures.",
        "",
        "| what runs | batch | ms | CPU ms | frames/s | × plain (range) | Dice lost, worst set | refused | AUC lost "
        "| MiB | allowed |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in document["engines"]:
        name = f"{row['provider']}/{row['precision']}"
        cost = costed.get(REFERENCE if row["provider"] == PLAIN else name)
        lost, may = (" | | ", "") if cost is None else (_told(cost["lost"]), "yes" if cost["allowed"] else "no")
        low, high = row["ratio_range"]
        shown = "onnxruntime as it comes" if row["provider"] == PLAIN else name
        lines.append(
            f"| {shown} | {row['batch']} | {row['ms']} | {row['cpu_ms']} | {row['frames_per_s']} | {row['ratio']:.2f} "
            f"({low:.2f} to {high:.2f}) | {lost} | {row['peak_mib']} | {may} |"
        )
    return "\n".join(lines)


def _told(lost: dict[str, float]) -> str:
    worst = max(value for name, value in lost.items() if name != ALL and name not in BARS)
    dice, refused, auc = (
        f"{_four(lost[ALL])}, {_four(worst)}",
        f"{100 * lost[ASSESSED]:.1f} %",
        _four(lost[AUC]) if AUC in lost else "–",
    )
    return f"{dice} | {refused} | {auc}"


def _four(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}"  # no minus before a zero


def _costs(network: Network, data: Path | None, before: Path, weights: Path) -> tuple[int, dict[str, Any]]:
    """Pictures and costs: measured where there is data, else those of the last results, if of the same files."""
    if data is not None:
        cases = read_cases(data)
        return len(cases), costs(network, cases, weights)
    if before.is_file():
        last: dict[str, Any] = json.loads(before.read_text(encoding="utf-8"))
        if last["sha256"] == _sha256(network) and last.get("fingerprint") == network.entry.fingerprint:
            return last["pictures"], last["costs"]
    return 0, {}


def _sha256(network: Network) -> dict[str, str]:
    return {"fp32": network.entry.sha256} | {str(name): one.sha256 for name, one in network.entry.variants.items()}


def verdict(costed: dict[str, Any], before: Sequence[str]) -> tuple[list[str], list[str]]:
    """The precisions that are allowed, and each `provider/precision` of them that is refused.

    fp32 always; whatever keeps its Dice on at least one provider; and, of `before`, what was not measured.
    """
    keeps: dict[str, bool] = {"fp32": True}
    for name, cost in costed.items():
        precision = name.partition("/")[2]
        keeps[precision] = keeps.get(precision, False) or cost["allowed"]
    precisions = [each for each, kept in keeps.items() if kept] + [each for each in before if each not in keeps]
    lossy = [name for name, cost in costed.items() if not cost["allowed"] and name.partition("/")[2] in precisions]
    return precisions, lossy


def _register(folder: Path, model: str, precisions: list[str], refused: list[str]) -> None:
    path = folder / "registry.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    entry = next(each for each in document["models"] if each["id"] == model)
    entry |= {"precisions": precisions, "refused": refused}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _write_page(page: Path, text: str) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; the exit code is 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.models", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with the development data; without it, Dice is not measured")
    parser.add_argument("--weights-dir", type=Path, default=WEIGHTS_DIR)
    parser.add_argument("--model", default=None, help="id in the registry; default: the first")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--register", action="store_true", help="write the allowed precisions into the registry")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    network = read_network(asked.weights_dir, asked.model)
    load = round(os.getloadavg()[0], 1)
    pictures, costed = _costs(network, asked.data, asked.out, asked.weights_dir)
    precisions, refused = verdict(costed, read_registry(asked.weights_dir).entry(network.entry.id).precisions)
    document = {
        "model": network.entry.id,
        "sha256": _sha256(network),
        "fingerprint": network.entry.fingerprint,
        "pictures": pictures,
        "bar_dice": BAR,
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "flags": fast_flags(),
        "load_before": load,
        "versions": {name: version(name) for name in ("onnxruntime-gpu", "openvino", "opencv-python", "numpy")},
        "allowed": precisions,
        "refused": refused,
        "costs": costed,
        "engines": [asdict(timed) for timed in race(network, asked.weights_dir, asked.rounds)],
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _write_page(asked.page, table(document))
    if asked.register:
        _register(asked.weights_dir, network.entry.id, precisions, refused)
    print(table(document))
    short = missed(document)
    print("\n".join(short) or "the bars are met", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
