"""Figures of the programme, by van and operator, each with what is behind it; who is due again; all of it as CSV."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import Field, asked_of, days_of, figures_page, moment, named, span_of
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import Role
from sonovan.console.tables import Cell, Shown, cell, csv_of, told
from sonovan.storage.catalogue.statistics import (
    FIGURES,
    Figures,
    Participation,
    Scope,
    Table,
    due,
    due_as_usual,
    figures,
    how_screened,
    participation,
    rows_behind,
)
from sonovan.storage.catalogue.views_work import WORK_FIGURES

if TYPE_CHECKING:
    from sonovan.console.world import Console

DAYS: Final = 90
"""Over which figures are shown unless other days are asked for."""
_LEADS: Final = frozenset({Role.LEAD})
_COUNTS: Final = tuple(name for name in FIGURES if name != "cancers_recalled")
_SHARES: Final = ("recall_rate", "ppv1", "ppv3", "cancers_per_1000")
_WORK: Final = tuple(WORK_FIGURES)
_OF_A_SIDE: Final = ("sweeps_per_side", "rescans_per_side")
_TOOK_PART: Final = ("site_code", "organ", "invited", "scanned", "answered")
_LONGEST: Final = 64
SOON_DAYS: Final = 31
"""Whose next screening as usual is due within so many days is listed."""


async def statistics(console: "Console", asked: Asked) -> Response:
    """The figures. Query: from, until (days), van; `as=csv` gives a file."""
    scope, days = _scope(console, asked)
    wanted = asked.query.get("of") if asked.query.get("as") == "csv" else None
    if wanted == "operators":
        work = await asked_of(console, how_screened, (), scope.sites)
        names = ("site_code", "operator", "organ", *_WORK)
        return csv_of("operators", names, [tuple(row[name] for name in names) for row in work.operators])
    first, last = (date.fromisoformat(days[each]) for each in ("from", "until"))
    took_part = await asked_of(console, participation, scope.sites, first, last)
    if wanted == "participation":
        return csv_of("participation", (*_TOOK_PART, "share"), [
            (*(getattr(each, name) for name in _TOOK_PART), each.share) for each in took_part
        ])  # fmt: skip
    found = await asked_of(console, figures, scope)
    if asked.query.get("as") == "csv":
        columns = ("van_id", *FIGURES, *_SHARES)
        rows = [
            (each.van_id or "all", *each.counts.values(), *(getattr(each, name) for name in _SHARES)) for each in found
        ]
        return csv_of("statistics", columns, rows)
    vans = [each.van_id for each in found if each.van_id is not None]
    work = await asked_of(console, how_screened, vans, scope.sites)
    words = console.words[asked.language]
    return figures_page(
        console, asked, words.say("statistics_title"),
        (
            (words.say("statistics_programme"), _programme(found, days, words)),
            (words.say("statistics_participation"), _took_part(took_part, words)),
            (words.say("statistics_adequacy"), _adequacy(work.vans, words)),
            (words.say("statistics_operators"), _operators(work.operators, words)),
        ),
        hints=tuple(words.say(each) for each in ("statistics_hint", "participation_hint", "operators_hint")),
        fields=_fields(asked, days, words),
        links=(
            (words.say("table_csv"), f"/statistics?{urlencode({**days, 'as': 'csv'})}"),
            (words.say("participation_csv"), f"/statistics?{urlencode({**days, 'as': 'csv', 'of': 'participation'})}"),
            (words.say("operators_csv"), "/statistics?as=csv&of=operators"),
            (words.say("due_title"), "/statistics/due"),
        ),
    )  # fmt: skip


async def rows(console: "Console", asked: Asked) -> Response:
    """The screenings behind a figure. Query: figure, and as of the statistics."""
    scope, days = _scope(console, asked)
    figure = asked.query.get("figure")
    if figure not in FIGURES:
        raise Refused("filter", 400, name="figure")
    found = await asked_of(console, rows_behind, figure, scope)
    if asked.query.get("as") == "csv":
        return csv_of(f"statistics-{figure}", found.columns, found.rows)
    words = console.words[asked.language]
    address = urlencode({"figure": figure, **days, "as": "csv"})
    return figures_page(
        console, asked, words.say(f"figure_{figure}"), (("", _listed(found, words)),),
        hints=(words.say("table_cut", count=len(found.rows)),) if found.cut else (),
        fields=(Field("figure", figure, hidden=True), *_fields(asked, days, words)),
        links=((words.say("table_csv"), f"/statistics/rows?{address}"), (words.say("statistics_title"), "/statistics")),
    )  # fmt: skip


async def due_list(console: "Console", asked: Asked) -> Response:
    """Who was asked to come again after some months and did not yet, and whose next screening as usual is due, the
    longest overdue first. Query: until (a day), `as=csv`, `of=usual`.
    """
    _, until = days_of(asked, console.now + timedelta(days=SOON_DAYS), 1)
    as_csv, of_usual = asked.query.get("as") == "csv", asked.query.get("of") == "usual"
    if not as_csv or of_usual:
        usual = await asked_of(console, due_as_usual, asked.person.sites, console.invites_months, until)
        if as_csv:
            return csv_of("due-as-usual", usual.columns, usual.rows)
    found = await asked_of(console, due, asked.person.sites)
    if as_csv:
        return csv_of("due", found.columns, found.rows)
    words = console.words[asked.language]
    today = console.now.astimezone().date().isoformat()
    every = words.text("comma").join(
        words.say("due_every", organ=words.lexicon(f"organ.{organ}"), months=months)
        for organ, months in console.invites_months.items()
    )
    cut = [words.say("table_cut", count=len(each.rows)) for each in (found, usual) if each.cut]
    return figures_page(
        console, asked, words.say("due_title"),
        (
            (words.say("due_asked"), _due_shown(found, words, today)),
            (words.say("due_usual"), _due_shown(usual, words, today)),
        ),
        hints=(
            words.say("due_hint"), words.say("due_usual_hint", every=every) if every else words.say("due_usual_unset"),
            *cut,
        ),
        fields=(Field("until", until.isoformat(), words.say("filter_until"), "date"),),
        links=(
            (words.say("table_csv"), "/statistics/due?as=csv"),
            (words.say("due_usual_csv"), f"/statistics/due?{urlencode({'until': until, 'as': 'csv', 'of': 'usual'})}"),
            (words.say("statistics_title"), "/statistics"),
        ),
    )  # fmt: skip


def _due_shown(found: Table, words: ConsoleWords, today: str) -> Shown:
    shown = tuple(each for each in found.columns if each != "came_again")
    made = [
        tuple(
            _cell(column, value, words, warn=column == "due_on" and value < today)
            for column, value in zip(found.columns, row, strict=True) if column in shown
        )
        for row in found.rows
    ]  # fmt: skip
    return Shown(named("column_of", shown, words), tuple(made))


def _scope(console: "Console", asked: Asked) -> tuple[Scope, dict[str, str]]:
    first, last = days_of(asked, console.now, DAYS)
    van = asked.query.get("van") or None
    if van is not None and len(van) > _LONGEST:
        raise Refused("filter", 400, name="van")
    days = {"from": first.isoformat(), "until": last.isoformat(), **({"van": van} if van else {})}
    return Scope(asked.person.sites, span_of(first, last), van), days


def _fields(asked: Asked, days: dict[str, str], words: ConsoleWords) -> tuple[Field, ...]:
    return (
        Field("from", days["from"], words.say("filter_from"), "date"),
        Field("until", days["until"], words.say("filter_until"), "date"),
        Field("van", asked.query.get("van"), words.say("filter_van")),
    )


def _programme(found: Sequence[Figures], days: dict[str, str], words: ConsoleWords) -> Shown:
    columns = ("van", *_COUNTS, *_SHARES)
    made = []
    for each in found:
        of_van = {**days, **({"van": each.van_id} if each.van_id else {})}
        counts = [
            Cell(str(each.counts[name]), "/statistics/rows?" + urlencode({"figure": name, **of_van}))
            for name in _COUNTS
        ]
        shares = [_share(each, name, of_van) for name in _SHARES]
        name = each.van_id or words.say("statistics_all")
        made.append((Cell(name), *counts, *shares))
    return Shown(named("figure", columns, words), tuple(made))


def _took_part(found: Sequence[Participation], words: ConsoleWords) -> Shown:
    columns = named("participation", ("site", "organ", "invited", "scanned", "share"), words)
    made = [
        (
            Cell(each.site_code), Cell(words.lexicon(f"organ.{each.organ}")),
            Cell(words.say("not_recorded") if each.invited is None else str(each.invited)), Cell(str(each.scanned)),
            Cell("–" if each.share is None else f"{100 * each.share:.1f} %"),
        )
        for each in found
    ]  # fmt: skip
    return Shown(columns, tuple(made))


def _share(found: Figures, name: str, of_van: dict[str, str]) -> Cell:
    value = getattr(found, name)
    figure = "recalled" if name == "recall_rate" else "cancers" if name == "ppv3" else "cancers_recalled"
    text = "–" if value is None else f"{value:.1f}" if name == "cancers_per_1000" else f"{100 * value:.1f} %"
    return Cell(text, "/statistics/rows?" + urlencode({"figure": figure, **of_van}))


def _adequacy(work: Sequence[Any], words: ConsoleWords) -> Shown:
    columns = named("work", ("van", "organ", *_WORK), words)
    made = [
        (
            Cell(row["van_id"], f"/worklist?{urlencode({'queue': 'incomplete', 'van': row['van_id']})}"),
            Cell(words.lexicon(f"organ.{row['organ']}")),
            *(_of_van(name, row) for name in _WORK),
        )
        for row in work
    ]
    return Shown(columns, tuple(made))


def _operators(work: Sequence[Any], words: ConsoleWords) -> Shown:
    columns = named("work", ("site", "operator", "organ", *_WORK), words)
    made = [
        (
            Cell(row["site_code"]), Cell(row["operator"]), Cell(words.lexicon(f"organ.{row['organ']}")),
            *(_of_operator(name, row) for name in _WORK),
        )
        for row in work
    ]  # fmt: skip
    return Shown(columns, tuple(made))


def _of_van(name: str, row: Any) -> Cell:
    behind = f"/statistics/sides?{urlencode({'van': row['van_id'], 'organ': row['organ']})}"
    return _work(name, row[name], behind)


def _of_operator(name: str, row: Any) -> Cell:
    of_whom = {"site": row["site_code"], "operator": row["operator"], "organ": row["organ"]}
    return _work(name, row[name], f"/statistics/sides?{urlencode(of_whom)}")


def _work(name: str, value: Any, behind: str) -> Cell:
    if value is None or name in ("screenings", "sides"):
        return cell(value, behind)
    if name in _OF_A_SIDE:
        return Cell(f"{float(value):.1f}", behind)
    return Cell(f"{float(value):.0f}" if name == "seconds_per_side" else f"{100 * float(value):.0f} %", behind)


def _listed(found: Table, words: ConsoleWords) -> Shown:
    columns = named("column_of", found.columns, words)
    made = [
        tuple(_cell(name, value, words) for name, value in zip(found.columns, row, strict=True)) for row in found.rows
    ]
    return Shown(columns, tuple(made))


def _cell(column: str, value: Any, words: ConsoleWords, *, warn: bool = False) -> Cell:
    if value is None:
        return cell(None)
    if column == "screening_id":
        return Cell(str(value), f"/reading/{value}")
    if column == "status":
        return Cell(words.say(f"status_{value}"))
    if column == "organ":
        return Cell(words.lexicon(f"organ.{value}"))
    if column == "laterality":
        return Cell(words.text(f"side_{value}"))
    if column == "action":
        return Cell(words.action(value))
    if column.endswith("_at"):
        return moment(value)
    if column in ("recalled", "biopsied", "cancer", "benign", "interval_cancer"):
        return Cell(words.say("yes") if value else words.say("no"))
    return Cell(told(value), warn=warn)


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/statistics", statistics, roles=_LEADS, shown="statistics", key="s"),
    door("GET", "/statistics/rows", rows, roles=_LEADS, audited="statistics.rows_seen"),
    door("GET", "/statistics/due", due_list, roles=_LEADS, audited="due.seen"),
)
