"""`python -m training.lesions train|evaluate|register|thresholds`: from drawn lesions to the companion `lesions`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sonovan.models.heads.companion import Companion
from training.heads import (
    Trunk,
    add_entering,
    add_learning,
    add_sources,
    export_head,
    register,
    run_command,
    say,
)
from training.lesions.card import card
from training.lesions.cross import BREAST_SETS, Answers, judged_rows, malignant_figures, on_taught, train
from training.lesions.figures import given_figures, head_figures
from training.lesions.gather import Lesions, gather, load
from training.lesions.learn import MALIGNANT, LesionHeads, space_of, wanted
from training.lesions.thresholds import Registered, settings_of
from training.lesions.words import KEYS

NAME = "lesions-1"
COMMANDS = [
    "python -m training.lesions train --data DATA --trunk WITHOUT_BREAST.pt --out FIVE",
    "python -m training.lesions train --data DATA --trunk CHECKPOINT.pt --out RUN --figures FIVE",
    "python -m training.lesions evaluate --data DATA --trunk CHECKPOINT.pt --run RUN    # the test split, once",
    "python -m training.lesions register --run RUN --model ID --weights models/weights",
    "python -m training.lesions thresholds --data DATA --model ID    # each word's own threshold",
]


def _train(arguments: argparse.Namespace) -> int:
    out: Path = arguments.out
    earlier: dict[str, Any] | None = None
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "regions.npz"
    if arguments.again and kept.exists():
        lesions, trunk_sha256 = load(kept), hashlib.sha256(arguments.trunk.read_bytes()).hexdigest()
    else:
        trunk = Trunk(arguments.trunk)
        lesions, trunk_sha256 = gather(arguments.data, trunk, most=arguments.most), trunk.sha256
        lesions.save(kept)
    space = space_of(lesions.values)
    if arguments.figures is None:
        lines, figures, settings = train(space, lesions, say)
    else:
        earlier = json.loads((arguments.figures / f"{NAME}.json").read_text(encoding="utf-8"))
        lines, figures, settings = on_taught(space, lesions, say), earlier["figures"], earlier["settings"]
    file, width = out / f"{NAME}.onnx", lesions.values.shape[1]
    export_head(LesionHeads(space, lines), width, file, "regions", [MALIGNANT, *KEYS])
    data = file.read_bytes()
    facts = {
        "name": NAME, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "width": width,
        "trunk_sha256": trunk_sha256, "pictures": len(set(lesions.picture)), "settings": settings,
        "commands": COMMANDS, "figures": figures, "figures_of": earlier and earlier["trunk_sha256"],
    }  # fmt: skip
    _write(out, facts)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    facts = json.loads((arguments.run / f"{NAME}.json").read_text(encoding="utf-8"))
    trunk = Trunk(arguments.trunk)
    if trunk.sha256 != facts["trunk_sha256"]:
        raise SystemExit(f"{arguments.trunk} is not the trunk that {arguments.run} was trained on")
    lesions = gather(arguments.data, trunk, test=True)
    given = Companion((arguments.run / f"{NAME}.onnx").read_bytes(), "lesions").run({"regions": lesions.values})
    facts["test"] = _test_figures(lesions, given, facts)
    _write(arguments.run, facts)
    say(json.dumps(facts["test"], indent=1))
    return 0


def _test_figures(lesions: Lesions, given: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    heads = {}
    for key in KEYS:
        rows = judged_rows(lesions) & (wanted(lesions, key) >= 0)
        truth, shares = wanted(lesions, key)[rows], given[key][rows]
        one = head_figures(shares, truth, [str(group) for group in lesions.group[rows]])
        known = facts["figures"]["heads"][key]
        one |= {"words": known["words"], "setting": known["setting"]}
        heads[key] = one | given_figures(shares, truth, known["setting"])
    known_rows = wanted(lesions, MALIGNANT) >= 0
    part = lesions.where(known_rows)
    shares = np.concatenate([1 - given[MALIGNANT], given[MALIGNANT]], 1)[known_rows]
    found = Answers(part, wanted(part, MALIGNANT), shares, shares)
    return {"heads": heads, "malignant": {name: malignant_figures(found, name, "test") for name in BREAST_SETS}}


def _write(out: Path, facts: dict[str, Any]) -> None:
    (out / f"{NAME}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (out / f"{NAME}.md").write_text(card(facts), encoding="utf-8")


def _register(arguments: argparse.Namespace) -> int:
    facts = json.loads((arguments.run / f"{NAME}.json").read_text(encoding="utf-8"))
    copy = register(arguments.run / f"{NAME}.onnx", "lesions", facts["settings"], arguments.model, arguments.weights)
    _write(arguments.cards, facts)
    say(f"{copy} {copy.stat().st_size / 1e3:.0f} kB")
    return 0


def _thresholds(arguments: argparse.Namespace) -> int:
    registry = arguments.weights / "registry.json"
    known = json.loads(registry.read_text(encoding="utf-8"))
    (entry,) = (each for each in known["models"] if each["id"] == arguments.model)
    companion = entry["companions"]["lesions"]
    lesions = gather(arguments.data, Registered(arguments.weights, arguments.model), sets=("breast", "ddti"))
    companion["settings"] = settings_of(lesions, companion["settings"])
    registry.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    facts = json.loads((arguments.cards / f"{NAME}.json").read_text(encoding="utf-8"))
    _write(arguments.cards, facts | {"settings": companion["settings"]})
    return 0


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.lesions", description=__doc__)
    commands = parser.add_subparsers(required=True)
    learn = commands.add_parser("train", help="gather, learn five-fold, measure; writes graph, JSON and card to --out")
    add_learning(learn)
    learn.add_argument("--figures", type=Path, metavar="RUN", help="the trunk has learnt from `breast`: figures and "
                       "settings are those of this earlier run, on a trunk that has not")  # fmt: skip
    learn.add_argument("--most", type=int, help="at most so many training pictures of a set")
    learn.set_defaults(run_command=_train)
    measure = commands.add_parser("evaluate", help="figures of a trained run on the test split, into its JSON and card")
    add_sources(measure)
    measure.add_argument("--run", type=Path, required=True)
    measure.set_defaults(run_command=_evaluate)
    entry = commands.add_parser("register", help="enter trained heads beside a network of the registry")
    add_entering(entry)
    entry.set_defaults(run_command=_register)
    words = commands.add_parser("thresholds", help="choose on training folds from which probability each word is given")
    words.add_argument("--data", type=Path, required=True)
    words.add_argument("--model", required=True)
    words.add_argument("--weights", type=Path, default=Path("models/weights"))
    words.add_argument("--cards", type=Path, default=Path("models/cards"))
    words.set_defaults(run_command=_thresholds)
    return run_command(parser)


if __name__ == "__main__":
    sys.exit(main())
