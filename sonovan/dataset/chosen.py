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

    Her last word counts for all of her: none of a woman's screenings is exported where she took her consent to research
    back for any of them, or did not give it at her newest one.
    """
    chosen: list[ScreeningRow] = []
    left_out: Counter[str] = Counter()
    refusing = _refusing(screenings)
    for row in sorted(screenings, key=lambda each: each.screening_id):
        if row.screening_id in erased:
            left_out["erased"] += 1
        elif row.void:
            left_out["void"] += 1
        elif not (row.screening and row.ai):
            left_out["no_consent"] += 1
        elif not row.research or row.subject_key in refusing:
            left_out["no_research_consent"] += 1
        else:
            chosen.append(row)
    return Chosen(tuple(chosen), dict(sorted(left_out.items())))


def _refusing(screenings: Sequence[ScreeningRow]) -> set[str]:
    """The women who took consent to research back, or whose newest screening is without it. Void ones say nothing."""
    newest: dict[str, ScreeningRow] = {}
    refusing = set()
    for row in sorted(screenings, key=lambda each: (each.examined_on, each.screening_id)):
        if not row.void:
            newest[row.subject_key] = row
            if row.withdrew:
                refusing.add(row.subject_key)
    return refusing | {subject for subject, row in newest.items() if not row.research}
