"""Figures of the programme, each with the screenings behind it: by van, over the screenings opened in some days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from sonovan.storage.catalogue.bound import as_stored, bound, rows_of_query
from sonovan.storage.catalogue.views_work import WORK_FIGURES, work_by

FIGURES: Final[Mapping[str, str]] = {
    "opened": "true",
    "scanned": "closed_at IS NOT NULL",
    "signed": "signed_at IS NOT NULL",
    "recalled": "recalled",
    "attended": "recalled AND attended_on IS NOT NULL",
    "biopsied": "biopsied",
    "cancers": "cancer",
    "cancers_recalled": "recalled AND cancer",
    "interval_cancers": "interval_cancer",
}
"""Figure → which rows of the view `programme` it counts."""
MOST_ROWS: Final = 5000
DUE_ROWS: Final = 1000

_COLUMNS: Final = (
    "screening_id", "site_code", "van_id", "opened_at", "closed_at", "status", "signed_at", "reader", "action",
    "bi_rads", "ti_rads", "c_tirads", "recalled", "attended_on", "biopsied", "cancer", "benign", "interval_cancer",
)  # fmt: skip
_USUAL_COLUMNS: Final = ("screening_id", "site_code", "van_id", "organ", "opened_at", "signed_at", "reader")
_DUE_COLUMNS: Final = (
    "screening_id", "site_code", "van_id", "organ", "laterality", "months", "signed_at", "reader", "came_again",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """Which screenings count. sites: those that the account may see; None is every one. opened: from, and before."""

    sites: frozenset[str] | None
    opened: tuple[datetime, datetime]
    van: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the names of their columns. cut: there are more."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    cut: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of one van, or of all of them (van_id None)."""

    van_id: str | None
    counts: Mapping[str, int]

    @property
    def ppv1(self) -> float | None:
        """Cancers among those who were recalled; None where nobody was. Source: ACR BI-RADS Atlas, 5th ed. (2013),
        follow-up and outcome monitoring."""
        return _share(self.counts["cancers_recalled"], self.counts["recalled"])

    @property
    def ppv3(self) -> float | None:
        """Cancers among those who were biopsied; None where nobody was. Source: as of `ppv1`."""
        return _share(self.counts["cancers"], self.counts["biopsied"])

    @property
    def recall_rate(self) -> float | None:
        """Those who were recalled among those whose screening was signed."""
        return _share(self.counts["recalled"], self.counts["signed"])

    @property
    def cancers_per_1000(self) -> float | None:
        """Cancers that were found after a recall, among a thousand who were scanned."""
        found = _share(self.counts["cancers_recalled"], self.counts["scanned"])
        return None if found is None else 1000 * found


@dataclass(frozen=True, slots=True)
class Work:
    """How vans and operators screen, by organ: rows as of the views `van_work` and `operator_work`."""

    vans: Sequence[Mapping[str, Any]]
    operators: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Participation:
    """How many of the women whom a site invited for an organ were scanned, over some months.

    invited: None where nobody said how many. scanned: women, in all of these months. answered: of them those who were
    scanned in a month of which it is known how many were invited.
    """

    site_code: str
    organ: str
    invited: int | None
    scanned: int
    answered: int

    @property
    def share(self) -> float | None:
        """Scanned among invited, of the months of which both are known."""
        return None if self.invited is None else _share(self.answered, self.invited)


def figures(connection: Connection, scope: Scope) -> list[Figures]:
    """The figures of all vans together, then of each van."""
    counted = ", ".join(f"sum(CASE WHEN {each} THEN 1 ELSE 0 END) AS {name}" for name, each in FIGURES.items())
    where, given = _where(connection, scope)
    query = f"SELECT van_id, {counted} FROM programme WHERE {where} GROUP BY van_id ORDER BY van_id"
    vans = [
        Figures(row["van_id"], {name: int(row[name]) for name in FIGURES})
        for row in rows_of_query(connection, query, given)
    ]
    return [Figures(None, {name: sum(each.counts[name] for each in vans) for name in FIGURES}), *vans]


def rows_behind(connection: Connection, figure: str, scope: Scope) -> Table:
    """The screenings that a figure counts, the newest first. Raises KeyError for a figure that there is not."""
    where, given = _where(connection, scope)
    query = (
        f"SELECT {', '.join(_COLUMNS)} FROM programme WHERE {where} AND ({FIGURES[figure]}) "
        "ORDER BY screening_id DESC LIMIT :limit"
    )
    given["limit"] = MOST_ROWS + 1
    rows = [tuple(row) for row in connection.execute(bound(query, given), given).all()]
    return Table(_COLUMNS, rows[:MOST_ROWS], len(rows) > MOST_ROWS)


def how_screened(connection: Connection, vans: Sequence[str], sites: frozenset[str] | None) -> Work:
    """How each of these vans and each operator of these sites (None: of every one) screens, over all screenings.

    Both are asked for in one query, for either reads every frame of the catalogue.
    """
    columns = ", ".join(("organ", *WORK_FIGURES))
    scope, given = "", {"vans": list(vans)}
    if sites is not None:
        scope, given["sites"] = "WHERE site_code IN :sites", sorted(sites)
    query = f"""
      WITH told AS MATERIALIZED (SELECT * FROM scanned_sides)
      SELECT van_id, CAST(NULL AS TEXT) AS site_code, CAST(NULL AS TEXT) AS operator, {columns}
      FROM ({work_by("van_id", "told")}) of_vans WHERE van_id IN :vans
      UNION ALL SELECT CAST(NULL AS TEXT), site_code, operator, {columns}
      FROM ({work_by("site_code, operator", "told")}) of_operators {scope}
      ORDER BY van_id, site_code, operator, organ
    """
    rows = rows_of_query(connection, query, given)
    return Work(
        vans=[row for row in rows if row["van_id"] is not None],
        operators=[row for row in rows if row["van_id"] is None],
    )


