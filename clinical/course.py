"""The course of one screening: its report, what readers signed, what became of her, and what was amended meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from sonovan.clinical.conclusions import counting
from sonovan.contracts.amendments import ConsentAmended, ScreeningAmended, TakenBack, Voided, WomanAmended, ends_reading
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.record import Moment, Number, Part, VanId

Silencing = Literal["void", "consent"]
"""Why nobody is told of a screening: it does not count, or she agrees to it, or to a machine's reading, no more."""

_SILENCING: Final[tuple[Silencing, ...]] = ("void", "consent")


@dataclass(frozen=True, slots=True)
class Reported:
    """The newest revision with a report. at: when the broker appended it."""

    revision_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Silenced:
    """What the newest revision says, of whose pictures nothing is said. numbers: of the amendments by which; empty
    where it is not known."""

    by: Silencing
    numbers: frozenset[int] = frozenset()


class Amended(Part):
    """What a course needs of an amendment: nothing of who she is.

    van_id: whose key signed it. kind: `consent` where a machine may read her pictures no more, `woman` where the
    screening is another woman's than was said, `other` where nothing in a course depends on it. takes_back: which
    amendment, for one that takes another back. at: when the broker appended it.
    """

    van_id: VanId
    number: Number
    kind: Literal["void", "consent", "woman", "taken_back", "other"]
    takes_back: Number | None = None
    at: Moment


def amended_of(record: ScreeningAmended, at: datetime) -> Amended:
    """What a course needs of an amendment that the broker appended at `at`.

    Another slip of the same woman (`two_slips`) changes nothing in it, and no side does: alerts name the side that the
    reader signed.
    """
    made = record.amendment
    kind: Literal["void", "consent", "woman", "taken_back", "other"]
    match made:
        case TakenBack():
            kind = "taken_back"
        case Voided():
            kind = "void"
        case ConsentAmended() if ends_reading(made):
            kind = "consent"
        case WomanAmended() if record.because == "wrong_woman":
            kind = "woman"
        case _:
            kind = "other"
    takes_back = made.amendment_number if isinstance(made, TakenBack) else None
    return Amended(van_id=record.van_id, number=record.amendment_number, kind=kind, takes_back=takes_back, at=at)


@dataclass(frozen=True)
class Course:
    """What is known of one screening, whatever the order in which it arrived.

    van_id: the van that opened it, whose amendments alone count; None where nothing that has arrived names it.
    reported: None before the first report. silenced: by the newest revision; None where it says what was seen.
    signed: every conclusion with the broker's time. outcomes: every outcome, those that others replace as well.
    amended: every amendment, of whichever van, those that were taken back as well.
    """

    screening_id: str
    van_id: str | None = None
    reported: Reported | None = None
    silenced: Silenced | None = None
    signed: tuple[tuple[datetime, ScreeningConcluded], ...] = ()
    outcomes: tuple[OutcomeRecorded, ...] = ()
    amended: tuple[Amended, ...] = ()

    @cached_property
    def counts(self) -> tuple[datetime, ScreeningConcluded] | None:
        """The conclusion that counts, and when it was appended; None where nobody has signed."""
        made = counting(each for _, each in self.signed)
        if made is None:
            return None
        return next((at, each) for at, each in self.signed if each.conclusion_id == made.conclusion_id)

    @cached_property
    def outcomes_in_force(self) -> tuple[OutcomeRecorded, ...]:
        """The outcomes that no other one replaces and that were not recorded by mistake."""
        replaced = {each.amends for each in self.outcomes}
        return tuple(
            each for each in self.outcomes
            if each.outcome_id not in replaced and each.kind != "recorded_by_mistake"
        )  # fmt: skip

    @cached_property
    def silent_by(self) -> Silencing | None:
        """Why nobody is told of it; None where rules apply. Void counts before consent.

        What a revision says counts until all the amendments by which it says so were taken back. An amendment counts
        by itself as well, for one that comes after the rows of its screening are deleted is in no revision.
        """
        kinds: set[str] = {each.kind for each in _in_force(self._own)}
        taken_back = {each.takes_back for each in self._own}
        if self.silenced is not None and not (self.silenced.numbers and self.silenced.numbers <= taken_back):
            kinds.add(self.silenced.by)
        return next((kind for kind in _SILENCING if kind in kinds), None)

    @cached_property
    def woman_changed(self) -> bool:
        """Whether it turned out, since the conclusion that counts was signed, that the screening is another woman's
        than its reader was shown: what was compared with an earlier one then is no comparison of hers."""
        if self.counts is None:
            return False
        signed_at, _ = self.counts
        before = [each for each in self._own if each.at < signed_at]
        return _whose(before) != _whose(self._own)

    @cached_property
    def _own(self) -> tuple[Amended, ...]:
        return tuple(each for each in self.amended if each.van_id == self.van_id)


def _in_force(made: Iterable[Amended]) -> list[Amended]:
    """Neither those that were taken back nor what did that, as `sonovan.clinical.amended.in_force` has it."""
    all_made = list(made)
    gone = {each.takes_back for each in all_made}
    return [each for each in all_made if each.kind != "taken_back" and each.number not in gone]


def _whose(made: Iterable[Amended]) -> set[int]:
    return {each.number for each in _in_force(made) if each.kind == "woman"}
