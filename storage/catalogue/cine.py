"""What the catalogue has of a screening's pictures, for whoever reads them: sweeps with ordered frames, how well each
could be seen, what was refused, and, apart from that, where the machine saw something.

Whether a woman's pictures may be shown is decided each time, as for addresses: not where the screening is void, and
not where she does not agree, or no longer agrees, to be screened or read by a machine.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, select, text

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import frame_id
from sonovan.contracts.lexicon import Organ, Position, Side, View
from sonovan.contracts.results import Adequacy
from sonovan.contracts.van import Panel
from sonovan.storage.catalogue.addresses import check_shown
from sonovan.storage.catalogue.tables_erased import ERASED

MOST_AT_ONCE: Final = 256
"""So many frames are asked for at once at most."""

_COUNTED: Final = """
FROM frame f JOIN opening o ON o.screening_id = f.screening_id AND o.van_id = f.van_id
LEFT JOIN screening s ON s.screening_id = f.screening_id
LEFT JOIN sequence_result q ON q.sequence_id = f.sequence_id AND q.revision_id = s.revision_id
"""

_FIRST: Final = """row_number() OVER (PARTITION BY f.sequence_id, f.frame_index
  ORDER BY CASE WHEN f.fingerprint = s.fingerprint THEN 0 ELSE 1 END, f.at_ms, f.at_partition, f.at_offset) AS place"""
"""Of several results of one frame, that of the screening's network counts; before any revision, the first one."""

_LISTED: Final = f"""
SELECT * FROM (SELECT f.sequence_id, f.frame_index, f.organ, coalesce(q.laterality, f.laterality) AS laterality,
  f.view, f.position, f.mode, f.rows_px, f.columns_px, f.panels, f.time_ms, f.quality, f.assessable,
  f.not_assessable_reason, {_FIRST} {_COUNTED} WHERE f.screening_id = :screening) listed
WHERE place = 1 ORDER BY sequence_id, frame_index
"""

_BETWEEN: Final = f"""
SELECT * FROM (SELECT f.*, {_FIRST} {_COUNTED}
  WHERE f.sequence_id = :sequence AND f.frame_index >= :first AND f.frame_index < :behind) listed
WHERE place = 1 ORDER BY frame_index
"""

_EXPECTED: Final = """
SELECT e.sequence_id, e.frame_count FROM sequence_closing e
JOIN opening o ON o.screening_id = e.screening_id AND o.van_id = e.van_id
WHERE e.screening_id = :screening ORDER BY e.closing_number
"""

_REJECTED: Final = """
SELECT frame_id, reason FROM rejection
WHERE screening_id = :screening AND frame_id IS NOT NULL AND verified ORDER BY rejected_at
"""

_OF_SCREENING: Final = """
SELECT s.screening_id, s.site_code, s.van_id, s.opened_at, s.status, s.revision_number, s.revision_id, s.clinical_data,
  s.age_years, c.earlier_screening_id
FROM screenings s LEFT JOIN compared_with c ON c.screening_id = s.screening_id WHERE s.screening_id = :screening
"""


