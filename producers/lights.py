"""The two lights: may she leave, may the van leave. Pure: from what is there to a colour and its reasons.

A light is green only where nothing speaks against it; what is not known counts as not done.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.van import PlannedRegion

CLOCK_OFF_MIN: Final = 10
"""Minutes by which a clock is so wrong that somebody has to set it: times of pictures and records come from it."""


@dataclass(frozen=True, slots=True)
class Light:
    """reasons: what keeps it red; green without any. notes: what to think of all the same."""

    reasons: tuple[Because, ...]
    notes: tuple[Because, ...] = ()

    @property
    def green(self) -> bool:
        """Whether nothing speaks against leaving."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Arriving:
    """Objects of scanners that are in no screening yet, of all women, for nobody knows whose they are before.

    receiving: not whole yet, so not fsynced; a sweep that is being recorded is one. composing: fsynced, their frames
    not yet in a screening. waiting: in the tray or the quarantine. never_came: objects that a scanner says it made.
    """

    receiving: int = 0
    composing: int = 0
    waiting: int = 0
    never_came: int = 0


@dataclass(frozen=True, slots=True)
class WomanState:
    """One screening. ticked, excused: of `planned`. frames: how many are in the spool, by organ and side.

    A frame without a side may be of any side of its organ. held: frames that wait for the operator's eye.
    damaged: items whose bodies on this disk are damaged.
    """

    planned: tuple[PlannedRegion, ...]
    ticked: Collection[PlannedRegion] = ()
    excused: Collection[PlannedRegion] = ()
    frames: Mapping[tuple[Organ, Side | None], int] = field(default_factory=dict)
    held: int = 0
    damaged: int = 0
    arriving: Arriving = Arriving()


@dataclass(frozen=True, slots=True)
class VanState:
    """The whole van, in items of its spool. unsent: queued, or sent without the centre's receipt. exported: those of
    them that lie on a disk as well. retryable, refused: rejected by the centre, for now or for good.

    damaged: set aside, as their bodies on this disk are damaged.
    withheld: stay here, as her consent is withdrawn. doubted: of the unsent, answered by somebody who is not the
    centre. unfinished: screenings that are not closed since something came. held: frames that nobody has looked at.
    expected: women of this day of whom nothing came. silent_min: for how long the centre has not answered; 0 where it
    does, or nobody tried. certificate_refused: by this machine's clock its certificate does not count. cannot_send:
    it refuses this van, or the van is set up wrongly. clock_off_min: how far the machine's clock is off, as far as that
    is known.
    """

    unsent: int = 0
    exported: int = 0
    doubted: int = 0
    withheld: int = 0
    retryable: int = 0
    refused: int = 0
    damaged: int = 0
    unfinished: int = 0
    held: int = 0
    expected: int = 0
    silent_min: int = 0
    certificate_refused: bool = False
    cannot_send: bool = False
    clock_off_min: int = 0
    arriving: Arriving = Arriving()


def region_key(region: PlannedRegion) -> str:
    """`breast.left.upper_outer`, `breast.left`: how lights, forms and excuses name a region."""
    return ".".join(part for part in (region.organ, region.side, region.region) if part is not None)


def she_may_leave(state: WomanState) -> Light:
    """Green where everything planned is acquired or excused, and everything that a scanner made is fsynced.

    Acquired is what was ticked off and of whose side frames are there: a tick alone shows nothing.
    """
    reasons = [*_arriving(state.arriving)]
    if not state.planned:
        reasons.append(Because(code="nothing_planned"))
    open_ = [each for each in state.planned if each not in state.ticked and each not in state.excused]
    reasons += [Because(code="region_not_scanned", value=region_key(each)) for each in open_]
    wanted = dict.fromkeys((each.organ, each.side) for each in state.planned if each in state.ticked)
    reasons += [
        Because(code="ticked_without_frames", value=f"{organ}.{side}" if side else organ)
        for organ, side in wanted
        if not _frames_of(state.frames, organ, side)
    ]
    if state.damaged:
        reasons.append(Because(code="hers_damaged", value=state.damaged))
    notes = [Because(code="frames_to_look_at", value=state.held)] if state.held else []
    return Light(tuple(reasons), tuple(notes))


def van_may_leave(state: VanState) -> Light:
    """Green where nothing is unsent, or what is unsent has been exported."""
    counted = (
        ("screenings_unfinished", state.unfinished),
        ("frames_to_look_at", state.held),
        ("items_unsent", max(0, state.unsent - state.exported)),
        ("items_to_retry", state.retryable),
    )
    noted = (
        ("items_on_disk", min(state.exported, state.unsent)),
        ("items_doubted", state.doubted),
        ("items_withheld", state.withheld),
        ("items_refused", state.refused),
        ("items_damaged", state.damaged),
        ("women_expected", state.expected),
    )
    reasons = [*_arriving(state.arriving), *(Because(code=code, value=count) for code, count in counted if count)]
    notes = [*_link(state), *(Because(code=code, value=count) for code, count in noted if count)]
    return Light(tuple(reasons), tuple(notes))


def _link(state: VanState) -> Iterator[Because]:
    if state.cannot_send:
        yield Because(code="cannot_send")
    elif state.certificate_refused:
        yield Because(code="certificate_refused")
    elif state.silent_min:
        yield Because(code="centre_silent", value=state.silent_min)
    if state.clock_off_min >= CLOCK_OFF_MIN:
        yield Because(code="clock_off", value=state.clock_off_min)


def _arriving(state: Arriving) -> Iterator[Because]:
    counted = (
        ("objects_receiving", state.receiving),
        ("objects_composing", state.composing),
        ("objects_waiting", state.waiting),
        ("objects_never_came", state.never_came),
    )
    return (Because(code=code, value=count) for code, count in counted if count)


def _frames_of(frames: Mapping[tuple[Organ, Side | None], int], organ: Organ, side: Side | None) -> int:
    """How many frames may show this side: its own and those without one; any of the organ where no side is meant."""
    return sum(count for (of, seen), count in frames.items() if of == organ and (side is None or seen in (side, None)))
