"""What amendments make of a screening: which are in force, whose it is, and which side each sweep shows.

Nothing that was received is changed. A revision is made from copies with the right side, so that findings, places,
coverage and what is planned follow by the same rules as ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from sonovan.contracts.amendments import (
    AmendmentInForce,
    ConsentAmended,
    Mark,
    ScreeningAmended,
    SeenMarked,
    SideAmended,
    TakenBack,
    WomanAmended,
)
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.lexicon import Organ, Position, Side, sides_of
from sonovan.contracts.van import Panel, PlannedRegion, ScreeningClosed, SequenceClosed

_Place = tuple[Organ, Side | None]
_Shown = TypeVar("_Shown", FrameSegmented, SequenceClosed)

OTHER_SIDE: Final[Mapping[Side, Side]] = {"left": "right", "right": "left"}


def in_force(amendments: Iterable[ScreeningAmended]) -> tuple[ScreeningAmended, ...]:
    """The amendments that hold, in the order of their numbers: neither those that were taken back nor what did that."""
    made = sorted(amendments, key=lambda each: each.amendment_number)
    gone = {each.amendment.amendment_number for each in made if isinstance(each.amendment, TakenBack)}
    return tuple(
        each for each in made if not isinstance(each.amendment, TakenBack) and each.amendment_number not in gone
    )


def woman_of(amendments: Iterable[ScreeningAmended]) -> WomanAmended | None:
    """Whose the screening is by the newest amendment in force that says so; None where the opening's woman stays."""
    said = [each.amendment for each in in_force(amendments) if isinstance(each.amendment, WomanAmended)]
    return said[-1] if said else None


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides that were put right. right: sequence → the side that it shows. planned_too: those of them whose side
    was mistaken in the checklist as well."""

    right: Mapping[str, Side]
    planned_too: frozenset[str] = frozenset()

    @classmethod
    def of(cls, amendments: Iterable[ScreeningAmended]) -> "Sides":
        """By the amendments in force; where several name one sweep, the newest counts."""
        newest = {
            sequence_id: each.amendment
            for each in in_force(amendments)
            if isinstance(each.amendment, SideAmended)
            for sequence_id in each.amendment.sequence_ids
        }
        right = {sequence_id: said.laterality for sequence_id, said in newest.items()}
        return cls(right, frozenset(sequence_id for sequence_id, said in newest.items() if said.planned_too))

    @classmethod
    def of_revision(cls, amendments: Iterable[AmendmentInForce]) -> "Sides":
        """As a revision names them, for whoever shows frames beside it."""
        named = [each for each in amendments if each.laterality is not None]
        return cls(
            {sequence_id: each.laterality for each in named for sequence_id in each.sequence_ids if each.laterality}
        )

    def of_sweep(self, sequence_id: str, organ: Organ) -> Side | None:
        """The side that was put right of a sweep; None where none was, or where the organ has no such side."""
        side = self.right.get(sequence_id)
        return side if side in sides_of(organ) else None

    def corrected(self, record: _Shown) -> _Shown:
        """The result or closing with the right side; the very same one where nothing was wrong.

        Where the panels of a frame name both sides they are exchanged, if the side is another one than the frame was
        taken for: which half is which was mistaken then. An amendment that names the side that it was taken for
        exchanges nothing, so that it puts back what one before it exchanged.
        """
        side = self.of_sweep(record.sequence_id, record.organ)
        if side is None:
            return record
        if isinstance(record, SequenceClosed):
            return record.model_copy(update={"laterality": side})
        shown = [panel.laterality or record.laterality for panel in record.panels]
        if len(set(shown) - {None}) > 1:
            if side == record.laterality:
                return record
            halves = tuple(_exchanged(panel, own) for panel, own in zip(record.panels, shown, strict=True))
            return record.model_copy(update={"panels": halves})
        panels = tuple(_with_side(each, side) for each in record.panels)
        return record.model_copy(update={"laterality": side, "panels": panels})


def _exchanged(panel: Panel, shown: Side | None) -> Panel:
    """The panel with the side opposite to the one that it shows, which may be that of its frame."""
    return panel if shown is None else panel.model_copy(update={"laterality": OTHER_SIDE.get(shown, shown)})


def _with_side(panel: Panel, side: Side) -> Panel:
    """The panel with another side; as it is where it names none itself."""
    return panel if panel.laterality is None else panel.model_copy(update={"laterality": side})


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as its records name it: what it was taken for."""

    sequence_id: str
    organ: Organ
    laterality: Side | None
    position: Position | None = None


