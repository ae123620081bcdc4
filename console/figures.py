"""The page of tables that leads and engineers look at, and the fields and days by which they choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.render import page
from sonovan.console.tables import Shown

if TYPE_CHECKING:
    from sonovan.console.world import Console


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
