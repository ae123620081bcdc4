"""The trust head's card, from the JSON that its training wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _percent(one: dict[str, Any]) -> str:
    if one["refused"] is None:
        return "–"
    low, high = one["ci95"] or (one["refused"], one["refused"])
    return f"{100 * one['refused']:.1f} % ({100 * low:.0f}–{100 * high:.0f})"


def _thresholds(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in found.items())


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def card(facts: dict[str, Any]) -> str:
    """facts: what `train` writes to trust-1.json. Markdown."""
    found, counts = facts["figures"], facts["pictures"]
    good = [[name, f"{one['n']} ({one['families']})", _percent(one)] for name, one in found["good"].items()]
    both = found["foreign"]
    names = {
        "all": "**all**",
        "learnt_kinds": "kinds of which others were learnt",
        "unseen_kinds": "kinds never learnt",
    }
    foreign = [
        [names.get(name, name), f"{one['n']} ({one['families']})", _percent(one), _percent(both["thyroid"][name])]
        for name, one in both["breast"].items()
        if one["n"]
    ]
    other = "; ".join(f"{organ} declared as the other: {_percent(one)}" for organ, one in found["other_organ"].items())
    leaks = "; ".join(f"as {organ}: {', '.join(some) or 'none'}" for organ, some in facts["passed"].items())
    return f"""# trust-1

Says whether a picture is ultrasound of the organ that was declared (breast or thyroid); what it refuses is "not
assessable" with the reason `not_breast_ultrasound` or `not_thyroid_ultrasound`, never an error. {facts["width"]}
numbers in (means and deviations of the features `deep` and `fine` over the picture, 32 plain figures of it), three
probabilities out (breast, thyroid, foreign). {facts["bytes"] / 1e3:.0f} kB, sha256 `{facts["sha256"]}`.
Trunk: checkpoint sha256 `{facts["trunk_sha256"]}`.

```
{chr(10).join(facts["commands"])}
```

## Data

Good pictures to learn from: training splits of BUSI, BUS-BRA, BrEaST, DDTI and TG3K, every second one varied (crop,
gain, gamma, speckle, blur, margins, a Doppler map), and frames of the simulator. Foreign ones: two thirds of the
families of real ultrasound of other things (hearts, lungs, phantoms, Doppler studies), the training split of `other`
(nerves, vessels and muscle under the same kind of probe; its validation split stands in the figures), and procedural
pictures (noise, gradients, pages, charts, scenes, sector scans). A family is all files that show the same thing; it
never stands on both sides. Eyes, abdomens, CT, MR and X-ray, photographs, screens, desktops and test patterns are in no
training.
Learnt from {counts["train"]} pictures, thresholds from {counts["validation"]}, held {counts["held"]}; seed
{facts["plan"]["seed"]}.

## Good pictures that are refused

Validation split of the sets, every frame of two real breast sweeps (cine) and simulated sweeps of other seeds.
In brackets: groups; 95 % intervals over groups. Thresholds, chosen on validation: {_thresholds(found["thresholds"])}.

{_table(["picture", "n (groups)", "refused"], good)}

The other organ: {other}. Sets differ in scanner as much as in organ, so expect less from one scanner used for both.

## Foreign pictures that are refused

Families that were not learnt from; each declared once as breast and once as thyroid.

{_table(["kind", "n (families)", "declared breast", "declared thyroid"], foreign)}

Families of which some pictures pass: {leaks}.

## Limits

Few families stand behind the foreign kinds, so their intervals are wide and say little of organs that are not here (a
testis or a salivary gland under a linear probe looks much like a thyroid). It judges one panel of one frame at a time.
A frame that is accepted may still be a bad one; `models/picture/quality.py` judges that.
"""
