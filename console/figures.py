"""The page of tables that leads and engineers look at, and the fields and days by which they choose."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.phrases import ConsoleWords
from sonovan.console.render import page
from sonovan.console.roles import CLINICAL
from sonovan.console.tables import Cell, Shown, cell

if TYPE_CHECKING:
    from sonovan.console.world import Console


AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a page's filter."""

    name: str
    value: str
    label: str = ""
    kind: str = "text"
    hidden: bool = False


def figures_page(
    console: "Console",
    asked: Asked,
    title: str,
    tables: Sequence[tuple[str, Shown]],
    *,
    hints: Sequence[str] = (),
    fields: Sequence[Field] = (),
    links: Sequence[tuple[str, str]] = (),
    plots: Sequence[object] = (),
) -> Response:
    """A page of tables. links: (text, address). plots: SVG that `reports.plots` drew, as Markup."""
    return page(
        console, asked, "figures.html",
        title=title, tables=tables, hints=hints, fields=fields, links=links, plots=plots,
    )  # fmt: skip


def days_of(asked: Asked, now: datetime, usual: int) -> tuple[date, date]:
    """The first and the last day that an address names; by default the last `usual` days. Raises Refused `filter`."""
    today = now.astimezone().date()
    found = []
    for name, otherwise in (("from", today - timedelta(days=usual - 1)), ("until", today)):
        try:
            found.append(date.fromisoformat(asked.query.get(name)) if asked.query.get(name) else otherwise)
        except ValueError:
            raise Refused("filter", 400, name=name) from None
    return found[0], found[1]


def span_of(first: date, last: date) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last one, by the clock on the console's wall. Raises
    Refused `filter` for days that no clock can hold."""
    try:
        begins, ends = (datetime.combine(each, time()).astimezone() for each in (first, last + timedelta(days=1)))
    except (OverflowError, ValueError):
        raise Refused("filter", 400, name="from") from None
    return begins, ends


def plain(found: Sequence[Mapping[str, Any]]) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Rows of the catalogue as a file of CSV has them: the names of their columns, and their values."""
    return (list(found[0]) if found else ["nothing"]), [list(row.values()) for row in found]


def her(screening_id: str | None, asked: Asked) -> Cell:
    """A screening, with the way to it for who may read."""
    if screening_id is None:
        return cell(None)
    return Cell(screening_id, f"/reading/{screening_id}" if asked.person.may(CLINICAL) else None)


def yes(value: object, words: ConsoleWords, *, warn: bool = False) -> Cell:
    """Yes or no."""
    return Cell(words.say("yes" if value else "no"), warn=warn)


def moment(value: Any) -> Cell:
    """A moment of the catalogue to the minute, by the clock on the console's wall."""
    return Cell("–" if value is None else f"{as_moment(value).astimezone():%Y-%m-%d %H:%M}")


def as_moment(value: Any) -> datetime:
    """A moment as the catalogue gives it: SQLite has text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


async def asked_of(console: "Console", query: Callable[..., AnswerT], *given: object) -> AnswerT:
    """What a query says that takes a connection to the catalogue and these values."""

    def ask() -> AnswerT:
        with console.catalogue.reading() as connection:
            return query(connection, *given)

    return await asyncio.to_thread(ask)


def named(prefix: str, names: Sequence[str], words: ConsoleWords) -> tuple[str, ...]:
    """The headings of a table: phrases `<prefix>_<name>`."""
    return tuple(words.say(f"{prefix}_{each}") for each in names)
