"""What is wrong with a van, by its last report and by its silence. Pure: from a report to faults with their figures."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.faults import VAN_FAULTS, FaultAlerted, VanFault, fault_id
from sonovan.contracts.record import Moment
from sonovan.contracts.van_reports import VanReported

EASE: Final = 0.8
"""A fault that stands ends only when its figure is better than its bound by a fifth: one that hovers tells once."""
_HOUR_S: Final = 3600
_GIB: Final = 2**30

Found = Mapping[VanFault, tuple[Because, ...]]


@dataclass(frozen=True, slots=True)
class VanBounds:
    """From where on a van has a fault; no standard has numbers for it, a site sets its own.

    silent_h: hours without a report while something waits there; a van that comes back each evening is heard once a
    day. oldest_h, waiting_gib: of what waits on it. disk_free_gib: what it must have left. clock_s: between its clock
    and the broker's. link_kbit_per_s: while something waits and the link is not metered. rejects: items of its spool.
    """

    silent_h: float = 26.0
    oldest_h: float = 48.0
    waiting_gib: float = 20.0
    disk_free_gib: float = 10.0
    clock_s: float = 60.0
    link_kbit_per_s: float = 128.0
    rejects: int = 10


USUAL: Final = VanBounds()


def faults_by_report(report: VanReported, bounds: VanBounds, standing: Collection[VanFault] = ()) -> Found:
    """The faults that a report tells of; never `van_silent`, for it has just spoken. standing: those that stand now."""
    eased = {code: EASE if code in standing else 1.0 for code in VAN_FAULTS}
    found: dict[VanFault, tuple[Because, ...]] = {}
    spool = []
    if report.oldest_s is not None and report.oldest_s >= eased["van_spool"] * bounds.oldest_h * _HOUR_S:
        spool.append(Because(code="oldest_unsent", value=round(report.oldest_s / _HOUR_S, 1), unit="h"))
    if report.waiting_bytes >= eased["van_spool"] * bounds.waiting_gib * _GIB:
        spool.append(Because(code="waits_in_spool", value=round(report.waiting_bytes / _GIB, 1), unit="GiBy"))
    if spool:
        found["van_spool"] = tuple(spool)
    if report.disk_free_bytes * eased["van_disk"] < bounds.disk_free_gib * _GIB:
        found["van_disk"] = (Because(code="disk_free", value=round(report.disk_free_bytes / _GIB, 1), unit="GiBy"),)
    ahead = report.clock_ahead_s
    if ahead is not None and abs(ahead) >= eased["van_clock"] * bounds.clock_s:
        found["van_clock"] = (Because(code="van_clock_apart", value=round(ahead), unit="s"),)
    kbit = None if report.link_bits_per_s is None else report.link_bits_per_s / 1000
    if kbit is not None and report.waiting and not report.metered and kbit * eased["van_link"] < bounds.link_kbit_per_s:
        found["van_link"] = (Because(code="link_slow", value=round(kbit), unit="kbit/s"),)
    if report.rejected >= eased["van_rejects"] * bounds.rejects:
        found["van_rejects"] = (Because(code="rejected_items", value=report.rejected),)
    return found


def silence(report: VanReported, heard_at: Moment, now: Moment, bounds: VanBounds) -> tuple[Because, ...]:
    """Why a van that was last heard at that time is silent; empty where it is not, or need not report.

    It must be heard from while something waits on it or a screening is not closed; a van that has nothing left may
    stand in its garage. heard_at: the broker's time of the report.
    """
    hours = (now - heard_at).total_seconds() / _HOUR_S
    due = report.waiting > 0 or report.unfinished > 0
    if not due or hours < bounds.silent_h:
        return ()
    return (
        Because(code="silent_for", value=round(hours, 1), unit="h"),
        *((Because(code="items_waiting", value=report.waiting),) if report.waiting else ()),
    )


def van_fault(van_id: str, fault: VanFault, because: tuple[Because, ...], as_of: Moment) -> FaultAlerted:
    """The record of a fault that a van has, or, without reasons, no longer has."""
    return FaultAlerted(
        fault_id=fault_id(van_id, fault),
        van_id=van_id,
        fault=fault,
        state="raised" if because else "ended",
        because=because,
        as_of=as_of,
    )
