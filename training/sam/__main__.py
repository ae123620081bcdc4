"""`python -m training.sam train|export|evaluate|finetune`: the compact SAM, and a public one on own masks."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import cv2

from sonovan.models.evaluation.index import Split, spread
from sonovan.models.heads.prompting import MaskDecoder, load_prompter, read_decoder
from sonovan.models.registry import read_registry
from training.export import load_checkpoint
from training.sam.features import build, rows_of
from training.sam.files import export, load_decoder, parameters, register
from training.sam.loop import Plan, Run
from training.sam.measure import Seen, look, settle
from training.sam.summary import page, summary
from training.samples import SIMULATED_TRAIN_SEED, load, simulated

CACHE_SIDE = 288


def _say(line: str) -> None:
    print(line, flush=True)


def _train(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    trunk, _ = load_checkpoint(arguments.trunk)
    own = (arguments.data / "index.csv").exists()
    without = tuple(arguments.without)
    rows = rows_of(arguments.data, "train", without=without, organ=arguments.organ)
    for folder in arguments.masks:
        rows += rows_of(folder, "train", without=without, organ=arguments.organ)
    samples = load(rows, CACHE_SIDE)
    if not own:
        samples += simulated(SIMULATED_TRAIN_SEED, 16, 10, CACHE_SIDE, _say)
    plan = Plan(steps=arguments.steps, seed=arguments.seed, rate=arguments.rate, focal=arguments.focal)
    train = build(trunk, samples, arguments.variants, plan.seed, _say)
    held = None if own else build(trunk, load(rows_of(arguments.data, "validation"), 256), 0, 0, _say)
    facts = {
        "trunk_sha256": hashlib.sha256(arguments.trunk.read_bytes()).hexdigest(),
        "pictures": {name: sum(sample.set == name for sample in samples) for name in sorted({s.set for s in samples})},
        "variants": arguments.variants,
        "without": list(without),
        "start_sha256": hashlib.sha256(arguments.start.read_bytes()).hexdigest() if arguments.start else "",
    }
    run = Run(plan, arguments.out, train, held, facts)
    if arguments.resume and run.resume():
        _say(f"resumed after step {run.step}")
    elif arguments.start is not None:
        run.start_from(arguments.start)
    run.finish(_say)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    model = read_registry(arguments.weights).entry(arguments.model).id
    decoder, training = load_decoder(arguments.decoder)
    file = arguments.weights / f"{model}-prompt.onnx"
    worst = export(decoder, file)
    register(file, arguments.weights, model, {})
    seen, _ = _measured(arguments, model, "validation")
    settings = settle(seen)
    register(file, arguments.weights, model, settings)
    trunk = read_registry(arguments.weights).entry(model)
    facts: dict[str, Any] = {"model": model, "sha256": trunk.companions["prompt"].sha256, "difference": worst}
    facts |= {"trunk_parameters": parameters(arguments.weights / trunk.file), "training": training}
    facts["settings"] = settings
    _write(arguments.cards / f"{model}-prompt.json", facts)
    _say(f"{file} {file.stat().st_size / 1e6:.1f} MB, differs from torch by {worst:.1e}; {json.dumps(settings)}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    model = read_registry(arguments.weights).entry(arguments.model).id
    seen, decoder = _measured(arguments, model, arguments.split)
    figures = summary(seen, decoder)
    print(json.dumps(figures, indent=1))
    path = arguments.cards / f"{model}-prompt.json"
    if path.exists():
        facts = json.loads(path.read_text(encoding="utf-8"))
        facts[arguments.split] = figures
        _write(path, facts)
        path.with_suffix(".md").write_text(page(facts), encoding="utf-8")
    return 0


def _finetune(arguments: argparse.Namespace) -> int:
    from training.sam.finetune import Tuning, finetune  # needs the package segment-anything

    cv2.setNumThreads(1)
    rows = spread(rows_of(arguments.data, "train", organ=arguments.organ), arguments.limit)
    tuning = Tuning(epochs=arguments.epochs, rank=arguments.rank, seed=arguments.seed)
    finetune(arguments.checkpoint, load(rows, arguments.side), arguments.out, tuning, _say)
    _say(f"{arguments.out}: sonovan models import sam {arguments.out} --out WEIGHTS_DIR")
    return 0


def _measured(arguments: argparse.Namespace, model: str, split: Split) -> tuple[list[Seen], MaskDecoder]:
    cv2.setNumThreads(1)
    entry = read_registry(arguments.weights).entry(model)
    prompter = load_prompter(model, provider="cpu", precision="fp32", weights_dir=arguments.weights)
    decoder = read_decoder(entry, arguments.weights)
    assert decoder is not None  # load_prompter has raised otherwise
    rows = spread(rows_of(arguments.data, split, organ=arguments.organ), arguments.limit)
    return [look(prompter, decoder, entry, row) for row in rows], decoder


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.sam", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train the prompt decoder on a frozen trunk; resumable")
    train.add_argument("--data", type=Path, required=True, help="folder of public sets, or a site's own with index.csv")
    train.add_argument("--masks", type=Path, nargs="*", default=[], help="further folders with an index.csv")
    train.add_argument("--organ", choices=("breast", "thyroid"), help="of folders whose index.csv does not say")
    train.add_argument("--trunk", type=Path, required=True, help="checkpoint of the trunk")
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--start", type=Path, help="begin with this decoder.pt: fine-tuning")
    train.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    train.add_argument("--steps", type=int, default=Plan.steps)
    train.add_argument("--seed", type=int, default=Plan.seed)
    train.add_argument("--rate", type=float, default=Plan.rate)
    train.add_argument("--variants", type=int, default=2, help="chance variations of each picture")
    train.add_argument("--focal", action="store_true", help="SAM's focal loss instead of cross-entropy")
    train.add_argument("--without", action="append", default=[], help="leave a set out of the training")
    train.set_defaults(run=_train)

    export = commands.add_parser("export", help="decoder.pt → ONNX file, settings chosen on validation, registry entry")
    export.add_argument("decoder", type=Path)
    evaluate = commands.add_parser("evaluate", help="figures of the shipped file, card")
    evaluate.add_argument("--split", choices=("train", "validation", "test"), default="validation")
    for command, run in ((export, _export), (evaluate, _evaluate)):
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--weights", type=Path, default=Path("models/weights"))
        command.add_argument("--cards", type=Path, default=Path("models/cards"))
        command.add_argument("--model", help="id of the trunk in the registry; default: the first")
        command.add_argument("--organ", choices=("breast", "thyroid"), help="of folders whose index.csv does not say")
        command.add_argument("--limit", type=int, help="at most so many pictures, evenly spaced")
        command.set_defaults(run=run)
    tune = commands.add_parser("finetune", help="teach a public SAM checkpoint a site's masks: decoder and adapters")
    tune.add_argument("--checkpoint", type=Path, required=True, help="checkpoint in SAM's public layout")
    tune.add_argument("--data", type=Path, required=True, help="folder with an index.csv, or of public sets")
    tune.add_argument("--out", type=Path, required=True, help="the tuned checkpoint, in the public layout again")
    tune.add_argument("--organ", choices=("breast", "thyroid"), help="of folders whose index.csv does not say")
    tune.add_argument("--epochs", type=int, default=10)
    tune.add_argument("--rank", type=int, default=4, help="of the adapters")
    tune.add_argument("--seed", type=int, default=0)
    tune.add_argument("--side", type=int, default=512, help="pictures are kept so large, in pixels")
    tune.add_argument("--limit", type=int, help="at most so many pictures, evenly spaced")
    tune.set_defaults(run=_finetune)
    arguments = parser.parse_args()
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
