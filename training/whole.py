"""`python -m training whole`: every step from pictures to registered networks with their cards, in order.

A step is a command of this room, run in a process of its own, so that it can be typed alone just as well.
`RUN/steps.json` says which are done; a run that was cut off goes on with the step it was in, and that from its last
checkpoint.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

LEFT_OUT = "breast"
"""The set of which the trunk sees nothing until its five-fold figures are measured."""


@dataclass(frozen=True)
class Recipe:
    """How long each part learns."""

    first: int = 21  # epochs from ImageNet's weights
    second: int = 27  # epochs of the second cycle
    small: int = 9  # epochs of the first cycle on pictures of 192 pixels
    rate: float = 0.6  # peak rates of the second cycle, as a share of the first's
    folds: int = 2
    learn: int = 4
    sam_steps: int = 600
    sam_again: int = 500  # steps of the prompt decoder's second cycle
    sam_rate: float = 0.001


@dataclass(frozen=True)
class Step:
    """One command: words behind `python -m`. elsewhere: of the project's own environment, which reads DICOM."""

    name: str
    words: tuple[str, ...]
    elsewhere: bool = False

    def __str__(self) -> str:
        return "python -m " + shlex.join(self.words)


def steps(data: Path, run: Path, model: str, recipe: Recipe) -> list[Step]:
    """What `whole` does, in order."""
    room = "training"
    given = ("--data", str(data))
    first, base = run / "first", run / "base"
    last, again = first / f"epoch_{recipe.first:02d}.pt", base / f"epoch_{recipe.second:02d}.pt"
    cycle, learnt = run / "blend" / "blend.pt", run / "learn" / f"epoch_{recipe.learn:02d}.pt"
    blind, seeing = ("--trunk", str(cycle)), ("--trunk", str(learnt))
    named = ("--model", model)

    def step(name: str, *words: object) -> Step:
        return Step(name, tuple(str(word) for word in words))

    return [
        step("first cycle", room, "train", *given, "--out", first, "--epochs", recipe.first, "--small", recipe.small,
             "--without", LEFT_OUT, "--resume"),
        step("second cycle", room, "train", *given, "--out", base, "--epochs", recipe.second, "--rate", recipe.rate,
             "--without", LEFT_OUT, "--start", last, "--resume"),
        step("blend", room, "blend", last, again, "--out", cycle),
        step("learn", room, "learn", *given, "--start", cycle, "--out", run / "learn", "--epochs", recipe.learn,
             "--resume"),
        step("export", room, "export", learnt, *named, "--run", run / "steps.json"),
        step("prompt decoder", f"{room}.sam", "train", *given, *seeing, "--out", run / "sam", "--steps",
             recipe.sam_steps, "--resume"),
        step("prompt decoder: second cycle", f"{room}.sam", "train", *given, *seeing, "--out", run / "sam2", "--start",
             run / "sam" / "decoder.pt", "--steps", recipe.sam_again, "--rate", recipe.sam_rate,
             "--seed", 1, "--resume"),
        step("prompt decoder: export", f"{room}.sam", "export", run / "sam2" / "decoder.pt", *given, *named),
        replace(step("stills", "sonovan.stills", data / "video", data / "dicom" / "ultrasound", "--out",
                     run / "stills"), elsewhere=True),
        step("trust", f"{room}.trust", "train", *given, "--stills", run / "stills", *seeing, "--out", run / "trust"),
        step("trust: register", f"{room}.trust", "register", "--run", run / "trust", *named),
        step("lesions, five-fold", f"{room}.lesions", "train", *given, *blind, "--out", run / "five"),
        step("lesions", f"{room}.lesions", "train", *given, *seeing, "--out", run / "lesions", "--figures",
             run / "five"),
        step("lesions: register", f"{room}.lesions", "register", "--run", run / "lesions", *named),
        step("folds", room, "folds", *given, "--start", cycle, "--out", run / "folds", "--epochs", recipe.folds,
             *named),
        step("evaluate", room, "evaluate", *given, *named, "--split", "both", "--folds",
             run / "folds" / f"{LEFT_OUT}_folds.json"),
        step("prompt decoder: evaluate", f"{room}.sam", "evaluate", *given, *named, "--split", "test"),
        step("lesions: evaluate", f"{room}.lesions", "evaluate", "--run", run / "lesions", *given, *seeing),
    ]  # fmt: skip


def follow(
    wanted: Sequence[Step],
    run: Path,
    say: Callable[[str], None],
    until: str | None = None,
    python: str = sys.executable,
) -> int:
    """Runs what is not done yet, up to the step `until`; returns the first exit code that is not 0, else 0.

    python: of the steps `elsewhere`.
    Raises ValueError when a step of that name was done with another command, or there is no step `until`.
    """
    if until is not None and until not in {step.name for step in wanted}:
        raise ValueError(f"no step is called {until!r}: " + ", ".join(step.name for step in wanted))
    run.mkdir(parents=True, exist_ok=True)
    file = run / "steps.json"
    done: dict[str, dict[str, str | int]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for number, step in enumerate(wanted, 1):
        place = f"{number}/{len(wanted)} {step.name}"
        before = done.get(step.name)
        if before is not None:
            if before["command"] != str(step):
                raise ValueError(f"{step.name} was done in {run} by another command: {before['command']}")
            say(f"{place}: done before, in {before['seconds']} s")
        else:
            say(f"{place}: {step}")
            started = time.monotonic()
            code = subprocess.run(
                [python if step.elsewhere else sys.executable, "-m", *step.words], check=False
            ).returncode
            if code != 0:
                say(f"{place} ended with exit code {code}; the same command goes on from here")
                return code
            done[step.name] = {"command": str(step), "seconds": round(time.monotonic() - started)}
            part = file.with_suffix(".part")
            part.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            part.replace(file)
        if step.name == until:
            break
    return 0


def commands_of(file: Path) -> list[str]:
    """The commands that a `steps.json` names, for a card: RUN for its folder, DIR for that of the pictures."""
    told = []
    pictures = ""
    for step in json.loads(file.read_text(encoding="utf-8")).values():
        words = shlex.split(step["command"])
        if "--data" in words:
            pictures = words[words.index("--data") + 1]
        known = [(str(file.parent), "RUN")] + ([(pictures, "DIR")] if pictures else [])
        for number, word in enumerate(words):
            for folder, name in known:
                if word == folder or word.startswith(f"{folder}/"):
                    words[number] = name + word[len(folder) :]
        told.append(shlex.join(words))
    return told
