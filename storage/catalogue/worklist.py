"""Read the worklist: a page of a queue, counts of all, what has changed, how long a van's visits take."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.catalogue.bound import as_stored, bound
from sonovan.storage.catalogue.queues import Policy, Queue, Row, condition_of, parameters, row_of

PAGE: Final = 50
COUNTED_TO: Final = 1000
"""Of a queue; where more stand in it, it is said to have more than so many."""
LATE_MS: Final = 10_000
"""A transaction may be seen so much later than it made its rows."""
_VISITS: Final = 20
_FEWEST: Final = 5
"""Of a van's newest visits the median is taken, if there are so many of the same day or the days before."""

_COLUMNS: Final = ", ".join(Row.__slots__)
_COUNTED: Final[tuple[Queue, ...]] = ("couch", "suspicious", "incomplete", "negatives", "overdue", "waiting")
_OF_SIGNED: Final[tuple[Queue, ...]] = ("changed", "signed", "second")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of a queue are shown.

    sites: those that the account may see; None is every one, and rows of which no site is known. The rest is what a
    person chose; opened: from, and before.
    """

    sites: frozenset[str] | None
    site: str | None = None
    van: str | None = None
    organ: str | None = None
    status: str | None = None
    opened: tuple[datetime, datetime] | None = None

    def takes(self, row: Row) -> bool:
        """Whether a row is shown."""
        chosen = (
            self.site in (None, row.site_code),
            self.van in (None, row.van_id),
            self.organ is None or (row.breast if self.organ == "breast" else row.thyroid),
            self.status is None or self.status == (row.status or "none"),
            self.opened is None or (row.opened_at is not None and self.opened[0] <= row.opened_at < self.opened[1]),
        )
        return all(chosen) and (self.sites is None or row.site_code in self.sites)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins behind it."""

    rank: float
    screening_id: str

    def __str__(self) -> str:
        return f"{self.rank!r}~{self.screening_id}"

    @classmethod
    def parse(cls, told: str) -> "Place":
        """From an address. Raises InvalidRecord `option_invalid`."""
        rank, _, screening_id = told.partition("~")
        try:
            return cls(float(rank), screening_id)
        except ValueError:
            raise InvalidRecord("option_invalid", "the address names no place of the worklist") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a queue in its order. behind: where the next page begins; None where this is the last."""

    rows: tuple[Row, ...]
    behind: Place | None


def page(
    connection: Connection,
    queue: Queue,
    chosen: Filter,
    policy: Policy,
    now: datetime,
    *,
    after: Place | None = None,
    mine: Collection[str] = (),
    limit: int = PAGE,
) -> Page:
    """Rows of a queue: the most suspicious first, then the oldest. mine: what the reader has claimed."""
    wanted, given = _where(connection, chosen, policy, now)
    if queue == "mine":
        wanted.append("screening_id IN :mine")
        given["mine"] = sorted(mine)
    else:
        wanted.append(condition_of(queue, policy))
    if after is not None:
        wanted.append("(rank, screening_id) > (:rank, :behind)")
        given |= {"rank": after.rank, "behind": after.screening_id}
    query = f"SELECT {_COLUMNS} FROM listed WHERE {' AND '.join(wanted)} ORDER BY rank, screening_id LIMIT :limit"
    found = connection.execute(bound(query, given), {**given, "limit": limit + 1}).mappings()
    rows = tuple(map(row_of, found))
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], Place(last.rank, last.screening_id))


def counts(connection: Connection, chosen: Filter, policy: Policy, now: datetime) -> dict[Queue, int]:
    """How many stand in each queue but `mine`, at most COUNTED_TO + 1 each."""
    wanted, given = _where(connection, chosen, policy, now)
    parts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM listed WHERE {' AND '.join([condition_of(queue, policy), *wanted])} "
        f"LIMIT {COUNTED_TO + 1}) q) AS {queue}"
        for queue in (*_COUNTED, *_OF_SIGNED)
    ]
    found = connection.execute(bound(f"SELECT {', '.join(parts)}", given), given).mappings().one()
    return {queue: int(found[queue]) for queue in (*_COUNTED, *_OF_SIGNED)}


def rows_of(connection: Connection, screening_ids: Iterable[str]) -> dict[str, Row]:
    """The rows of these screenings; those that there are."""
    ids = sorted(set(screening_ids))
    if not ids:
        return {}
    given = {"ids": ids}
    query = bound(f"SELECT {_COLUMNS} FROM listed WHERE screening_id IN :ids", given)
    found = connection.execute(query, given).mappings()
    return {row.screening_id: row for row in map(row_of, found)}


def changed_since(connection: Connection, since_ms: int) -> tuple[list[Row], int]:
    """Rows that were made since a moment of the database's clock, and the newest such moment (`since_ms` where there is
    none). A transaction may be seen up to LATE_MS behind one that made its rows later: ask again for so much before."""
    query = text(f"SELECT {_COLUMNS}, changed_ms FROM listed WHERE changed_ms >= :since")
    found = connection.execute(query, {"since": since_ms}).mappings().all()
    return [row_of(each) for each in found], max((int(each["changed_ms"]) for each in found), default=since_ms)


def newest_change(connection: Connection) -> int:
    """When the newest row was made; 0 where there is none."""
    return int(connection.execute(text("SELECT coalesce(max(changed_ms), 0) FROM listed")).scalar_one())


def visits_s(connection: Connection, vans: Collection[str]) -> dict[str, float]:
    """Van → how long a visit takes there from its opening until she leaves, or until its closing where nobody told when
    she left, in seconds: the median of its newest visits.

    A van that has closed too few is not in it.
    """
    found = {}
    query = text(
        "SELECT opened_at, coalesce(left_at, closed_at) AS ended_at FROM listed WHERE van_id = :van "
        f"AND opened_at IS NOT NULL AND closed_at IS NOT NULL AND NOT stays ORDER BY opened_at DESC LIMIT {_VISITS}"
    )
    for van in sorted(set(vans)):
        visits = [_seconds(each) for each in connection.execute(query, {"van": van}).mappings()]
        if len(visits) >= _FEWEST:
            found[van] = median(visits)
    return found


def heard_at(connection: Connection, vans: Collection[str]) -> dict[str, datetime]:
    """Van → when it reported last, by its own clock."""
    if not vans:
        return {}
    given = {"vans": sorted(vans)}
    rows = connection.execute(bound("SELECT van_id, reported_at FROM van_report WHERE van_id IN :vans", given), given)
    return {row.van_id: _as_moment(row.reported_at) for row in rows}


def choices(connection: Connection, sites: frozenset[str] | None) -> tuple[list[str], list[str]]:
    """The sites and vans that a filter may name, of those that the account may see."""
    scope, given = ("WHERE site_code IN :sites", {"sites": sorted(sites)}) if sites is not None else ("", {})
    query = f"SELECT DISTINCT site_code, van_id FROM listed {scope}"
    rows = connection.execute(bound(query, given), given).all()
    return sorted({row[0] for row in rows if row[0]}), sorted({row[1] for row in rows if row[1]})


def _where(connection: Connection, chosen: Filter, policy: Policy, now: datetime) -> tuple[list[str], dict[str, Any]]:
    """Conditions of the filter, and every parameter that they and conditions of queues name."""
    wanted, given = list[str](), parameters(policy, now, partial(as_stored, connection))
    if chosen.sites is not None:
        wanted.append("site_code IN :sites")
        given["sites"] = sorted(chosen.sites)
    for name, column, value in (("site", "site_code", chosen.site), ("van", "van_id", chosen.van)):
        if value is not None:
            wanted.append(f"{column} = :{name}")
            given[name] = value
    if chosen.organ is not None:
        wanted.append("breast" if chosen.organ == "breast" else "thyroid")
    if chosen.status is not None:
        wanted.append("coalesce(status, 'none') = :status")
        given["status"] = chosen.status
    if chosen.opened is not None:
        wanted.append("opened_at >= :opened_from AND opened_at < :opened_before")
        opened_from, opened_before = (as_stored(connection, each) for each in chosen.opened)
        given |= {"opened_from": opened_from, "opened_before": opened_before}
    return wanted, given


def _seconds(visit: RowMapping) -> float:
    return (_as_moment(visit["ended_at"]) - _as_moment(visit["opened_at"])).total_seconds()


def _as_moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
