"""The model card and the accuracy page, written from the figures that `evaluate` leaves in a JSON file.

Nobody writes either by hand: what is not in the JSON is not on the page. Pictures are named, never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sonovan.models.evaluation.card_words import ENCODERS, GATHERED, GENERATED, LIMITS, READING, SOURCES, SPLITS
from sonovan.models.evaluation.index import FOREIGN
from sonovan.models.evaluation.table import HEADER, cells, shown, with_ci95

Facts = Mapping[str, Any]


def card(facts: Facts) -> str:
    """Markdown. facts: `training` as `export` leaves it, `validation` and `test` as `evaluate` does, `five_fold`."""
    training, test = facts["training"], facts["test"]
    organs, commands = " and ".join(test["organs"]), "\n".join(training.get("commands", []))
    return f"""# {test["model"]}

Outlines lesions in single {organs} ultrasound frames. {_architecture(training, test["input"])}
Weights sha256 `{test["weights_sha256"]}`.

Made by `python -m training` with the commands below, then `export` and `evaluate`; this page is generated from
`{test["model"]}.json` beside it.

```
{commands}
```

## Data

{_sources([*test["sets"], *([FOREIGN] if test.get("foreign") else [])])}

{GATHERED}

{SPLITS}
{_notes(training)}
## Training

{_training(training)}

{history_table(training.get("history", []))}

## Test split

{sets_table(test["sets"])}

{READING} Threshold {test["threshold"]:g}; regions below {test["min_area_px"]:g} pixels of the
{test["input"]}×{test["input"]} input are dropped. Computed by {test["provider"]}.

{_five_fold(facts)}{_foreign(test)}{_simulated(test)}
## Who does better, who worse

Test split. Parts of few pictures say little: mind the intervals.

{strata_tables(test["sets"])}

## Where it fails

Lowest Dice of the test split first; a dash stands for a picture with nothing to find in which something was found.
The pictures themselves are not part of this repository; `sonovan models evaluate --out DIR` draws them.

{gallery(test["sets"])}

## Limits

{LIMITS}
"""


def accuracy_page(known: Iterable[Facts]) -> str:
    """docs/accuracy.md, from the facts of each network: its splits, how to get them, what they do not say."""
    parts = "\n".join(_accuracy(facts) for facts in known)
    return f"""# Accuracy

On groups that training never saw. This page is generated; any folder is measured in the same way:

```
{GENERATED}
```

{parts}
## How to read the figures

{READING}

## What they do not say

{LIMITS}
"""


def _accuracy(facts: Facts) -> str:
    test = facts["test"]
    return f"""## {test["model"]}

Weights `{test["weights_sha256"][:12]}…`, {" and ".join(test["organs"])}, computed by {test["provider"]}.

Test split:

{sets_table(test["sets"])}

{_foreign(test)}Validation split (used to choose):

{sets_table(facts["validation"]["sets"])}

