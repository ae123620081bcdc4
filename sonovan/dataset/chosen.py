"""Whose pictures may leave: research consent in force, nothing void, nothing erased."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sonovan.storage.dataset_rows import ScreeningRow


@dataclass(frozen=True)
class Chosen:
    """screenings: in the order of their ids. left_out: how many screenings are not exported, by reason."""

    screenings: tuple[ScreeningRow, ...]
    left_out: dict[str, int]


def choose(screenings: Sequence[ScreeningRow], erased: Collection[str]) -> Chosen:
    """The screenings whose pictures may leave. erased: screening ids, whatever the rows still say of them.

    A woman who takes back her research consent for one screening takes it back for that one: each has its own record.
    """
    chosen: list[ScreeningRow] = []
    left_out: Counter[str] = Counter()
    for row in sorted(screenings, key=lambda each: each.screening_id):
        if row.screening_id in erased:
            left_out["erased"] += 1
        elif row.void:
            left_out["void"] += 1
        elif not (row.screening and row.ai):
            left_out["no_consent"] += 1
        elif not row.research:
            left_out["no_research_consent"] += 1
        else:
            chosen.append(row)
    return Chosen(tuple(chosen), dict(sorted(left_out.items())))
