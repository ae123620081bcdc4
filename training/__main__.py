"""`python -m training train|export|quantise|evaluate`: from a folder of data to weights with a card."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonovan.models.evaluation.index import SETS, Split, read_rows
from training.loop import Plan, Run
from training.network import ENCODERS, SIZE
from training.samples import SIMULATED_TRAIN_SEED, load, simulated

CACHE_SIDE = 288  # a little larger than the network's input, so that zooming in stays sharp


def _say(line: str) -> None:
    print(line, flush=True)


def _train(arguments: argparse.Namespace) -> int:
    shares = tuple((name, float(share)) for name, share in (pair.split("=") for pair in arguments.share))
    rates = {"encoder_rate": Plan.encoder_rate * arguments.rate, "decoder_rate": Plan.decoder_rate * arguments.rate}
    plan = Plan(
        epochs=arguments.epochs, seed=arguments.seed, shares=shares, without=tuple(arguments.without),
        encoder=arguments.encoder, small=arguments.small, **rates,
    )  # fmt: skip
    sets = [name for name in SETS if name not in plan.without]
    rows = [row for name in sets for row in read_rows(arguments.data, name, "train")]
    held = [row for name in SETS for row in read_rows(arguments.data, name, "validation")]
    train = load(rows, CACHE_SIDE) + simulated(SIMULATED_TRAIN_SEED, 60, 10, CACHE_SIDE, _say)
    validation = load(held, SIZE) + simulated(SIMULATED_TRAIN_SEED // 2, 8, 10, SIZE, _say)
    run = Run(plan, arguments.out, train, validation)
    _say(f"{len(train)} training samples, {len(validation)} for validation, {run.per_epoch} steps per epoch")
    if arguments.resume and run.resume():
        _say(f"resumed after epoch {run.epoch}")
    elif arguments.start is not None:
        run.start_from(arguments.start)
    run.finish(_say)
    return 0


def _folds(arguments: argparse.Namespace) -> int:
    from sonovan.models.registry import read_registry
    from training.folds import five_fold

    entry = read_registry(arguments.weights).entry(arguments.model)
    figures = five_fold(arguments.data, arguments.set, arguments.start, arguments.out, entry, arguments.epochs, _say)
    _say(json.dumps({name: figures[name] for name in ("n", "groups", "lesion_dice", "lesion_iou", "auc", "auc_ci95")}))
    return 0


def _learn(arguments: argparse.Namespace) -> int:
    from training.folds import learn

    learn(
        arguments.data, arguments.start, arguments.out, arguments.epochs, _say, arguments.resume,
        seed=arguments.seed, boundary=arguments.boundary,
    )  # fmt: skip
    return 0


def _refine(arguments: argparse.Namespace) -> int:
    from training.refine import plan_for, refine

    plan = plan_for(arguments.epochs, arguments.seed)
    refine(arguments.data, arguments.start, arguments.out, plan, _say, arguments.resume, arguments.pause)
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from training.restore import checkpoint

    for name, value in checkpoint(arguments.file, arguments.data, arguments.out).items():
        _say(f"{name} differs from the network restored by at most {value:.1e}")
    return 0


def _whole(arguments: argparse.Namespace) -> int:
    from training.whole import Recipe, follow, steps

    recipe = Recipe(arguments.first, arguments.second, small=min(Recipe.small, arguments.first - 1))
    data, run = arguments.data.resolve(), arguments.out.resolve()
    return follow(steps(data, run, arguments.model, recipe), run, _say, arguments.until, arguments.project)


def _export(arguments: argparse.Namespace) -> int:
    from training.export import export, load_checkpoint, register
    from training.whole import commands_of

    network, facts = load_checkpoint(arguments.checkpoint)
    model: str = arguments.model
    file = arguments.weights / f"{model}.onnx"
    far = export(network, file, model, arguments.despeckle, arguments.weights)
    entry = register(file, arguments.weights / "registry.json", model, f"../cards/{model}.md")
    facts |= {"threshold": entry["threshold"], "min_area_px": entry["min_area_px"]}
    commands = commands_of(arguments.run_steps) if arguments.run_steps else arguments.command
    facts |= {"commands": commands, "notes": arguments.note, "despeckle": arguments.despeckle}
    arguments.cards.mkdir(parents=True, exist_ok=True)
    _write(arguments.cards / f"{model}.json", {"training": facts})
    _say(f"{file} {file.stat().st_size / 1e6:.1f} MB sha256 {entry['sha256']}")
    _say(", ".join(f"{name} differs from torch by at most {value:.1e}" for name, value in far.items()))
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from sonovan.models.evaluation.evaluate import evaluate, write_card, write_page
    from sonovan.models.registry import read_registry

    model = read_registry(arguments.weights).entry(arguments.model).id
    facts: dict[str, Any] = json.loads((arguments.cards / f"{model}.json").read_text(encoding="utf-8"))
    splits: tuple[Split, ...] = ("validation", "test") if arguments.split == "both" else (arguments.split,)
    for split in splits:
        sweeps = arguments.sweeps if split == splits[-1] else 0
        facts[split] = evaluate(arguments.data, arguments.weights, model, split, sweeps, _say)
    _say(json.dumps(facts[splits[-1]]["simulated"]))
    for path in arguments.folds:
        figures = json.loads(path.read_text(encoding="utf-8"))
        facts.setdefault("five_fold", {})[figures["set"]] = figures
    if arguments.split == "both":
        write_card(facts, arguments.cards)
        write_page(arguments.weights, arguments.cards, arguments.page)
    return 0


def _blend(arguments: argparse.Namespace) -> int:
    from training.blend import blend

    blend(arguments.checkpoints, arguments.out)
    return 0


def _cheaper(arguments: argparse.Namespace) -> int:
    from sonovan.models.registry import read_registry
    from training.cheaper import try_variants
    from training.export import load_checkpoint

    network, _ = load_checkpoint(arguments.checkpoint)
    try_variants(network, read_registry(arguments.weights).entry(arguments.model), arguments.data, _say)
    return 0


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _quantise(arguments: argparse.Namespace) -> int:
    from training.quantise import quantise

    quantise(arguments.weights, arguments.model, arguments.data, arguments.pictures, _say)
    return 0


def _once(arguments: argparse.Namespace) -> int:
    from training.once import look_once

    look_once(arguments.weights, arguments.model, _say)
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. words: None takes the process's own."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train from ImageNet weights; resumable")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--epochs", type=int, default=Plan.epochs)
    train.add_argument("--seed", type=int, default=Plan.seed)
    train.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    train.add_argument("--start", type=Path, help="begin with the weights of this checkpoint, not ImageNet's")
    train.add_argument("--rate", type=float, default=1.0, help="factor on the peak learning rates")
    train.add_argument("--share", action="append", default=[], metavar="SET=X", help="how often an epoch shows a set")
    train.add_argument("--encoder", choices=tuple(ENCODERS), default=Plan.encoder)
    train.add_argument("--small", type=int, default=0, metavar="N", help="the first N epochs on pictures of 192 pixels")
    train.add_argument("--without", action="append", default=[], choices=tuple(SETS), help="leave a set out")
    train.set_defaults(run=_train)

    folds = commands.add_parser("folds", help="five-fold figures of a set that the start was trained without")
    learn = commands.add_parser("learn", help="go on from a start, now with the set that it was trained without")
    for command in (folds, learn):
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--start", type=Path, required=True, metavar="CHECKPOINT")
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--epochs", type=int, default=2)
    folds.add_argument("--set", choices=tuple(SETS), default="breast")
    folds.add_argument("--model", help="whose threshold and smallest area are used; default: the registry's first")
    folds.add_argument("--weights", type=Path, default=Path("models/weights"))
    folds.set_defaults(run=_folds)
    learn.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    learn.add_argument("--seed", type=int, default=Plan.seed)
    learn.add_argument("--boundary", type=float, default=Plan.boundary, metavar="X", help="weight of a boundary loss")
    learn.set_defaults(run=_learn)

    restored = commands.add_parser("restore", help="a checkpoint to train on from, out of a shipped file")
    restored.add_argument("file", type=Path, metavar="ONNX")
    restored.add_argument("--data", type=Path, required=True)
    restored.add_argument("--out", type=Path, required=True, metavar="FILE")
    restored.set_defaults(run=_restore)
    refine = commands.add_parser("refine", help="a last training against misses and false regions; resumable")
    refine.add_argument("--data", type=Path, required=True)
    refine.add_argument("--start", type=Path, required=True, metavar="CHECKPOINT")
    refine.add_argument("--out", type=Path, required=True)
    refine.add_argument("--epochs", type=int, default=8)
    refine.add_argument("--seed", type=int, default=Plan.seed)
    refine.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    refine.add_argument("--pause", type=Path, metavar="FILE", help="wait for as long as this file is there")
    refine.set_defaults(run=_refine)

    blend = commands.add_parser("blend", help="the mean of checkpoints of which one began with the other's weights")
    blend.add_argument("checkpoints", type=Path, nargs="+")
    blend.add_argument("--out", type=Path, required=True, metavar="FILE")
    blend.set_defaults(run=_blend)

    whole = commands.add_parser("whole", help="all steps in order, from pictures to registered networks with cards")
    whole.add_argument("--data", type=Path, required=True)
    whole.add_argument("--out", type=Path, required=True)
    whole.add_argument("--model", required=True, metavar="ID", help="what the network will be called")
    whole.add_argument("--first", type=int, default=21, metavar="N", help="epochs from ImageNet's weights")
    whole.add_argument("--second", type=int, default=27, metavar="N", help="epochs of the second cycle")
    whole.add_argument("--until", metavar="STEP", help="the last step to do now")
    whole.add_argument("--project", default=".venv/bin/python", metavar="PYTHON", help="of the project's environment")
    whole.set_defaults(run=_whole)

    export = commands.add_parser("export", help="checkpoint → ONNX file, registry entry")
    export.add_argument("checkpoint", type=Path)
    export.add_argument("--model", default="lite2-unet-3", metavar="ID", help="what the network is called")
    export.add_argument("--despeckle", choices=("none", "diffusion", "learned"), default="none", help="in the graph")
    export.add_argument("--command", action="append", default=[], help="for the card: a command that made the weights")
    export.add_argument("--run", dest="run_steps", type=Path, metavar="FILE", help="for the card: what `whole` did")
    export.add_argument("--note", action="append", default=[], help="for the card: what else its reader must know")
    export.set_defaults(run=_export)
    quantise = commands.add_parser("quantise", help="an int8 file of a registered network, calibrated on training data")
    quantise.add_argument("--data", type=Path, required=True)
    quantise.add_argument("--model", help="a network of the registry; default: its first")
    quantise.add_argument("--pictures", type=int, default=120, help="training pictures to calibrate with")
    quantise.set_defaults(run=_quantise)
    once = commands.add_parser("once", help="files that look at the mirror image, so that the engine shows it to them")
    once.add_argument("--model", help="a network of the registry; default: its first")
    once.set_defaults(run=_once)
    cheaper = commands.add_parser("cheaper", help="what a smaller input or fewer layers would lose and save")
    cheaper.add_argument("checkpoint", type=Path)
    cheaper.add_argument("--data", type=Path, required=True)
    cheaper.add_argument("--model", help="whose threshold and smallest area are used; default: the registry's first")
    cheaper.set_defaults(run=_cheaper)
    evaluate = commands.add_parser("evaluate", help="figures of the shipped file; both splits also write card and page")
    evaluate.add_argument("--data", type=Path, required=True)
    evaluate.add_argument("--split", choices=("train", "validation", "test", "both"), default="validation")
    evaluate.add_argument("--sweeps", type=int, default=8, help="simulated sweeps per organ")
    evaluate.add_argument("--model", help="a network of the registry; default: its first")
    evaluate.add_argument("--folds", type=Path, action="append", default=[], metavar="FILE", help="what `folds` wrote")
    evaluate.add_argument("--page", type=Path, default=Path("docs/accuracy.md"))
    evaluate.set_defaults(run=_evaluate)
    for command in (export, quantise, once, evaluate, cheaper):
        command.add_argument("--weights", type=Path, default=Path("models/weights"))
    for command in (export, quantise, evaluate):
        command.add_argument("--cards", type=Path, default=Path("models/cards"))
    arguments = parser.parse_args(words)
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
