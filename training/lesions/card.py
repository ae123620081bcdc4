"""The lesion heads' card, from the JSON that their training wrote."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]


def _figure(one: Facts, name: str) -> str:
    value, ci95 = one[name], one[f"{name}_ci95"]
    if value is None:
        return "–"
    return f"{value:.3f} ({ci95[0]:.3f}–{ci95[1]:.3f})" if ci95 else f"{value:.3f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *rows))


def heads_table(heads: dict[str, Facts]) -> str:
    """One row per head."""
    header = ["head", "n (groups)", "words: share", "balanced accuracy", "chance", "AUC", "calibration error", "given"]
    rows = []
    for key, one in heads.items():
        words = ", ".join(
            f"{word.replace('_', ' ')} {100 * share:.0f} %"
            for word, share in zip(one["words"], one["prior"], strict=True)
        )
        given = "**off**"
        if one["setting"] > 0:
            given = f"from {one['setting']:.2f}: {100 * one['given']:.0f} %, of these {100 * one['right']:.0f} % right"
        figures = [_figure(one, name) for name in ("balanced_accuracy", "auc", "calibration_error")]
        counted = f"{one['n']} ({one['groups']})"
        rows.append([key, counted, words, figures[0], f"{one['chance']:.2f}", figures[1], figures[2], given])
    return _table(header, rows)


def words_told(settings: Facts) -> str:
    """From which probability each word is given, and which words are off."""
    own = {key: least for key, least in settings.items() if key.count(".") == 2}
    if not own:
        return ""
    named = {key: " ".join(key.split(".")).replace("_", " ") for key in own}
    given = "; ".join(f"{named[key]} from {least:.2f}" for key, least in own.items() if least > 0)
    off = "; ".join(named[key] for key, least in own.items() if least <= 0) or "none"
    return f"""
Each word has a threshold of its own, chosen on training folds alone (`training/lesions/thresholds.py`): the least from
which at least ten answers are given, three in four of them right, and more than the commonest word's share.
Given: {given}. Off, because no threshold makes them right more often than that: {off}.
"""


def malignant_table(sets: dict[str, Facts]) -> str:
    """One row per set."""
    rows = []
    for name, one in sets.items():
        picture = one["picture"]
        counted = f"{picture['n']} ({picture['malignant']} malignant)"
        error = _figure(one, "calibration_error")
        rows.append([name, counted, _figure(picture, "auc"), _figure(one, "auc"), error])
    header = ["set", "pictures", "AUC, highest found region (0 without one)", "AUC, region on the lesion", "error"]
    return _table(header, rows)


def card(facts: Facts) -> str:
    """facts: what `train` (and `evaluate`) wrote to lesions-1.json. Markdown."""
    found = facts["figures"]
    other = ""
    if facts.get("figures_of"):
        other = f"""
The figures are those of the same heads on an earlier state of the trunk (checkpoint sha256 `{facts["figures_of"]}`),
which had not learnt from BrEaST; the shipped heads were learnt anew on the final one, and their probability of
malignancy set on the validation splits of BUSI and BUS-BRA.
"""
    off = ", ".join(key for key, one in found["heads"].items() if one["setting"] <= 0) or "none"
    test = ""
    if "test" in facts:
        test = f"""
## Test split

The shipped heads on groups that neither trunk nor heads have learnt from.

{malignant_table(facts["test"]["malignant"])}

{heads_table(facts["test"]["heads"])}
"""
    return f"""# lesions-1

Says what each found region looks like: a probability of malignancy (breast alone) and descriptors, BrEaST's for the
breast and DDTI's for the thyroid, rare words merged. {facts["width"]} numbers in (the network's features `deep`, `fine`
and `edge` under the region, `fine` and `edge` under a ring around it and under what lies below, 31 numbers of its
shape and grey levels); linear heads, each calibrated. {facts["bytes"] / 1e3:.0f} kB, sha256 `{facts["sha256"]}`. Trunk:
checkpoint sha256 `{facts["trunk_sha256"]}`.

```
{chr(10).join(facts["commands"])}
```

Learnt from drawn masks, varied ones and those that the trunk finds, of {facts["pictures"]} pictures outside test. All
figures below are of one mask a picture: the largest found region that meets the lesion, or the drawn one where none
does. 95 % intervals: bootstrap over groups (women, cases).
{other}
## Malignant against benign

Five-fold over groups (`breast`, all outside test; the trunk has never seen this set) and, of `busi` and `busbra`, the
validation split, whose diagnosis the trunk was not taught. The probability is set (Platt) on just these pictures,
across folds.

{malignant_table(found["malignant"])}

## Descriptors, five-fold

Each case by heads that learnt from nobody of its group. AUC: one word against the rest, mean over words. A head is off
where the interval of its balanced accuracy does not lie above chance, where its probabilities say no more than how
often each word comes, or where it is never right three times in four; off means that reports are silent about it.
Below the probability named, a value is "not determined". Off: {off}.

{heads_table(found["heads"])}
{words_told(facts["settings"])}
Orientation (breast) and taller-than-wide (thyroid) are a rule on the outline's second moments, not learnt; found
outlines' log ratio differs from drawn ones' by {facts["settings"]["breast.orientation_spread"]:.3f} (breast) and
{facts["settings"]["thyroid.orientation_spread"]:.3f} (thyroid), which gives its probability.
{test}
## Limits

One reader's words for each set stand behind these heads; readers differ on margin and echo pattern by as much.
{found["heads"]["breast.shape"]["groups"]} women and {found["heads"]["thyroid.margin"]["groups"]} thyroid cases are few:
rare words (calcifications in a breast mass, skin thickening) cannot be learnt from them. A still of a centre's choosing
is no sweep frame. The probability of malignancy holds for the mix of these sets (a third malignant), not for a
screening population, where far fewer lesions are: it ranks lesions, it does not diagnose.
"""
