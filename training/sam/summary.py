"""Figures of the compact SAM over many pictures, and the page that shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sonovan.models.evaluation.intervals import ratio_ci95
from sonovan.models.heads.prompting import MaskDecoder
from training.sam.measure import Seen, expected_dice
from training.sam.scores import spearman

POOR = 0.8  # a first mask below this Dice is one that a reader would correct


def summary(seen: list[Seen], decoder: MaskDecoder) -> dict[str, Any]:
    """Per set, and `all` together: what the card and the accuracy page show."""
    names = sorted({one.set for one in seen})
    told = {name: _figures([one for one in seen if one.set == name], decoder) for name in names}
    spent = [ms for one in seen for ms in one.ms]
    speed = {"median": round(float(np.median(spent)), 1), "p95": round(float(np.percentile(spent, 95)), 1)}
    return {"sets": told | {"all": _figures(seen, decoder)}, "ms_per_click": speed if spent else None}


def _figures(seen: list[Seen], decoder: MaskDecoder) -> dict[str, Any]:
    lesions = [one for one in seen if one.lesion]
    poor = [one for one in lesions if one.first < POOR]
    normals = [one for one in seen if not one.lesion]
    shown = [one for one in seen if (one.automatic_shown if decoder.draws(one.organ) else one.trunk_shown)]
    expected = [expected_dice(decoder, one) for one in shown]
    true = [one.first for one in shown]
    return {
        "n": len(seen),
        "lesions": len(lesions),
        "trunk_dice": _mean(lesions, lambda one: one.trunk),
        "automatic_dice": _mean(lesions, lambda one: one.automatic),
        "one_click_dice": _mean(lesions, lambda one: one.clicked[0]),
        "three_clicks_dice": _mean(lesions, lambda one: one.clicked[2]),
        "poor": len(poor),
        "gain_one_click_where_poor": _mean(poor, lambda one: one.clicked[0] - one.first),
        "gain_three_clicks_where_poor": _mean(poor, lambda one: one.clicked[2] - one.first),
        "trunk_empty_on_normal": _mean(normals, lambda one: float(not one.trunk_shown)),
        "automatic_empty_on_normal": _mean(normals, lambda one: float(not one.automatic_shown)),
        "shown": len(shown),
        "quality_spearman": round(spearman(expected, true), 4) if len(shown) > 2 else None,
        "quality_error": round(float(np.mean(np.abs(np.array(expected) - true))), 4) if shown else None,
        "quality_mean": [round(float(np.mean(expected)), 4), round(float(np.mean(true)), 4)] if shown else None,
    }


def _mean(seen: Sequence[Seen], value: Callable[[Seen], float]) -> dict[str, Any] | None:
    if not seen:
        return None
    values = [value(one) for one in seen]
    interval = ratio_ci95(values, [1.0] * len(values), [f"{one.set}/{one.group}" if one.group else "" for one in seen])
    return {"mean": round(float(np.mean(values)), 4), "ci95": interval}


def page(facts: dict[str, Any]) -> str:
    """facts: `training` and one or more of `validation`, `test`, `whole`, as the commands write them. Markdown."""
    training = facts["training"]
    plan, data = training["plan"], training["facts"]
    entropy = "focal loss" if plan["focal"] else "cross-entropy"
    pictures = ", ".join(f"{name} {count}" for name, count in data["pictures"].items())
    parts = [_split_part(name, facts[name]) for name in ("validation", "test", "whole") if name in facts]
    settings = ", ".join(f"`{name}` {value:g}" for name, value in facts["settings"].items())
    return f"""# {facts["model"]}: masks on request

The prompt decoder of the compact SAM: {training["parameters"] / 1e6:.2f} M parameters on the frozen trunk
`{facts["model"]}` ({facts["trunk_parameters"] / 1e6:.2f} M). Points, boxes and masks in, masks with a predicted IoU
out; for both organs. How to use it: `docs/prompts.md`. Written by `python -m training.sam evaluate`.

Trained by `python -m training.sam train` for {training["step"]} steps of {plan["batch"]} pictures and
{plan["rounds"]} prompts each (seed {plan["seed"]}, peak rate {plan["rate"]:g}, Dice + {entropy}, averaged weights
{plan["average"]}) on the training split: {pictures}, {data["variants"]} variations each; trunk checkpoint
`{data["trunk_sha256"][:12]}…`, decoder file `{facts["sha256"][:12]}…`. Chosen on validation: {settings}.

{"".join(parts)}## Reading

Dice over pictures with a lesion, at the pictures' own size, through the files that were shipped then. *Trunk*: the
network's own mask; *automatic*: the decoder's without a prompt; clicks go to the middle of the largest part that is
wrong, starting from the mask that the stream shows. *Where poor*: pictures whose first mask is below Dice .80.
*Quality*: rank correlation of the predicted Dice with the true one, over pictures in which something is shown; mean
absolute error beside it. 95 % intervals by bootstrap over groups. A simulated reader knows the truth; a real one does
not.
"""


def _split_part(name: str, figures: dict[str, Any]) -> str:
    head = ["set", "n", "trunk", "automatic", "1 click", "3 clicks", "gain where poor", "empty: trunk, automatic"]
    head += ["quality ρ", "error"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for title, one in figures["sets"].items():
        empty = f"{_short(one['trunk_empty_on_normal'])}, {_short(one['automatic_empty_on_normal'])}"
        gain = f"{_short(one['gain_one_click_where_poor'])} of {one['poor']}"
        cells = [title, str(one["n"]), *(_long(one[key]) for key in ("trunk_dice", "automatic_dice"))]
        cells += [_long(one[key]) for key in ("one_click_dice", "three_clicks_dice")]
        cells += [gain, empty, _number(one["quality_spearman"]), _number(one["quality_error"])]
        lines.append("| " + " | ".join(cells) + " |")
    speed = figures["ms_per_click"]
    told = f"A click took {speed['median']} ms (95 %: {speed['p95']} ms).\n" if speed else ""
    return f"## {name.capitalize()}\n\n" + "\n".join(lines) + f"\n\n{told}\n"


def _long(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    if figure["ci95"] is None:
        return _number(figure["mean"])
    low, high = figure["ci95"]
    return f"{_number(figure['mean'])} ({_number(low)}–{_number(high)})"


def _short(figure: dict[str, Any] | None) -> str:
    return "–" if figure is None else _number(figure["mean"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)
