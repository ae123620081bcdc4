"""The rows that `assess` keeps, and the draft through which a step reads and writes them.

There are five tables of small rows, with keys that keep what one van sends apart from what another one sends:

- screenings: one row per screening.
- sequences: one row per sequence and van, with a bitmap of its frames.
- results: one row per frame, van and network.
- published: one row per screening with its last published revision, so that lesions keep their names.
- waiting: one row per screening that is not complete, for the timer.
"""

from collections.abc import Callable
from typing import Final, Literal, TypeVar

from pydantic import Field

from sonovan.contracts.record import Id, Moment, Part, Sha256, Token, VanId
from sonovan.contracts.van import FeaturesRecorded, ScreeningClosed, ScreeningOpened, SequenceClosed

Table = Literal["screenings", "sequences", "results", "published", "waiting"]
Read = Callable[[str, str], bytes | None]
RowT = TypeVar("RowT", bound=Part)

RECEIVED: Final[frozenset[Table]] = frozenset({"screenings", "sequences", "results"})
"""The tables of what was received; the others hold what was published of it."""

WATERMARK: Final = "#watermark"
"""Key of the `published` row that holds how far a partition of `screening.assessed` is reflected in the table."""


class VanPart(Part):
    """What was received about a screening from one van. Only the part of the van that opened it is ever used.

    `closings` are those of the highest number: one, or several that contradict each other.
    """

    closings: tuple[ScreeningClosed, ...] = ()
    features: FeaturesRecorded | None = None
    sequence_ids: tuple[Id, ...] = ()
    model_id: Token | None = None
    weights_sha256: Sha256 | None = Field(default=None, description="of the first result")
    fingerprint: Sha256 | None = Field(default=None, description="of the first result: it fixes the screening's")


class ScreeningRow(Part):
    """One screening as received so far. `last_control_at` is the broker's time of the newest opening or closing."""

    opening: ScreeningOpened | None = None
    vans: dict[VanId, VanPart] = Field(default_factory=dict)
    last_control_at: Moment | None = None
    deadline_passed: bool = False


class SequenceRow(Part):
    """One sweep of one van: its closings of the highest number, and its frames.

    `segmented` is a bitmap of frame indices in hex; `rejected` maps the index to the reason.
    """

    closings: tuple[SequenceClosed, ...] = ()
    segmented: str = "0"
    rejected: dict[int, Token] = Field(default_factory=dict)

    @property
    def bitmap(self) -> int:
        """Bit i is set where frame i has a result."""
        return int(self.segmented, 16)


class PublishedRow(Part):
    """What was last published of a screening. `trigger` names the state that led to it.

    `members` holds every finding that was ever published, withdrawn ones too, with the members that it last had.
    """

    revision_id: Sha256
    revision_number: int
    status: Literal["preliminary", "incomplete", "complete"]
    trigger: str | None
    members: dict[Sha256, tuple[tuple[str, int], ...]]


class WaitingRow(Part):
    """A screening for which the timer must send a tick once `due_at` has passed."""

    due_at: Moment


class WatermarkRow(Part):
    """The next offset of `screening.assessed` that this partition's rows do not reflect yet."""

    next_offset: int


class Draft:
    """Rows read through, and the writes that one step wants, in order; nothing is written here.

    rewrites: a row equal to what stands there is written all the same, so that the changelog has it as well.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.rewrites = False
        self.writes: dict[tuple[str, str], bytes | None] = {}

    def raw(self, table: Table, key: str) -> bytes | None:
        """The row's bytes, this step's own writes included."""
        if (table, key) in self.writes:
            return self.writes[table, key]
        return self._read(table, key)

    def get(self, row: type[RowT], table: Table, key: str) -> RowT | None:
        """The row, or None where there is none."""
        data = self.raw(table, key)
        return None if data is None else row.model_validate_json(data)

    def put(self, table: Table, key: str, row: Part | bytes | None) -> None:
        """Write a row (None deletes); a row equal to what stands there is no write, unless the draft `rewrites`."""
        data = row.model_dump_json().encode() if isinstance(row, Part) else row
        if data != self.raw(table, key) or (self.rewrites and data is not None):
            self.writes[table, key] = data


def sequence_key(sequence_id: str, van_id: str) -> str:
    """The key of a `SequenceRow`."""
    return f"{sequence_id}@{van_id}"


def result_key(frame_id: str, van_id: str, fingerprint: str) -> str:
    """The key of a frame's stored result: one per frame, van and network."""
    return f"{frame_id}@{van_id}@{fingerprint[:16]}"
