"""The rows that `assess` keeps, by table.

There are six tables of small rows, with keys that keep what one van sends apart from what another one sends:

- screenings: one row per screening.
- sequences: one row per sequence and van, with a bitmap of its frames.
- results: one row per frame, van and network; and one per frame and van for what readers drew on it.
- published: one row per screening with its last published revision, so that lesions keep their names.
- waiting: one row per screening that is not complete, for the timer.
- ending: one row per screening whose rows are not deleted yet, for the timer too: it is looked through seldom.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Final, Literal

from pydantic import Field

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.ids import frame_id, split_frame_id
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.record import Fingerprint, FrameId, Id, Index, Moment, Part, Sha256, Token, VanId
from sonovan.contracts.results import Member, ScreeningAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.van import ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.contracts.words import ModelName

Table = Literal["screenings", "sequences", "results", "published", "waiting", "ending"]

WATERMARK: Final = "#watermark"
"""Key of the `published` row that holds how far a partition of `screening.assessed` is reflected in the table."""


class VanPart(Part):
    """What one van said of a screening; only the opener's part is ever used.

    `closings` are those of the highest number: one, or several that contradict each other.
    """

    closings: tuple[ScreeningClosed, ...] = ()
    features: FeaturesRecorded | None = None
    amendments: tuple[ScreeningAmended, ...] = Field(default=(), description="in the order of their numbers")
    promotions: tuple[ScreeningPromoted, ...] = Field(default=(), description="in the order of their ids")
    sequence_ids: tuple[Id, ...] = ()
    model_id: ModelName | None = None
    weights_sha256: Sha256 | None = Field(default=None, description="of the first result")
    fingerprint: Sha256 | None = Field(default=None, description="of the first result: it fixes the screening's")

    def places(self) -> "VanPart":
        """What finds this van's other rows, and nothing of what it said."""
        return VanPart(sequence_ids=self.sequence_ids, fingerprint=self.fingerprint)


class ScreeningRow(Part):
    """One screening as heard so far. `last_control_at` is the broker's time of the newest opening or closing.

    `ended_at`: when its rows began to be deleted. Such a row is kept for ever, and holds nothing else in the end: what
    comes later is rejected by it, rather than taken for a new screening.
    """

    opening: ScreeningOpened | None = None
    vans: dict[VanId, VanPart] = Field(default_factory=dict)
    last_control_at: Moment | None = None
    deadline_passed: bool = False
    ended_at: Moment | None = None
    ended_refused: bool = Field(default=False, description="she had not agreed to what is done here")

    @property
    def refused(self) -> bool:
        """Whether the opening says that she did not agree to what is done here."""
        return self.ended_refused or (self.opening is not None and not self.opening.consent.to_analysis)


class SequenceRow(Part):
    """One sweep of one van: its closings of the highest number, and its frames.

    `segmented` is a bitmap of frame indices in hex: frames with a result of the network that was first. `others` has
    such a bitmap for each other network, `rejected` for each reason. So a row of 100,000 frames has 25 kB, and 25 kB
    more for each other network and reason. `reviewed` has the frames that readers reviewed, each with the review that
    counts in the place of its result, None where the result does: 45 bytes each.
    """

    closings: tuple[SequenceClosed, ...] = ()
    segmented: str = "0"
    others: dict[Fingerprint, str] = Field(default_factory=dict)
    rejected: dict[Token, str] = Field(default_factory=dict)
    reviewed: dict[Index, Id | None] = Field(default_factory=dict)

    @property
    def bitmap(self) -> int:
        """Bit i is set where frame i has a result."""
        return int(self.segmented, 16)

    @property
    def rejected_bitmap(self) -> int:
        """Bit i is set where frame i was rejected."""
        return reduce(or_, (int(each, 16) for each in self.rejected.values()), 0)

    def bitmap_of(self, other: str | None) -> int:
        """Bit i is set where frame i has a result of this other network; None stands for the one that was first."""
        return self.bitmap if other is None else int(self.others.get(other, "0"), 16)

    def with_bitmap(self, other: str | None, bitmap: int) -> "SequenceRow":
        """The same with these frames segmented by a network; `other` as in `bitmap_of`."""
        if other is None:
            return self.model_copy(update={"segmented": f"{bitmap:x}"})
        others = {**self.others, other: f"{bitmap:x}"}
        return self.model_copy(update={"others": {each: bits for each, bits in sorted(others.items()) if bits != "0"}})

    def without(self, other: str | None, gone: Iterable[int]) -> "SequenceRow":
        """The same without these frames of a network."""
        return self.with_bitmap(other, self.bitmap_of(other) & ~sum(1 << index for index in gone))

    def with_rejected(self, index: int, reason: str) -> "SequenceRow":
        """The same with this frame rejected for this reason, whatever it was rejected for before."""
        others = {each: int(bits, 16) & ~(1 << index) for each, bits in self.rejected.items()}
        bitmaps = {**others, reason: others.get(reason, 0) | 1 << index}
        return self.model_copy(
            update={"rejected": {each: f"{bits:x}" for each, bits in sorted(bitmaps.items()) if bits}}
        )

    def reasons(self) -> dict[int, str]:
        """Why each rejected frame was rejected, by its index."""
        return {index: reason for reason, bits in self.rejected.items() for index in indices(int(bits, 16))}


