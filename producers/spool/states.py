"""What the spool tells: the states of an item, and how much is in which."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.ids import level
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.topics import Topic

QUEUED, SENT, STORED, REJECTED, HELD = "queued", "sent", "stored", "rejected", "held"
WITHHELD: Final = "withheld"
"""Of what would wait, if the woman had not withdrawn her consent to it."""
STATES: Final = (QUEUED, SENT, STORED, REJECTED, HELD, WITHHELD)

STAGES: Final = {
    Topic.SCREENING_OPENED: 0,
    Topic.FEATURES_RECORDED: 1,
    Topic.SCREENING_AMENDED: 1,
    Topic.SEQUENCE_CLOSED: 2,
    Topic.FRAME_CAPTURED: 3,
    Topic.SCREENING_CLOSED: 4,
}
"""The order of the records of a screening, by topic."""

ITEM_DAMAGED: Final = "item_damaged"
"""Why an item is set aside whose body on this machine's disk is damaged or gone: it is not sent."""

EARLY_LEVELS: Final = 3
"""Frames of so many upload levels, every 4th of a sweep, go before the others of any woman: a preliminary result needs
no more."""
CONTROL, EARLY, LATE = 0, 1, 2
"""How urgent an item is: a record without pixels, a frame of an early level, any other frame."""


def urgency(frame_index: int | None) -> int:
    """How urgent the item of a frame is, or with None one without pixels."""
    if frame_index is None:
        return CONTROL
    return EARLY if level(frame_index) < EARLY_LEVELS else LATE


@dataclass(frozen=True, slots=True)
class Message:
    """One item as the producer gets it."""

    item_id: str
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that the centre rejected, or whose body is damaged here (`ITEM_DAMAGED`)."""

    item_id: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class HeldFrame:
    """A frame that stays on the van until somebody releases or discards it, and why."""

    frame_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SpooledScreening:
    """A screening as the spool has it.

    started_at: UNIX seconds. unfinished: whether something came since it was closed last, or it never was.
    closing_number: of its newest closing, 0 before the first. frames: how many count, held and discarded ones too.
    """

    screening_id: str
    started_at: float
    unfinished: bool
    closing_number: int
    sequences: int
    frames: int
    held: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sequence of a screening. frames: those that are sent or held; 1 where it was purged and nobody knows.

    side: as amendments put it right; where the plan is exchanged with it, as it was taken, for so are the ticks.
    """

    sequence_id: str
    organ: Organ
    side: Side | None
    frames: int


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """Items per state, bytes that still wait, and when the oldest of those was spooled (UNIX seconds, None: none).

    exported: how many of those that wait lie on a disk as well, by which they reach the centre without a link. doubted:
    for how many somebody answered whose signature is not the centre's.
    """

    counts: Mapping[str, int]
    waiting_bytes: int
    oldest_at: float | None
    exported: int = 0
    doubted: int = 0

    @property
    def waiting(self) -> int:
        """How many items are on their way to the centre: queued, or sent without a receipt yet. Held ones are not."""
        return self.counts[QUEUED] + self.counts[SENT]