@dataclass(frozen=True, slots=True)
class ListedFrame:
    """One frame of a sweep: its size in pixels, its panels, and whether it could be assessed.

    reason: why it could not be, None where it could. What the machine outlined is not said here.
    """

    frame_index: int
    rows: int
    columns: int
    panels: tuple[Panel, ...]
    mode: str
    time_ms: float | None
    quality: float
    assessable: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep, clip or still with its frames in the order of acquisition.

    expected: how many frames its closing counts, None where it is not closed. rejected: frame index → reason, of frames
    that were refused before anybody could look at them.
    """

    sequence_id: str
    organ: Organ
    laterality: Side | None
    view: View | None
    position: Position | None
    frames: tuple[ListedFrame, ...]
    expected: int | None = None
    rejected: Mapping[int, str] = field(default_factory=dict)

    @property
    def still(self) -> bool:
        """Whether it is one picture and not a sweep."""
        return (self.expected or len(self.frames)) == 1


@dataclass(frozen=True, slots=True)
class Cine:
    """The pictures of one screening.

    clinical: what she answered, as coded; None where there is no record of it. earlier_screening_id: the screening of
    hers with which this one is compared (view `compared_with`), None where none counts.
    """

    screening_id: str
    site_code: str
    van_id: str
    opened_at: str
    status: str | None
    revision_number: int | None
    revision_id: str | None
    clinical: Mapping[str, Any] | None
    earlier_screening_id: str | None
    sweeps: tuple[Sweep, ...]


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """Where a frame and its mask lie, how the frame is coded, and which network's result counts for it.

    channels, bits, weights_sha256: None in rows that a catalogue of before version 0005 wrote. mask_key: None where the
    network outlined nothing. predicted_dice: the lowest of its regions.
    """

    screening_id: str
    sequence_id: str
    frame_index: int
    van_id: str
    organ: Organ
    rows: int
    columns: int
    channels: int | None
    bits: int | None
    panels: tuple[Panel, ...]
    codec: str
    pixels_sha256: str
    image_key: str
    image_sha256: str
    mask_key: str | None
    mask_sha256: str | None
    model_id: str
    weights_sha256: str | None
    fingerprint: str
    predicted_dice: float | None
    assessable: bool

    @property
    def frame_id(self) -> str:
        """`{sequence_id}/{frame_index:06d}`."""
        return frame_id(self.sequence_id, self.frame_index)


@dataclass(frozen=True, slots=True)
class Track:
    """A lesion in one sweep: over which frames it was outlined, and its key frame. ordinal 1 is the most suspicious."""

    sequence_id: str
    ordinal: int
    finding_id: str
    first_frame: int
    last_frame: int
    key_frame: int
    organ: Organ
    laterality: Side | None
    unconfirmed: bool
    outline_unreliable: bool


def cine_of(connection: Connection, screening_id: str) -> Cine:
    """The pictures of a screening.

    Raises InvalidRecord `address_unknown` for a screening that the catalogue does not have, `consent_refused` where its
    pictures may not be shown.
    """
    row = connection.execute(text(_OF_SCREENING), {"screening": screening_id}).one_or_none()
    if row is None:
        raise InvalidRecord("address_unknown", f"the catalogue has no screening {screening_id}")
    check_shown(connection, screening_id, screening_id)
    return Cine(
        screening_id=screening_id,
        site_code=row.site_code,
        van_id=row.van_id,
        opened_at=str(row.opened_at),
        status=row.status,
        revision_number=row.revision_number,
        revision_id=row.revision_id,
        clinical=parsed(row.clinical_data),
        earlier_screening_id=row.earlier_screening_id,
        sweeps=_sweeps(connection, screening_id),
    )


def pictures_between(
    connection: Connection, screening_id: str, sequence_id: str, first: int, count: int
) -> list[StoredPicture]:
    """Frames `first` to `first + count` of a sweep that the catalogue has, in order; MOST_AT_ONCE at most.

    Raises InvalidRecord `address_unknown` where the sweep belongs to no such screening, `consent_refused` as `cine_of`.
    """
    behind = first + min(count, MOST_AT_ONCE)
    asked = {"sequence": sequence_id, "first": first, "behind": behind}
    rows = connection.execute(text(_BETWEEN), asked).all()
    if any(row.screening_id != screening_id for row in rows):
        raise InvalidRecord("address_unknown", f"no sweep of {screening_id} is called {sequence_id}")
    check_shown(connection, screening_id, screening_id)
    return [_picture(row) for row in rows]


def tracks_of(connection: Connection, screening_id: str) -> list[Track]:
    """Where the newest revision saw lesions, over all sweeps; none where it says nothing of the pictures."""
    names = (
        "sequence_id, ordinal, finding_id, first_frame, last_frame, key_frame, organ, laterality, unconfirmed, "
        "outline_unreliable"
    )
    query = f"SELECT {names} FROM sightings WHERE screening_id = :screening ORDER BY ordinal, sighting_ordinal"
    found = connection.execute(text(query), {"screening": screening_id}).all()
    return [
        Track(**{**row._asdict(), "unconfirmed": bool(row.unconfirmed), "outline_unreliable": bool(row[-1])})
        for row in found
    ]


def sides_of(connection: Connection, screening_id: str) -> list[Adequacy]:
    """Was each organ, side and region seen well enough, by the newest revision."""
    query = text("SELECT * FROM sides WHERE screening_id = :screening ORDER BY ordinal")
    names = Adequacy.model_fields
    rows = connection.execute(query, {"screening": screening_id}).mappings()
    told = [{**{name: row[name] for name in names}, "reasons": parsed(row["reasons"])} for row in rows]
    return [Adequacy.model_validate_json(json.dumps(each)) for each in told]


def marks_of(connection: Connection, screening_id: str) -> list[str]:
    """Ids of the frames that the operator marked while she scanned, each once."""
    query = text("SELECT mark FROM amendments WHERE screening_id = :screening AND mark IS NOT NULL")
    marks = [parsed(row.mark) for row in connection.execute(query, {"screening": screening_id})]
    return list(dict.fromkeys(each["frame_id"] for each in marks if each.get("frame_id")))


def erased_among(connection: Connection, screening_ids: Sequence[str]) -> list[str]:
    """Which of these screenings were erased."""
    asked = select(ERASED.c.screening_id).where(ERASED.c.screening_id.in_(screening_ids))
    return list(connection.execute(asked).scalars())


def parsed(value: Any) -> Any:
    """A column of JSON: text in SQLite, parsed by the driver of PostgreSQL."""
    return json.loads(value) if isinstance(value, str) else value


def _sweeps(connection: Connection, screening_id: str) -> tuple[Sweep, ...]:
    asked = {"screening": screening_id}
    expected = {row.sequence_id: row.frame_count for row in connection.execute(text(_EXPECTED), asked)}
    rejected: dict[str, dict[int, str]] = {}
    for row in connection.execute(text(_REJECTED), asked):
        sequence_id, _, index = row.frame_id.rpartition("/")
        rejected.setdefault(sequence_id, {})[int(index)] = row.reason
    of_sweep: dict[str, list[Any]] = {}
    for row in connection.execute(text(_LISTED), asked):
        of_sweep.setdefault(row.sequence_id, []).append(row)
    return tuple(
        _sweep(rows, expected.get(sequence_id), rejected.get(sequence_id, {}))
        for sequence_id, rows in sorted(of_sweep.items())
    )


def _sweep(rows: Sequence[Any], expected: int | None, rejected: Mapping[int, str]) -> Sweep:
    first, layouts = rows[0], dict[str, tuple[Panel, ...]]()
    here = {row.frame_index for row in rows}
    return Sweep(
        sequence_id=first.sequence_id,
        organ=first.organ,
        laterality=first.laterality,
        view=first.view,
        position=first.position,
        frames=tuple(_listed(row, layouts) for row in rows),
        expected=expected,
        rejected={index: reason for index, reason in rejected.items() if index not in here},
    )


def _listed(row: Any, layouts: dict[str, tuple[Panel, ...]]) -> ListedFrame:
    named = str(row.panels)  # many frames of a sweep share one layout, which is read once
    if named not in layouts:
        layouts[named] = _panels(row.panels)
    return ListedFrame(
        frame_index=row.frame_index,
        rows=row.rows_px,
        columns=row.columns_px,
        panels=layouts[named],
        mode=row.mode,
        time_ms=row.time_ms,
        quality=row.quality,
        assessable=bool(row.assessable),
        reason=row.not_assessable_reason,
    )


def _panels(column: Any) -> tuple[Panel, ...]:
    told: Iterable[Any] = parsed(column) or ()
    return tuple(Panel.model_validate(each) for each in told)


def _picture(row: Any) -> StoredPicture:
    same = (
        "screening_id", "sequence_id", "frame_index", "van_id", "organ", "channels", "bits", "codec", "pixels_sha256",
        "image_key", "image_sha256", "mask_key", "mask_sha256", "model_id", "weights_sha256", "fingerprint",
        "predicted_dice",
    )  # fmt: skip
    return StoredPicture(
        **{name: getattr(row, name) for name in same},
        rows=row.rows_px,
        columns=row.columns_px,
        panels=_panels(row.panels),
        assessable=bool(row.assessable),
    )