{_foreign(facts["validation"])}{_five_fold(facts)}{_simulated(test)}{_notes(facts["training"])}
Lowest Dice of the test split, by id: {_lowest(test["sets"])}.
"""


def sets_table(sets: Mapping[str, Facts]) -> str:
    """One row per set."""
    return table(HEADER, [cells(name, one) for name, one in sets.items()])


def strata_tables(sets: Mapping[str, Facts]) -> str:
    """One table per set and column that divides it."""
    tables = []
    for name, one in sets.items():
        for column, parts in one["strata"].items():
            if len(parts) > 1:
                rows = [cells(value, part) for value, part in parts.items()]
                tables.append(table(*trimmed((f"{name}, {column}", *HEADER[1:]), rows)))
    return "\n\n".join(tables)


def gallery(sets: Mapping[str, Facts]) -> str:
    """The worst pictures of each set by id, with their Dice."""
    rows = [
        [name, ", ".join(f"`{each['id']}` {shown(each['dice'])}" for each in one["worst"])]
        for name, one in sets.items()
        if one["worst"]
    ]
    return table(("set", "pictures with their Dice"), rows)


def history_table(history: list[dict[str, Any]]) -> str:
    """Validation figures of the averaged weights after each epoch: Dice, and the share rightly left empty.

    Epoch 0 is what the run began with."""
    epochs = [one for one in history if "epoch" in one]  # a line before them may say what the run began with
    if not epochs:
        return "No epoch was recorded."
    names = sorted({name for one in epochs for name in one["validation"]}, key=lambda name: ("empty" in name, name))
    rows = [
        [str(one["epoch"]), shown(one.get("loss")), *(shown(one["validation"].get(name)) for name in names)]
        for one in epochs
    ]
    return table(("epoch", "loss", *(name.replace("_", " ") for name in names)), rows)


def trimmed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Without the columns in which no row has anything to tell."""
    kept = [place for place in range(len(header)) if any(row[place] != "–" for row in rows)]
    return [header[place] for place in kept], [[row[place] for place in kept] for row in rows]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown."""
    head = [cell.replace("|", "\\|") for cell in header]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows])


def _architecture(training: Facts, side: int) -> str:
    encoder = training["plan"].get("encoder", "lite0")  # the first runs had no choice, and did not write it down
    size = f", {training['parameters'] / 1e6:.1f} M parameters" if "parameters" in training else ""
    what = training.get("about", ENCODERS.get(encoder, encoder))
    return f"{what}{size}; letterboxed grey {side}×{side} in, one probability map per organ out."


def _sources(sets: Iterable[str]) -> str:
    return "\n".join(f"- `{name}`: {SOURCES[name]}." for name in sets)


def _notes(training: Facts) -> str:
    return "".join(f"\n{note}\n" for note in training.get("notes", []))


def _training(training: Facts) -> str:
    plan = training["plan"]
    steps = f" of {training['steps_per_epoch']} steps" if "steps_per_epoch" in training else ""
    without = f"Left out: {', '.join(plan['without'])}." if plan.get("without") else ""
    shares = ", ".join(f"{name} {share:g}" for name, share in plan.get("shares", ()))
    shares = f"Each epoch shows pictures so often, where not once: {shares}." if shares else ""
    suspicion = f"Benign or malignant beside it, weight {plan['suspicion']:g}." if plan.get("suspicion") else ""
    more = " ".join(part for part in (without, shares, suspicion) if part) or "Every set as often as the code says."
    return f"""Last cycle: seed {plan["seed"]}, {plan["epochs"]} epochs{steps}, batch {plan["batch"]}.
{more}
Dice + cross-entropy on the organ's own output, AdamW with one cycle (peak {plan["encoder_rate"]:g} encoder,
{plan["decoder_rate"]:g} decoder), averaged weights ({plan["average"]}), bf16 with depthwise convolutions in float32.
Augmented by flips, affine, gamma, gain, depth gain, speckle, blur. Shipped: those after epoch {training["epoch"]}.
Validation, averaged weights (Dice; `empty`: share of pictures without lesion that stay empty):"""


def _five_fold(facts: Facts) -> str:
    folds = facts.get("five_fold")
    if not folds:
        return ""
    return f"""Five-fold figures, where the test split is too small: each picture outlined by a network that saw
nobody of its group, over all groups outside test:

{sets_table(folds)}

"""


def _foreign(split: Facts) -> str:
    """Nothing where other anatomy was not measured: cards from before it was."""
    header = ("declared as", "anatomy", "pictures (groups)", "refused", "with a region", "refused or empty")
    rows = [
        [organ, anatomy, f"{one['n']} ({one['groups']})"]
        + [with_ci95(one[name], one[f"{name}_ci95"]) for name in ("refused", "with_region", "kept_from")]
        for organ, parts in split.get("foreign", {}).items()
        for anatomy, one in parts.items()
    ]
    if not rows:
        return ""
    return f"""Other anatomy (`other`), each picture declared as either organ, shares with 95 % intervals over groups:

{table(header, rows)}

"""


def _simulated(test: Facts) -> str:
    if not test["simulated"]:
        return ""
    header = ("organ", "sweeps", "frames with a lesion", "found", "frames without", "left empty")
    rows = []
    for organ, one in test["simulated"].items():
        with_lesion = [organ, str(one["sweeps"]), str(one["frames_with_lesion"]), _percent(one["found"])]
        rows.append([*with_lesion, str(one["frames_without"]), _percent(one["empty_without"])])
    return f"""Simulated sweeps of seeds that training never saw; a frame counts as found when each visible lesion is
met with IoU ≥ .3:

{table(header, rows)}
"""


def _lowest(sets: Mapping[str, Facts]) -> str:
    worst = {name: [each["id"] for each in one["worst"][:4]] for name, one in sets.items() if one["worst"]}
    return "; ".join(f"`{name}`: {', '.join(ids)}" for name, ids in worst.items()) or "none"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
