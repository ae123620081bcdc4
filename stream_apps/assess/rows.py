"""The rows that `assess` keeps, by table.

There are five tables of small rows, with keys that keep what one van sends apart from what another one sends:

- screenings: one row per screening.
- sequences: one row per sequence and van, with a bitmap of its frames.
- results: one row per frame, van and network.
- published: one row per screening with its last published revision, so that lesions keep their names.
- waiting: one row per screening that is not complete, for the timer.
"""

from typing import Final, Literal

from pydantic import Field

from sonovan.contracts.record import Id, Moment, Part, Sha256, Token, VanId
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.van import FeaturesRecorded, ScreeningClosed, ScreeningOpened, SequenceClosed

Table = Literal["screenings", "sequences", "results", "published", "waiting"]

WATERMARK: Final = "#watermark"
"""Key of the `published` row that holds how far a partition of `screening.assessed` is reflected in the table."""


class VanPart(Part):
    """What one van said of a screening; only the opener's part is ever used.

    `closings` are those of the highest number: one, or several that contradict each other.
    """

    closings: tuple[ScreeningClosed, ...] = ()
    features: FeaturesRecorded | None = None
    sequence_ids: tuple[Id, ...] = ()
    model_id: Token | None = None
    weights_sha256: Sha256 | None = Field(default=None, description="of the first result")
    fingerprint: Sha256 | None = Field(default=None, description="of the first result: it fixes the screening's")


class ScreeningRow(Part):
    """One screening as heard so far. `last_control_at` is the broker's time of the newest opening or closing."""

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
    """A screening that the timer must speak to once `due_at` has passed."""

    due_at: Moment


class WatermarkRow(Part):
    """The next offset of `screening.assessed` that this partition's rows do not reflect yet."""

    next_offset: int


def sequence_key(sequence_id: str, van_id: str) -> str:
    """The key of a `SequenceRow`."""
    return f"{sequence_id}@{van_id}"


def result_key(frame_id: str, van_id: str, fingerprint: str) -> str:
    """The key of a frame's stored result: one per frame, van and network."""
    return f"{frame_id}@{van_id}@{fingerprint[:16]}"


def published_row(assessed: ScreeningAssessed, before: PublishedRow | None, trigger: str | None) -> PublishedRow:
    """The row that remembers this revision, and what it replaces."""
    members = {
        finding.finding_id: tuple((member.frame_id, member.ordinal) for member in finding.members)
        for finding in assessed.findings
    }
    return PublishedRow(
        revision_id=assessed.revision_id,
        revision_number=assessed.revision_number,
        status=assessed.status,
        trigger=trigger,
        members={**(before.members if before else {}), **members},
    )
