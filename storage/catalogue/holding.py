"""Legal holds, and for how long screenings of a site are kept: what people decide and no topic says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, insert, select, text

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.words import OperatorCode, SiteCode
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import HOLD, RETENTION

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


def over(database: Database, now: datetime) -> list[str]:
    """Screenings whose site has a time that is over, and that no hold keeps, the oldest first: what may be erased."""
    query = text(
        "SELECT o.screening_id, o.opened_at, r.days FROM opening o JOIN retention r ON r.site_code = o.site_code "
        "WHERE NOT EXISTS (SELECT 1 FROM hold h WHERE h.site_code = o.site_code) ORDER BY o.screening_id"
    )
    with database.writing() as connection:
        rows = connection.execute(query).all()
    return [row.screening_id for row in rows if (now - _moment(row.opened_at)).days >= row.days]


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


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
