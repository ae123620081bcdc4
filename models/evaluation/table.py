"""The figures of a set as one row of text, the same in the terminal, on the page, on the card."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

HEADER: Final = (
    "set",
    "pictures (groups)",
    "Dice (95 %)",
    "median",
    "IoU (95 %)",
    "benign Dice",
    "malignant Dice",
    "sensitivity",
    "false/picture",
    "normals empty",
    "AUC",
    "refused",
    "HD95 px",
)


def cells(name: str, told: Mapping[str, Any]) -> list[str]:
    """One cell per name in HEADER. told: what `figures` says; name: what stands in the first cell."""
    dice = told["lesion_dice"]
    benign, malignant = told["benign"], told["malignant"]
    return [
        name,
        f"{told['n']} ({told['groups'] or '?'})",
        mean_ci95(dice),
        shown(dice["median"]) if dice else "–",
        mean_ci95(told["lesion_iou"]),
        mean_ci95(benign and benign["lesion_dice"]),
        mean_ci95(malignant and malignant["lesion_dice"]),
        with_ci95(told["sensitivity"], told["sensitivity_ci95"]),
        shown(told["fp_per_image"]),
        _normals(told),
        with_ci95(told["auc"], told["auc_ci95"]),
        str(told["refused"]),
        "–" if told["hd95_px"] is None else f"{told['hd95_px']:.1f}",
    ]


def mean_ci95(value: Mapping[str, Any] | None) -> str:
    """`.812 (.771–.850)` of a `{mean, ci95, …}`, or a dash where there is nothing to tell."""
    return "–" if value is None else with_ci95(value["mean"], value["ci95"])


def with_ci95(value: float | None, ci95: Sequence[float] | None) -> str:
    """`.812 (.771–.850)`; without the brackets where there is no interval."""
    return shown(value) if ci95 is None else f"{shown(value)} ({shown(ci95[0])}–{shown(ci95[1])})"


def shown(number: float | None) -> str:
    """Three decimals without the zero in front, or a dash."""
    if number is None:
        return "–"
    text = f"{number:.3f}"
    return text.removeprefix("0") if number >= 0 else "−" + text[1:].removeprefix("0")


def _normals(told: Mapping[str, Any]) -> str:
    if told["empty_on_normal"] is None:
        return "–"
    return f"{with_ci95(told['empty_on_normal'], told['empty_on_normal_ci95'])} of {told['with_nothing']}"
