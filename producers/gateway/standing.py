"""How things stand on a van, for its lights: counts from the spool, the register and what is arriving."""

from datetime import date
from pathlib import Path

from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.gateway.gateway import Desk
from sonovan.producers.gateway.intake import ARRIVED, QUARANTINED, TRAY
from sonovan.producers.gateway.recording_now import is_recording
from sonovan.producers.gateway.register import Expected
from sonovan.producers.lights import Arriving, VanState, WomanState
from sonovan.producers.reporting import LinkSeen
from sonovan.producers.spool import ITEM_DAMAGED, WITHHELD, Spool


def arriving(folder: Path, desk: Desk) -> Arriving:
    """Objects that are in no screening yet. folder: the van's."""
    incoming = folder / "incoming"
    # In the order in which an object goes on, so that one that does so meanwhile is counted twice and not left out.
    whole = sum(1 for _ in incoming.iterdir()) if incoming.is_dir() else 0
    return Arriving(
        receiving=whole + desk.intake.unnamed() + desk.taken.waiting() + is_recording(folder / "spool"),
        composing=desk.intake.count(ARRIVED),
        waiting=desk.intake.count(TRAY, QUARANTINED),
        never_came=sum(count for _, count in desk.steps.missing(desk.intake.came)),
    )


def under_way(desk: Desk, spool: Spool) -> list[Expected]:
    """The women of the register whose screening has begun and is not closed as it stands."""
    found = (desk.register.of_screening(each.screening_id) for each in spool.screenings() if each.unfinished)
    return [each for each in found if each is not None]


def still_here(desk: Desk, spool: Spool, day: date) -> list[Expected]:
    """Who was screened on this day and of whom nobody said that she left, her screening being closed."""
    closed = {each.screening_id for each in spool.screenings() if not each.unfinished}
    return [
        each
        for each in desk.register.expected(day)
        if each.day == day and each.screening_id in closed and desk.checklists.of(each.screening_id).left_at is None
    ]


def here_now(desk: Desk, spool: Spool, day: date) -> list[Expected]:
    """Whose screening is under way, then who is expected on this day or later and was not begun."""
    begun = {each.screening_id for each in spool.screenings()}
    return [
        *under_way(desk, spool),
        *(each for each in desk.register.expected(day) if each.screening_id not in begun),
    ]


def frames_by_side(spool: Spool, screening_id: str) -> dict[tuple[Organ, Side | None], int]:
    """How many frames a screening has by organ and side, held ones too."""
    found: dict[tuple[Organ, Side | None], int] = {}
    for sweep in spool.sweeps(screening_id):
        found[sweep.organ, sweep.side] = found.get((sweep.organ, sweep.side), 0) + sweep.frames
    return found


def woman_state(folder: Path, desk: Desk, spool: Spool, entry: Expected) -> WomanState:
    """How things stand with one woman of the register."""
    coming = arriving(folder, desk)
    checklist, planned = desk.checklists.of(entry.screening_id), entry.visit.planned or ()
    return WomanState(
        planned=planned,
        ticked=checklist.ticked,
        excused=tuple(each for each in planned if checklist.excuse_of(each) is not None),
        frames=frames_by_side(spool, entry.screening_id),
        held=len(spool.held(entry.screening_id)),
        damaged=sum(each.reason == ITEM_DAMAGED for each in spool.rejected(entry.screening_id)),
        arriving=coming,
    )


def van_state(folder: Path, desk: Desk, spool: Spool, day: date, link: LinkSeen | None = None) -> VanState:
    """How things stand with the whole van. day: whose women are expected. link: what the process that uploads saw."""
    coming = arriving(folder, desk)  # before what is in screenings: what goes on meanwhile is counted twice
    silent_s = None if link is None else link.silent_s
    off_s = spool.aging.behind_s or (0.0 if link is None else abs(link.clock_ahead_s or 0.0))
    status, rejected, screenings = spool.status(), spool.rejected(), spool.screenings()
    begun = {each.screening_id for each in screenings}
    return VanState(
        unsent=status.waiting,
        exported=status.exported,
        doubted=status.doubted,
        withheld=status.counts[WITHHELD],
        retryable=sum(each.retryable and each.reason != ITEM_DAMAGED for each in rejected),
        refused=sum(not each.retryable for each in rejected),
        damaged=sum(each.reason == ITEM_DAMAGED for each in rejected),
        unfinished=sum(each.unfinished for each in screenings),
        held=len(spool.held()),
        expected=sum(each.day == day and each.screening_id not in begun for each in desk.register.expected(day)),
        silent_min=0 if silent_s is None else int(silent_s / 60),
        certificate_refused=link is not None and link.certificate_refused,
        cannot_send=link is not None and link.cannot_send,
        clock_off_min=round(off_s / 60),
        arriving=coming,
    )
