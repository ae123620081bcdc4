"""Figures of the programme, each with the screenings behind it: by van, over the screenings opened in some days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Text, TextClause, bindparam, text

from sonovan.storage.catalogue.changes import moment

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
"""Figure → which rows of the view `programme` it counts. Who was invited stands in no record."""
MOST_ROWS: Final = 5000
DUE_ROWS: Final = 1000

_COLUMNS: Final = (
    "screening_id", "site_code", "van_id", "opened_at", "closed_at", "status", "signed_at", "reader", "action",
    "bi_rads", "ti_rads", "c_tirads", "recalled", "attended_on", "biopsied", "cancer", "benign", "interval_cancer",
)  # fmt: skip
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


def figures(connection: Connection, scope: Scope) -> list[Figures]:
    """The figures of all vans together, then of each van."""
    counted = ", ".join(f"sum(CASE WHEN {each} THEN 1 ELSE 0 END) AS {name}" for name, each in FIGURES.items())
    where, given = _where(connection, scope)
    query = f"SELECT van_id, {counted} FROM programme WHERE {where} GROUP BY van_id ORDER BY van_id"
    vans = [
        Figures(row["van_id"], {name: int(row[name]) for name in FIGURES})
        for row in connection.execute(_bound(query, given), given).mappings()
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
    rows = [tuple(row) for row in connection.execute(_bound(query, given), given).all()]
    return Table(_COLUMNS, rows[:MOST_ROWS], len(rows) > MOST_ROWS)


def adequacy(connection: Connection, vans: Sequence[str]) -> list[Mapping[str, Any]]:
    """How each of these vans screens, by organ: rows of the view `van_work`, over all of its screenings."""
    query = text("SELECT * FROM van_work WHERE van_id IN :vans ORDER BY van_id, organ")
    rows = connection.execute(query.bindparams(_many("vans")), {"vans": list(vans)})
    return [dict(row) for row in rows.mappings()]


def operators(connection: Connection, sites: frozenset[str] | None) -> list[Mapping[str, Any]]:
    """How each operator screens, by site and organ: rows of the view `operator_work`, over all screenings."""
    scope, given = ("WHERE site_code IN :sites", {"sites": sorted(sites)}) if sites is not None else ("", {})
    query = f"SELECT * FROM operator_work {scope} ORDER BY site_code, operator, organ"
    return [dict(row) for row in connection.execute(_bound(query, given), given).mappings()]


def due(connection: Connection, sites: frozenset[str] | None) -> Table:
    """Who was asked for ultrasound again after some months and was not screened since, with the day from which she is
    due; the longest overdue first."""
    scope, given = ("AND site_code IN :sites", {"sites": sorted(sites)}) if sites is not None else ("", {})
    query = f"SELECT {', '.join(_DUE_COLUMNS)} FROM due WHERE NOT came_again {scope}"
    found = connection.execute(_bound(query, given), given).mappings()
    rows = [
        (due_on(row["signed_at"], row["months"]).isoformat(), *(row[name] for name in _DUE_COLUMNS)) for row in found
    ]
    rows.sort(key=lambda row: (row[0], row[1]))
    return Table(("due_on", *_DUE_COLUMNS), rows[:DUE_ROWS], len(rows) > DUE_ROWS)


def due_on(signed_at: datetime | str, months: int) -> date:
    """The day so many months after a moment; the last day of a month that is shorter."""
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
    plain = connection.dialect.name == "postgresql"
    first, last = scope.opened
    begins, ends = (first, last) if plain else (moment(first), moment(last))
    wanted = ["opened_at >= :begins", "opened_at < :ends"]
    given: dict[str, Any] = {"begins": begins, "ends": ends}
    if scope.sites is not None:
        wanted.append("site_code IN :sites")
        given["sites"] = sorted(scope.sites)
    if scope.van is not None:
        wanted.append("van_id = :van")
        given["van"] = scope.van
    return " AND ".join(wanted), given


def _bound(query: str, given: Mapping[str, Any]) -> TextClause:
    return text(query).bindparams(*([_many("sites")] if "sites" in given else []))


def _many(name: str) -> Any:
    return bindparam(name, type_=Text(), expanding=True)