class ReviewsRow(Part):
    """What readers drew on one frame of one van, the newest `MOST_REVIEWS`, in the order of their ids."""

    reviews: tuple[FrameReviewed, ...]


class PublishedRow(Part):
    """What was last published of a screening. `trigger` names the state that led to it.

    `members` holds every finding that was ever published, withdrawn ones too, with the members that it last had: by
    sequence, runs of frames in which it was the same region (`packed`). Members are regions of results of the network
    `fingerprint`; those of findings that were last published before another network took over are of the network under
    which `earlier` lists them. `numbered` has the frames on which a review numbers them after another network.
    """

    revision_id: Sha256
    revision_number: int
    status: Literal["preliminary", "incomplete", "complete"]
    trigger: str | None
    members: dict[Sha256, dict[Id, str]]
    fingerprint: Fingerprint | None = None
    earlier: dict[Fingerprint, tuple[Sha256, ...]] = Field(default_factory=dict)
    numbered: dict[FrameId, Fingerprint] = Field(default_factory=dict)

    def networks(self) -> dict[str, str]:
        """Finding id → the network of whose results its members are regions, where that is not `fingerprint`."""
        return {name: network for network, names in self.earlier.items() for name in names}

    def findings(self) -> dict[str, frozenset[tuple[str, int]]]:
        """The members of every finding: (frame id, ordinal)."""
        return {name: unpacked(runs) for name, runs in self.members.items()}


class WaitingRow(Part):
    """A screening that the timer must speak to once `due_at` has passed."""

    due_at: Moment


class EndingRow(Part):
    """When the screening's first record came, and when its rows are deleted."""

    began_at: Moment
    ends_at: Moment


class WatermarkRow(Part):
    """The next offset of `screening.assessed` that this partition's rows do not reflect yet."""

    next_offset: int


def indices(bitmap: int) -> frozenset[int]:
    """The positions of the set bits."""
    return frozenset(index for index, bit in enumerate(reversed(f"{bitmap:b}")) if bit == "1")


def packed(members: Iterable[Member]) -> dict[str, str]:
    """Members by sequence, as runs: `10-19.0,25.1` is region 0 of frames 10 to 19 and region 1 of frame 25.

    A lesion keeps its ordinal over long stretches, so that a run stands for many frames.
    """
    by_sequence: dict[str, list[tuple[int, int]]] = {}
    for member in members:
        sequence_id, index = split_frame_id(member.frame_id)
        by_sequence.setdefault(sequence_id, []).append((member.ordinal, index))
    return {sequence_id: ",".join(_runs(sorted(places))) for sequence_id, places in sorted(by_sequence.items())}


def unpacked(runs: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """The (frame id, ordinal) of members that were packed."""
    found: set[tuple[str, int]] = set()
    for sequence_id, text in runs.items():
        for run in text.split(","):
            frames, _, ordinal = run.partition(".")
            first, _, last = frames.partition("-")
            found |= {
                (frame_id(sequence_id, index), int(ordinal)) for index in range(int(first), int(last or first) + 1)
            }
    return frozenset(found)


def _runs(places: list[tuple[int, int]]) -> Iterator[str]:
    """places: (ordinal, frame index) in order."""
    start = 0
    for number, (ordinal, index) in enumerate(places):
        if places[number + 1 : number + 2] != [(ordinal, index + 1)]:
            first = places[start][1]
            yield f"{first}.{ordinal}" if first == index else f"{first}-{index}.{ordinal}"
            start = number + 1


def sequence_key(sequence_id: str, van_id: str) -> str:
    """The key of a `SequenceRow`."""
    return f"{sequence_id}@{van_id}"


def result_key(frame_id: str, van_id: str, fingerprint: str) -> str:
    """The key of a frame's stored result: one per frame, van and network."""
    return f"{frame_id}@{van_id}@{fingerprint[:16]}"


def reviews_key(frame_id: str, van_id: str) -> str:
    """The key of a frame's `ReviewsRow` in the table of results."""
    return f"{frame_id}@{van_id}@reviews"


def published_row(assessed: ScreeningAssessed, before: PublishedRow | None, trigger: str | None) -> PublishedRow:
    """The row that remembers this revision, and what it replaces."""
    members = {finding.finding_id: packed(finding.members) for finding in assessed.findings}
    earlier: dict[str, tuple[str, ...]] = {}
    if before is not None:
        networks = before.networks()
        for name in before.members.keys() - members.keys():
            network = networks.get(name, before.fingerprint or assessed.fingerprint)
            if network != assessed.fingerprint:
                earlier[network] = tuple(sorted((*earlier.get(network, ()), name)))
    return PublishedRow(
        revision_id=assessed.revision_id,
        revision_number=assessed.revision_number,
        status=assessed.status,
        trigger=trigger,
        members={**(before.members if before else {}), **members},
        fingerprint=assessed.fingerprint,
        earlier=earlier,
        numbered={
            each.frame_id: each.fingerprint
            for each in assessed.reviewed
            if each.fingerprint not in (None, assessed.fingerprint)
        },
    )
