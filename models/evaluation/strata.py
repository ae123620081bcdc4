"""Which pictures belong together when a mean hides who does badly: device, category, age, size, label."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from sonovan.models.evaluation.score import Score

Strata = dict[str, dict[str, list[Score]]]

AGES: Final = (40, 50, 60, 70)
SIZES_MM: Final = (10, 20, 30)
SIZES_PERCENT: Final = (2, 5, 10, 20)
NOT_RECORDED: Final = "not recorded"
NO_LESION: Final = "no lesion"


def strata_of(scores: Sequence[Score]) -> Strata:
    """Column → value → its scores, for those that the folder tells of; values in order, `not recorded` last.

    `device`, `birads`, `tirads`, `label`: as the cells are. `age`: bands of ten years. `size`: bands of the diameter of
    the disc as large as the lesions together, in mm where every such picture has a `pixel_size_mm`, else bands of their
    share of the picture.
    """
    readers: dict[str, Callable[[Score], str]] = {name: _cell(name) for name in ("device", "birads", "tirads", "label")}
    readers |= {"age": _age, "size": _size_mm if _has_scale(scores) else _size_percent}
    found = {name: _parts(scores, reader) for name, reader in readers.items()}
    return {name: parts for name, parts in found.items() if set(parts) - {NOT_RECORDED, NO_LESION}}


def _parts(scores: Sequence[Score], reader: Callable[[Score], str]) -> dict[str, list[Score]]:
    parts: dict[str, list[Score]] = {}
    for one in scores:
        parts.setdefault(reader(one) or NOT_RECORDED, []).append(one)
    return {value: parts[value] for value in sorted(parts, key=_place)}


def _place(value: str) -> tuple[bool, float, str]:
    """Sorts by the number that a value starts with, as 9 before 10, 4a before 4b."""
    if value.startswith("below"):
        return False, -1.0, value
    digits = ""
    for sign in value:
        if not sign.isdigit():
            break
        digits += sign
    return value in (NOT_RECORDED, NO_LESION), float(digits or math.inf), value


def _cell(name: str) -> Callable[[Score], str]:
    return lambda one: one.row.about.get(name, "")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _band(value: float | None, bounds: Sequence[int], unit: str) -> str:
    if value is None:
        return ""
    if value < bounds[0]:
        return f"below {bounds[0]}{unit}"
    lower = max(bound for bound in bounds if bound <= value)
    if lower == bounds[-1]:
        return f"{lower}{unit} and more"
    return f"{lower} to below {bounds[bounds.index(lower) + 1]}{unit}"


def _age(one: Score) -> str:
    return _band(_number(one.row.about.get("age", "")), AGES, " years")


def _has_scale(scores: Sequence[Score]) -> bool:
    lesions = [one for one in scores if one.lesion_px]
    return bool(lesions) and all(_number(one.row.about.get("pixel_size_mm", "")) for one in lesions)


def _size_mm(one: Score) -> str:
    spacing = _number(one.row.about.get("pixel_size_mm", ""))
    if not one.lesion_px or spacing is None:
        return NO_LESION if one.nothing else ""
    return _band(2 * math.sqrt(one.lesion_px / math.pi) * spacing, SIZES_MM, " mm")


def _size_percent(one: Score) -> str:
    if not one.lesion_px:
        return NO_LESION if one.nothing else ""
    return _band(100 * one.lesion_px / one.picture_px, SIZES_PERCENT, " %")
