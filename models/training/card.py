"""The model card and the accuracy page, written from the figures that export and evaluate leave in a JSON file."""

from __future__ import annotations

from typing import Any

SOURCES = {
    "busi": "Al-Dhabyani et al., *Dataset of breast ultrasound images*, Data in Brief 28:104863 (2020), "
    "doi 10.1016/j.dib.2019.104863",
    "busbra": "Gómez-Flores et al., *BUS-BRA*, Medical Physics 51 (2024), doi 10.1002/mp.16812",
    "breast": "Pawłowska et al., *BrEaST*, Scientific Data 11:148 (2024), The Cancer Imaging Archive, CC BY 4.0",
    "ddti": "Pedraza et al., *An open access thyroid ultrasound-image database*, Proc. SPIE 9287:92870W (2015), "
    "doi 10.1117/12.2073532",
    "gland": "frames of TG3K, Gong et al. (2021–2023), research and education only",
}

LIMITS = """\
- Not a medical device, not validated on any woman prospectively. Research and education only, as the data's terms say.
- Every picture is a still that somebody chose because of its lesion; what the network does with sweeps of healthy
  tissue is known only from simulated sweeps, from `busi` normals and from `gland` frames.
- BUSI carries no patient ids: its groups are near-duplicates found by likeness; a woman may still stand on both sides.
- The loss on `busi` lies in few lesions that are missed or outlined wrongly as a whole: see the median beside the mean.
- DDTI's outlines are lossy and one picture can hold two views; `gland` was stretched to a square.
- Callipers, rulers and text that are burned into training pictures may steer the network.
- Each output was trained on its own organ alone: what the breast output says about a neck means nothing.
- Simulated frames (about a tenth of each epoch) come from the simulator that also makes the sweeps of the figures, with
  other seeds: finding them says that the path works, nothing about women."""

READING = """\
Dice and IoU over pictures with a lesion, at the pictures' own size; a miss or a refused picture counts 0 ("missed":
Dice below .1). 95 % intervals by bootstrap over groups."""


def figure(value: dict[str, Any] | None) -> str:
    """`.812 (.771–.850)`, or a dash where there is nothing to tell."""
    if value is None:
        return "–"
    mean, (low, high) = value["mean"], value["ci95"]
    return f"{short(mean)} ({short(low)}–{short(high)})"


def short(number: float) -> str:
    """Three decimals, without the zero in front."""
    return f"{number:.3f}".removeprefix("0")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def sets_table(result: dict[str, Any]) -> str:
    """One row per set."""
    header = ["set", "pictures (groups)", "lesions", "Dice (95 %)", "median", "IoU (95 %)", "benign Dice"]
    header += ["malignant Dice", "missed", "refused", "empty where nothing is"]
    rows = []
    for name, one in result["sets"].items():
        dice = one["lesion_dice"]
        row = [name, f"{one['n']} ({one['groups']})", str(one["lesions"]), figure(dice)]
        row += [short(dice["median"]) if dice else "–", figure(one["lesion_iou"]), figure(one["benign_dice"])]
        row += [figure(one["malignant_dice"]), _percent(one["missed"]), str(one["refused"])]
        row += [f"{figure(one['empty_on_normal'])} of {one['normals']}" if one["normals"] else "–"]
        rows.append(row)
    return _table(header, rows)


def simulated_table(result: dict[str, Any]) -> str:
    """One row per organ."""
    rows = []
    for organ, one in result["simulated"].items():
        row = [organ, str(one["sweeps"]), str(one["frames_with_lesion"]), _percent(one["found"])]
        rows.append([*row, str(one["frames_without"]), _percent(one["empty_without"])])
    return _table(["organ", "sweeps", "frames with a lesion", "found", "frames without", "left empty"], rows)