def due(connection: Connection, sites: frozenset[str] | None) -> Table:
    """Who was asked for ultrasound again after some months and was not screened since, with the day from which she is
    due; the longest overdue first."""
    scope, given = ("AND d.site_code IN :sites", {"sites": sorted(sites)}) if sites is not None else ("", {})
    columns = ", ".join(f"d.{name}" for name in _DUE_COLUMNS)
    query = (
        f"SELECT {columns}, w.slip_number FROM due d LEFT JOIN women w ON w.screening_id = d.screening_id "
        f"WHERE NOT d.came_again {scope}"
    )
    found = rows_of_query(connection, query, given)
    shown = ("slip_number", *_DUE_COLUMNS)
    rows = [(due_on(row["signed_at"], row["months"]).isoformat(), *(row[name] for name in shown)) for row in found]
    rows.sort(key=lambda row: (row[0], row[2]))
    return Table(("due_on", *shown), rows[:DUE_ROWS], len(rows) > DUE_ROWS)


def due_as_usual(connection: Connection, sites: frozenset[str] | None, months: Mapping[str, int], until: date) -> Table:
    """Whose next screening as usual is due by a day, and who did not come since; the longest overdue first.

    months: organ → after how many months a programme invites again; other organs have nobody. A woman is named by her
    slip and her screening's id alone.
    """
    columns = ", ".join(f"d.{name}" for name in _USUAL_COLUMNS)
    rows: list[tuple[Any, ...]] = []
    for organ, every in months.items():
        # The last days of a month may be due on one day: some more are asked for, and those due later left out.
        latest = due_on(until.isoformat(), -every) + timedelta(days=4)
        last = datetime.combine(latest, time(), UTC)
        given: dict[str, Any] = {"organ": organ, "most": DUE_ROWS + 1, "last": as_stored(connection, last)}
        scope = ""
        if sites is not None:
            scope, given["sites"] = "AND d.site_code IN :sites", sorted(sites)
        query = (
            f"SELECT {columns}, w.slip_number FROM due_as_usual d LEFT JOIN women w ON w.screening_id = d.screening_id "
            f"WHERE d.organ = :organ AND NOT d.came_again AND d.opened_at < :last {scope} "
            "ORDER BY d.opened_at, d.screening_id LIMIT :most"
        )
        for row in rows_of_query(connection, query, given):
            day = due_on(row["opened_at"], every)
            if day <= until:
                rows.append((day.isoformat(), *(row[name] for name in ("slip_number", *_USUAL_COLUMNS))))
    rows.sort(key=lambda row: (row[0], row[2]))
    return Table(("due_on", "slip_number", *_USUAL_COLUMNS), rows[:DUE_ROWS], len(rows) > DUE_ROWS)


def participation(connection: Connection, sites: frozenset[str] | None, first: date, last: date) -> list[Participation]:
    """By site and organ, over every month that has a day between these two."""
    scope = ""
    given: dict[str, Any] = {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}"}
    if sites is not None:
        scope, given["sites"] = "AND site_code IN :sites", sorted(sites)
    query = (
        "SELECT site_code, organ, sum(invited) AS invited, sum(scanned) AS scanned, "
        "sum(CASE WHEN invited IS NULL THEN 0 ELSE scanned END) AS answered FROM participation "
        f"WHERE month >= :first AND month <= :last {scope} GROUP BY site_code, organ ORDER BY site_code, organ"
    )
    return [
        Participation(
            row["site_code"], row["organ"], None if row["invited"] is None else int(row["invited"]),
            int(row["scanned"]), int(row["answered"]),
        )
        for row in rows_of_query(connection, query, given)
    ]  # fmt: skip


def due_on(signed_at: datetime | str, months: int) -> date:
    """The day so many months after a moment, or before it; the last day of a month that is shorter."""
    day = (datetime.fromisoformat(signed_at) if isinstance(signed_at, str) else signed_at).date()
    years, month = divmod(day.month - 1 + months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(day.year + years, month + 1, last)
        except ValueError:
            continue
    return date(day.year + years, month + 1, min(day.day, 28))


def _share(part: int, of: int) -> float | None:
    return part / of if of else None


def _where(connection: Connection, scope: Scope) -> tuple[str, dict[str, Any]]:
    begins, ends = (as_stored(connection, each) for each in scope.opened)
    wanted = ["opened_at >= :begins", "opened_at < :ends"]
    given: dict[str, Any] = {"begins": begins, "ends": ends}
    if scope.sites is not None:
        wanted.append("site_code IN :sites")
        given["sites"] = sorted(scope.sites)
    if scope.van is not None:
        wanted.append("van_id = :van")
        given["van"] = scope.van
    return " AND ".join(wanted), given
