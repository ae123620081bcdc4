"""Legal holds, and for how long screenings of a site are kept: what people decide and no topic says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Text, bindparam, delete, insert, select, text

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.words import OperatorCode, SiteCode
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import HOLD, RETENTION

_ASKED: Final = {"now_ms": BigInteger(), "day_ms": BigInteger(), "site": Text()}
_DAY_MS: Final = 24 * 60 * 60 * 1000
_CODE: Final = re.compile(r"[a-z][a-z_]{0,31}")


@dataclass(frozen=True)
class Held:
    """A site that is held, or whose screenings have a time, or both."""

    site: str
    held_since: str | None
    by: str | None
    because: str | None
    kept_days: int | None


def put_hold(database: Database, site: str, *, by: str, because: str, release: bool = False) -> None:
    """Hold a site, or end its hold. Raises InvalidRecord `option_invalid` for what is no code."""
    _check(site, by, because)
    with database.writing() as connection:
        connection.execute(delete(HOLD).where(HOLD.c.site_code == site))
        if not release:
            since = datetime.now(UTC)
            told = since.isoformat(timespec="milliseconds") if database.dialect == "sqlite" else since
            connection.execute(insert(HOLD).values(site_code=site, since=told, operator=by, because=because))


def keep_for(database: Database, site: str, days: int) -> None:
    """Say for how many days after its opening a screening of this site is kept. Raises InvalidRecord as `put_hold`."""
    _check(site, "op-0", "retention")
    with database.writing() as connection:
        connection.execute(delete(RETENTION).where(RETENTION.c.site_code == site))
        connection.execute(insert(RETENTION).values(site_code=site, days=days))


def held(database: Database) -> list[Held]:
    """Every site with a hold or a time, by its code."""
    with database.writing() as connection:
        holds = {row.site_code: row for row in connection.execute(select(HOLD))}
        times = {row.site_code: row.days for row in connection.execute(select(RETENTION))}
    found = []
    for site in sorted(holds.keys() | times.keys()):
        row = holds.get(site)
        since = None if row is None else str(row.since)
        by, because = (None, None) if row is None else (row.operator, row.because)
        found.append(Held(site, since, by, because, times.get(site)))
    return found


@dataclass(frozen=True, slots=True)
class Over:
    """A screening whose site's time is over. arrived_at: when its opening reached the centre. held: its site is on
    hold, so that it stays.
    """

    screening_id: str
    site: str
    arrived_at: datetime
    held: bool


def over(database: Database, now: datetime, site: str | None = None) -> list[Over]:
    """Screenings whose site has a time that is over, the oldest first; of one site, if given.

    Time runs from when the broker has the opening: a van's clock may be wrong, and nobody's frames may go before their
    time because of that. What is erased already is not among them.
    """
    query = text(
        "SELECT o.screening_id, o.site_code, o.at_ms, "
        "EXISTS (SELECT 1 FROM hold h WHERE h.site_code = o.site_code) AS held "
        "FROM opening o JOIN retention r ON r.site_code = o.site_code "
        "WHERE o.at_ms <= :now_ms - r.days * :day_ms AND (:site IS NULL OR o.site_code = :site) "
        "AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.screening_id = o.screening_id) "
        "ORDER BY o.at_ms, o.screening_id"
    ).bindparams(
        bindparam("now_ms", type_=BigInteger), bindparam("day_ms", type_=BigInteger), bindparam("site", type_=Text)
    )
    asked = {"now_ms": int(now.timestamp() * 1000), "day_ms": _DAY_MS, "site": site}
    with database.writing() as connection:
        rows = connection.execute(query, asked).all()
    return [
        Over(row.screening_id, row.site_code, datetime.fromtimestamp(row.at_ms / 1000, UTC), bool(row.held))
        for row in rows
    ]


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _check(site: str, by: str, because: str) -> None:
    for kind, value, told in ((SiteCode, site, "site-7"), (OperatorCode, by, "op-7")):
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError:
            raise InvalidRecord("option_invalid", f"{value!r} is no code such as {told}") from None
    if not _CODE.fullmatch(because):
        raise InvalidRecord(
            "option_invalid", f"{because!r} is no code: small letters and underscores, such as litigation"
        )
