"""The rows that `quality` keeps, in one table of Faust, since each costs time at the start: `KIND/KEY`, by kind:

- screenings: of each screening, in the partition of its id: sums over a sample of its frames until they are sent on,
  and then a mark that they were (`SCREENING`); and what readers drew blind there (`SCREENING/reviews`).
- counted: of each network and screening, in the partition of the network's fingerprint: that it was counted, and its
  reviewed frames.
- windows: of each stratum, in the same partition: the window that is being filled, or the screenings whose agreement is
  told; and the full windows of a reference (`STRATUM/N/NUMBER`, N the number of the reference).

A crash between the writes of two rows may count one screening of a window twice or not at all; nothing else.
"""

from typing import Final, Literal

from pydantic import Field

from sonovan.contracts.ids import level
from sonovan.contracts.quality import Feature, LookAt, ReviewedFrame
from sonovan.contracts.record import Day, Fingerprint, Id, Moment, Part, VanId
from sonovan.contracts.words import Manufacturer, ModelName, ScannerModel

TABLE: Final = "figures"
"""Faust's table."""

SAMPLED_LEVELS: Final = 2
SAMPLED_EVERY: Final = 8
"""Frames of the first two levels, every eighth, are summed up: neighbours in a sweep look alike."""


def sampled(frame_index: int) -> bool:
    """Whether this frame of its sequence is looked at."""
    return level(frame_index) < SAMPLED_LEVELS


class Scanner(Part):
    """Make and model, None where the file does not name them."""

    manufacturer: Manufacturer | None = None
    scanner_model: ScannerModel | None = None


class OrganPart(Part):
    """Sums over the frames of one organ that one van sent and one network looked at."""

    sums: dict[Feature, tuple[float, int]] = Field(default_factory=dict)
    look_at: LookAt | None = None


class NetworkPart(Part):
    """What one network said of one van's frames of a screening.

    seen: by sequence, a bitmap in hex of the frames that were summed up. wanted: how many must be, since a revision
    calls for it. scanner: of the first frame.
    """

    model_id: ModelName
    scanner: Scanner
    seen: dict[Id, str] = Field(default_factory=dict)
    organs: dict[str, OrganPart] = Field(default_factory=dict)
    wanted: int | None = None

    @property
    def frames(self) -> int:
        """How many frames were summed up."""
        return sum(int(bits, 16).bit_count() for bits in self.seen.values())


class FramesRow(Part):
    """One screening: parts that are not sent on yet, by van and fingerprint; and those that were.

    done: what was sent on, by van, fingerprint and organ. scanners: by van. erased: nothing of it is kept again.
    """

    parts: dict[str, NetworkPart] = Field(default_factory=dict)
    done: tuple[str, ...] = ()
    scanners: dict[VanId, Scanner] = Field(default_factory=dict)
    erased: bool = False


class ReviewRow(Part):
    """One reader's newest blind review of one frame, against one network."""

    review_id: Id
    dice: float | None
    iou: float | None
    outlined: bool
    predicted: float | None


class ReviewsOf(Part):
    """All blind reviews of a screening against one network, by frame and reader."""

    model_id: ModelName
    van_id: VanId
    fingerprint: Fingerprint
    organ: Literal["breast", "thyroid"]
    by_frame: dict[str, ReviewRow] = Field(default_factory=dict)


class ReviewsRow(Part):
    """A screening's reviews, by van, fingerprint and organ."""

    networks: dict[str, ReviewsOf] = Field(default_factory=dict)


class CountedRow(Part):
    """A screening that was counted for one network, organ and van. watched: its features are in a window."""

    watched: bool = False
    scanner: Scanner = Scanner()
    reviewed: tuple[ReviewedFrame, ...] = ()
    erased: bool = False


class WindowRow(Part):
    """A window that is being filled, or a full one of the reference.

    number: 1 is the first one. days: by feature, on which day each of its values was taken; none in rows of before
    days counted. drifted: features of the last window that was. usual: once the reference is full, the
    bounds of its central share. flag_day, flags: how many frames were flagged on the last day on which any was.
    """

    number: int = 1
    screenings: int = 0
    began_at: Moment | None = None
    values: dict[Feature, tuple[float, ...]] = Field(default_factory=dict)
    days: dict[Feature, tuple[int, ...]] = Field(default_factory=dict)
    drifted: tuple[Feature, ...] = ()
    usual: dict[Feature, tuple[float, float]] = Field(default_factory=dict)
    flag_day: Day | None = None
    flags: int = 0


class AgreementRow(Part):
    """The screenings whose agreement is told, the newest last, by their keys in `counted`.

    fresh: how many of them no look has taken in yet: a fault begins and ends by screenings that were not looked at
    before. missed: it stands.
    """

    counted: tuple[str, ...] = ()
    fresh: int = 0
    missed: bool = False
