"""`python -m training.trust train|register`: from pictures to the companion `trust` of a network."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from training.heads import Trunk, add_entering, add_learning, export_head, register, run_command, say
from training.trust.card import card
from training.trust.figures import figures, passed, thresholds
from training.trust.gather import gather, load
from training.trust.learn import Plan, learn, probabilities

NAME = "trust-1"
COMMANDS = [
    "python -m sonovan.stills DATA/video DATA/dicom/ultrasound --out STILLS    # and --other for CT, MR, X-ray",
    "python -m training.trust train --data DATA --stills STILLS --trunk CHECKPOINT.pt --out RUN",
    "python -m training.trust register --run RUN --model ID --weights models/weights",
]


def _train(arguments: argparse.Namespace) -> int:
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "evidence.npz"
    if arguments.again and kept.exists():
        evidence, trunk_sha256 = load(kept), hashlib.sha256(arguments.trunk.read_bytes()).hexdigest()
    else:
        trunk = Trunk(arguments.trunk)
        evidence, trunk_sha256 = gather(arguments.data, arguments.stills, trunk), trunk.sha256
        evidence.save(kept)
    plan = Plan(seed=arguments.seed)
    head = learn(evidence.where(evidence.part == "train"), plan)
    shares = probabilities(head, evidence.values)
    least = thresholds(evidence, shares)
    file = out / f"{NAME}.onnx"
    width = evidence.values.shape[1]
    export_head(head, width, file, "evidence", ["classes"])
    data = file.read_bytes()
    facts = {
        "name": NAME, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "width": width,
        "trunk_sha256": trunk_sha256, "plan": asdict(plan), "settings": least, "commands": COMMANDS,
        "pictures": dict(Counter(str(part) for part in evidence.part)),
        "figures": figures(evidence, shares, least), "passed": passed(evidence, shares, least),
    }  # fmt: skip
    (out / f"{NAME}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (out / f"{NAME}.md").write_text(card(facts), encoding="utf-8")
    say(json.dumps(facts["figures"], indent=1))
    return 0


def _register(arguments: argparse.Namespace) -> int:
    facts = json.loads((arguments.run / f"{NAME}.json").read_text(encoding="utf-8"))
    copy = register(arguments.run / f"{NAME}.onnx", "trust", facts["settings"], arguments.model, arguments.weights)
    for kind in ("json", "md"):
        text = (arguments.run / f"{NAME}.{kind}").read_text(encoding="utf-8")
        (arguments.cards / f"{NAME}.{kind}").write_text(text, encoding="utf-8")
    say(f"{copy} {copy.stat().st_size / 1e3:.0f} kB, settings {facts['settings']}")
    return 0


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.trust", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="gather, learn, measure; writes graph, JSON and card to --out")
    add_learning(train)
    train.add_argument("--stills", type=Path, required=True, help="foreign pictures, as sonovan.stills writes them")
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run_command=_train)
    entry = commands.add_parser("register", help="enter a trained head beside a network of the registry")
    add_entering(entry)
    entry.set_defaults(run_command=_register)
    return run_command(parser)


if __name__ == "__main__":
    sys.exit(main())