def history_table(history: list[dict[str, Any]]) -> str:
    """Validation Dice of the averaged weights after each epoch; `empty`: share of pictures rightly left empty."""
    names = ["busi", "busbra", "breast", "ddti", "simulated", "busi_empty", "gland_empty"]
    rows = [
        [str(one["epoch"]), short(one["loss"])]
        + [short(one["validation"][name]) if name in one["validation"] else "–" for name in names]
        for one in history
    ]
    return _table(["epoch", "loss", *(name.replace("_", " ") for name in names)], rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def card(facts: dict[str, Any]) -> str:
    """facts: `training`, `test`, `validation` as `export` and `evaluate` write them. Markdown."""
    training, test = facts["training"], facts["test"]
    plan = training["plan"]
    commands, notes = "\n".join(training["commands"]), "\n".join(f"\n{note}" for note in training["notes"])
    sources = "\n".join(f"- `{name}`: {SOURCES[name]}." for name in test["sets"])
    return f"""# {test["model"]}

Outlines lesions in single breast (output 0) and thyroid (output 1) ultrasound frames. EfficientNet-Lite0 encoder
(ImageNet weights) with a U-Net decoder, {training["parameters"] / 1e6:.1f} M parameters; letterboxed grey 256×256 in,
one probability map per organ out. Weights sha256 `{test["weights_sha256"]}`.

Made by `python -m models.training` with the commands below, then `export` and `evaluate`; this page is generated from
`{test["model"]}.json` beside it.

```
{commands}
```

## Data

{sources}

No picture of these sets is part of this repository. Research and education only; cite the sources. To them come frames
of the simulator in `models/phantom.py`, about a tenth of each epoch.

Split by group (a woman, near-duplicates, neighbouring frames): `int(sha256("set/group"), 16) % 10`, 0 test,
1 validation, the rest training; `gland`: block1 and block9 test, block5 validation. Epoch and threshold were chosen on
validation alone.
{notes}

## Training

Last cycle: seed {plan["seed"]}, {plan["epochs"]} epochs of {training["steps_per_epoch"]} steps, batch {plan["batch"]}.
Dice + cross-entropy on the organ's own output, AdamW with one cycle (peak {plan["encoder_rate"]:g} encoder,
{plan["decoder_rate"]:g} decoder), averaged weights ({plan["average"]}), bf16 with depthwise convolutions in float32.
Augmented by flips, affine, gamma, gain, depth gain, speckle, blur. Shipped: those after epoch {training["epoch"]}.
Validation, averaged weights (Dice; last two columns: share of pictures without lesion that stay empty):

{history_table(training["history"])}

## Test split

{sets_table(test)}

{READING} Threshold {training["threshold"]}; regions below {training["min_area_px"]} pixels of the 256×256 input are
dropped. Computed by {test["provider"]}.

Simulated sweeps of other seeds; a frame counts as found when each visible lesion is met with IoU ≥ .3:

{simulated_table(test)}

## Limits

{LIMITS}
"""


def accuracy_page(facts: dict[str, Any], commands: list[str]) -> str:
    """docs/accuracy.md: both splits, how to get them, and what the figures do not say."""
    test, shown, notes = facts["test"], "\n".join(commands), "\n".join(facts["training"]["notes"])
    worst = [f"`{name}`: {', '.join(one['worst'][:4])}" for name, one in test["sets"].items() if one["worst"]]
    return f"""# Accuracy

Figures of `{test["model"]}` (weights `{test["weights_sha256"][:12]}…`) on groups that training never saw, computed by
{test["provider"]}. This page is generated:

```
{shown}
```

## Test split

{sets_table(test)}

## Validation split (used to choose)

{sets_table(facts["validation"])}

## Simulated sweeps

Seeds that training never saw; a frame counts as found when each visible lesion is met with IoU ≥ .3.

{simulated_table(test)}

## How to read them

{READING}
{notes}

Lowest Dice of the test split, by id: {"; ".join(worst)}.

## What these figures do not say

{LIMITS}
"""
