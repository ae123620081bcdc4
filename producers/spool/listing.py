"""The screenings of a spool and their sweeps, as its database has them."""

import json

from sonovan.producers.spool.database import Database
from sonovan.producers.spool.states import HELD, SpooledScreening, Sweep


def screenings(db: Database) -> list[SpooledScreening]:
    """As `Spool.screenings`."""
    rows = db.read(
        "SELECT screening_id, started_at, changed, closing_number, frames,"
        " (SELECT count(*) FROM sequences WHERE sequences.screening_id = screenings.screening_id),"
        " (SELECT count(*) FROM items WHERE items.screening_id = screenings.screening_id AND state = ?)"
        " FROM screenings ORDER BY rank",
        HELD,
    )
    return [
        SpooledScreening(name, started_at, bool(changed), number, sequences, frames, held)
        for name, started_at, changed, number, frames, sequences, held in rows
    ]


def sweeps(db: Database, screening_id: str) -> list[Sweep]:
    """As `Spool.sweeps`."""
    rows = db.read(
        "SELECT sequence_id, about, purged, (SELECT count(*) FROM frames WHERE frames.sequence_id ="
        " sequences.sequence_id AND content_sha256 IS NOT NULL AND discarded = 0), (SELECT side FROM sweep_sides WHERE"
        " sweep_sides.sequence_id = sequences.sequence_id ORDER BY amendment_number DESC LIMIT 1)"
        " FROM sequences WHERE screening_id = ? ORDER BY number",
        screening_id,
    )
    found = [(name, json.loads(about), max(frames, purged), side) for name, about, purged, frames, side in rows]
    return [Sweep(name, about[0], side or about[1], frames) for name, about, frames, side in found]
