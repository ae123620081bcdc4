"""What differs from what an alert told, of a lesion in a later revision and of what a reader signed since. Pure."""

from collections.abc import Iterable, Mapping

from sonovan.clinical.alert_rules import (
    CATEGORY_CHANGED,
    CATEGORY_GONE,
    CATEGORY_NOW,
    CATEGORY_ROSE,
    GROWTH,
    SIDE_CHANGED,
    SIZE_CHANGED,
    SIZE_CHANGED_PX,
    SIZE_NOW,
    SIZE_NOW_PX,
    Reasons,
)
from sonovan.clinical.course_rules import GROWTH_CHANGED, SIGNED_CATEGORY, SIGNED_CATEGORY_CHANGED
from sonovan.contracts.alerts import About, AboutFinding, ToldOf
from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import LEAST_WORRISOME_FIRST, Scheme


def side_changes(before: About, now: About) -> Reasons:
    """That a lesion is on another side than was told; the value is the side that was wrong."""
    if not isinstance(before, AboutFinding) or not isinstance(now, AboutFinding):
        return ()
    if before.laterality == now.laterality:
        return ()
    return (Because(code=SIDE_CHANGED, value=f"{before.organ}.side.{before.laterality or 'none'}"),)


def changes_of(before: ToldOf, now: ToldOf, share: float) -> Reasons:
    """What differs from what was told of a lesion: its size by at least `share` of it, and its categories.

    Sizes are compared in mm, or in pixels where neither has a scale. Of each the value that was told comes first, then
    the one that holds now.
    """
    if before.long_axis_mm is not None and now.long_axis_mm is not None:
        was, size = before.long_axis_mm, now.long_axis_mm
        told = [Because(code=SIZE_CHANGED, value=was, unit="mm"), Because(code=SIZE_NOW, value=size, unit="mm")]
    else:
        was, size = before.long_axis_px, now.long_axis_px
        told = [Because(code=SIZE_CHANGED_PX, value=was), Because(code=SIZE_NOW_PX, value=size)]
    same_scale = (before.long_axis_mm is None) == (now.long_axis_mm is None)
    changed = told if same_scale and abs(size - was) >= share * was else []
    values = dict(now.categories)
    for scheme, value in before.categories:
        holds = values.get(scheme)
        if holds != value:
            changed.append(Because(code=CATEGORY_CHANGED, value=f"{scheme}:{value}"))
            gone = Because(code=CATEGORY_GONE)
            changed.append(gone if holds is None else Because(code=CATEGORY_NOW, value=f"{scheme}:{holds}"))
    return tuple(changed)


def risen_of(before: ToldOf, now: ToldOf) -> Reasons:
    """The categories that are higher than those that were told, or of which none was told; the value is the new one."""
    risen = _higher(dict(before.categories), now.categories)
    return tuple(Because(code=CATEGORY_ROSE, value=f"{scheme}:{value}") for scheme, value in risen)


def signed_changes(before: Reasons, now: Reasons, share: float) -> Reasons:
    """What a reader has signed otherwise than an alert told: another category, another growth.

    before: why it was told. now: why its rule is met. Growth is another one where it is told in other words, or where a
    figure differs by at least `share` of what was told. A setting of the site in the reasons is no change.
    """
    holds = _signed(now)
    changed = [
        Because(code=SIGNED_CATEGORY_CHANGED, value=f"{scheme}:{value}")
        for scheme, value in _signed(before).items()
        if holds.get(scheme) != value
    ]
    was, has = _growth(before), _growth(now)
    if was.keys() != has.keys() or any(_differs(was[code], has[code], share) for code in was):
        changed.append(Because(code=GROWTH_CHANGED))
    return tuple(changed)


def signed_higher(before: Reasons, now: Reasons) -> bool:
    """Whether a reader has signed a higher category than was told, or one of a scheme of which none was told."""
    return bool(_higher(_signed(before), _signed(now).items()))


def _higher(was: Mapping[Scheme, str], now: Iterable[tuple[Scheme, str]]) -> list[tuple[Scheme, str]]:
    return [
        (scheme, value)
        for scheme, value in now
        if scheme not in was
        or LEAST_WORRISOME_FIRST[scheme].index(value) > LEAST_WORRISOME_FIRST[scheme].index(was[scheme])
    ]


def _signed(reasons: Reasons) -> dict[Scheme, str]:
    """The signed categories among reasons, by scheme."""
    told = [str(each.value).partition(":") for each in reasons if each.code == SIGNED_CATEGORY]
    return {scheme: value for name, _, value in told for scheme in LEAST_WORRISOME_FIRST if scheme == name}


def _growth(reasons: Reasons) -> dict[str, int | float | str | None]:
    """By how much a lesion has grown, and the doubts, by code."""
    return {each.code: each.value for each in reasons if each.code in GROWTH}


def _differs(was: int | float | str | None, has: int | float | str | None, share: float) -> bool:
    if isinstance(was, (int, float)) and isinstance(has, (int, float)):
        return abs(has - was) >= share * abs(was) and has != was
    return was != has