def planned_of(planned: Iterable[PlannedRegion], sweeps: Iterable[Sweep], sides: Sides) -> tuple[PlannedRegion, ...]:
    """The checklist, with items of another side where an amendment says that it mistook the side as well.

    Otherwise the plan stays: a side that was to be scanned, and was not, must not vanish with a correction. So it does
    where another sweep of that side remains for which nobody said so, and where the plan has the other side as well.
    """
    taken, planned = list(sweeps), tuple(planned)
    moved = _moves((each for each in taken if each.sequence_id in sides.planned_too), sides)
    for each in taken:
        if each.sequence_id not in sides.planned_too and (each.organ, each.laterality) in moved:
            moved[each.organ, each.laterality].add(each.laterality)
    both = {_place(item) for item in planned} - moved.keys()
    for (organ, side), shows in moved.items():
        if any((organ, other) in both for other in shows):
            shows.add(side)
    found = (_on(item, side) for item in planned for side in sorted(moved.get(_place(item), {item.side}), key=str))
    return tuple(dict.fromkeys(found))


def ticked_of(closing: ScreeningClosed, sweeps: Iterable[Sweep], sides: Sides) -> ScreeningClosed:
    """The closing with what was ticked off as it holds with the right sides.

    A tick was made for the sweeps of its side. It goes with them where all of them are of one other side. Where some
    stay, or they go to several, nobody knows for which one it was made: it counts no longer.
    """
    if closing.covered is None or not sides.right:
        return closing
    moved, ticks = _moves(sweeps, sides), list[PlannedRegion]()
    for item in closing.covered:
        now = moved.get(_place(item), {item.side})
        ticks += [_on(item, side) for side in now if len(now) == 1]
    return closing.model_copy(update={"covered": tuple(dict.fromkeys(ticks))})


def excused_of(closing: ScreeningClosed, sweeps: Iterable[Sweep], sides: Sides) -> ScreeningClosed:
    """The closing with the excuses that hold with the right sides.

    An excuse was given for a side without pictures. Where sweeps leave that side or come to it, nobody knows any longer
    of which one it was meant: it counts no more.
    """
    moves = _moves(sweeps, sides)
    moved = {place for place, shows in moves.items() if shows != {place[1]}}
    touched = moved | {(organ, side) for organ, taken in moved for side in moves[organ, taken]}
    kept = tuple(each for each in closing.excused if (each.organ, each.side) not in touched)
    return closing if kept == closing.excused else closing.model_copy(update={"excused": kept})


def _moves(sweeps: Iterable[Sweep], sides: Sides) -> dict[_Place, set[Side | None]]:
    """Organ and side that sweeps were taken for → the sides that they show."""
    found: dict[_Place, set[Side | None]] = {}
    for each in sweeps:
        shows = sides.of_sweep(each.sequence_id, each.organ) or each.laterality
        found.setdefault((each.organ, each.laterality), set()).add(shows)
    return found


def _place(item: PlannedRegion) -> _Place:
    return item.organ, item.side


def _on(item: PlannedRegion, side: Side | None) -> PlannedRegion:
    return item if item.side == side else item.model_copy(update={"side": side})


def told_of_amendments(amendments: Iterable[ScreeningAmended], sweeps: Iterable[Sweep]) -> tuple[AmendmentInForce, ...]:
    """The amendments in force as a revision names them, without who she is and without those that a newer one replaced.

    sweeps: those that have arrived, with their right sides.
    """
    here, made = {each.sequence_id: each for each in sweeps}, in_force(amendments)
    newest = {name: each.amendment_number for each in made for name in _about(each)}
    return tuple(
        _told(each, [name for name in _about(each) if newest[name] == each.amendment_number], here)
        for each in made
        if any(newest[name] == each.amendment_number for name in _about(each))
    )


def _about(made: ScreeningAmended) -> tuple[str, ...]:
    """What an amendment speaks of, so that a newer one about the same replaces it: sweeps, or a thing of its own."""
    said = made.amendment
    if isinstance(said, SideAmended):
        return said.sequence_ids
    return ("woman",) if isinstance(said, WomanAmended) else (f"number {made.amendment_number}",)


def _told(made: ScreeningAmended, sequence_ids: Iterable[str], shown: Mapping[str, Sweep]) -> AmendmentInForce:
    said = made.amendment
    told = AmendmentInForce(amendment_number=made.amendment_number, kind=said.kind, because=made.because)
    if isinstance(said, SideAmended):
        here = sorted(each for each in sequence_ids if each in shown and said.laterality in sides_of(shown[each].organ))
        return told.model_copy(update={"sequence_ids": tuple(here), "laterality": said.laterality})
    if isinstance(said, ConsentAmended):
        return told.model_copy(update={"withdrawn": said.withdrawn})
    if isinstance(said, SeenMarked):
        return told.model_copy(update={"mark": _mark(said, made.amended_at, shown)})
    return told


def _mark(said: SeenMarked, at: datetime, shown: Mapping[str, Sweep]) -> Mark:
    sweep = None if said.frame_id is None else shown.get(split_frame_id(said.frame_id)[0])
    number = None if sweep is None else 1 + sorted(shown).index(sweep.sequence_id)
    mark = Mark(frame_id=said.frame_id, sweep=number, marked_at=at)
    if said.organ is not None:
        place = {"organ": said.organ, "laterality": said.laterality, "region": said.region}
    elif sweep is not None:
        place = {"organ": sweep.organ, "laterality": sweep.laterality, "region": sweep.position}
    else:
        return mark
    return mark.model_copy(update=place)
