"""`python -m training.despeckle train|report`: the learned despeckler, and what every method is worth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from sonovan.models.despeckle import METHODS


def _say(line: str) -> None:
    print(line, flush=True)


def _train(arguments: argparse.Namespace) -> int:
    import torch

    from training.despeckle.loop import MODEL_ID, Plan, export, train
    from training.despeckle.pairs import clean_pool

    torch.set_num_threads(arguments.threads)
    plan = Plan(arguments.steps, arguments.batch, seed=arguments.seed)
    pool = clean_pool(arguments.data, arguments.phantoms, arguments.per_set, _say)
    network = train(plan, pool, arguments.out, arguments.resume, _say)
    file = arguments.out / f"{MODEL_ID}.onnx"
    _say(f"{file} sha256 {export(network, file)}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from training.despeckle.report import Files, report

    files = Files(arguments.results, arguments.page, arguments.sheet)
    report(arguments.data, arguments.per_set, files, arguments.method or METHODS, _say)
    return 0


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.despeckle", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train and export to OUT; resumable")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--steps", type=int, default=2000)
    train.add_argument("--batch", type=int, default=8)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--phantoms", type=int, default=160, help="clean pictures of the simulator")
    train.add_argument("--per-set", type=int, default=60, help="diffused training pictures per set")
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    train.set_defaults(run=_train)
    report = commands.add_parser("report", help="measure every method; write the figures, the page and the sheet")
    report.add_argument("--data", type=Path, required=True)
    report.add_argument("--per-set", type=int, default=40, help="validation pictures per set at most")
    report.add_argument("--method", action="append", choices=METHODS, help="measure this one, keep the others' figures")
    report.add_argument("--results", type=Path, default=Path("benchmarks/results/despeckle.json"))
    report.add_argument("--page", type=Path, default=Path("docs/despeckle.md"))
    report.add_argument("--sheet", type=Path, default=Path("docs/images/despeckle.png"))
    report.set_defaults(run=_report)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
