"""How far each stage is behind each topic that it reads: the newest figures, and how they came about."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.responses import Response

from sonovan.console.asked import Asked
from sonovan.console.doors import Door, door
from sonovan.console.figures import figures_page, moment, named
from sonovan.console.lags import Measured
from sonovan.console.roles import OVERSIGHT
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.reports.plots import trend_plot
from sonovan.transport.lag import Lag

if TYPE_CHECKING:
    from sonovan.console.world import Console

_COLUMNS: Final = ("stage", "topic", "behind", "partitions", "most")
_BEFORE: Final = timedelta(minutes=10)
_FEW: Final = 100
"""So many records are no reason to look: they come and go."""


async def lag(console: "Console", asked: Asked) -> Response:
    """A row and a plot for each stage and topic."""
    kept, words = console.lags.kept, console.words[asked.language]
    newest = kept[-1].lags if kept else ()
    if asked.query.get("as") == "csv":
        return csv_of("lag", _COLUMNS, [[getattr(each, name) for name in _COLUMNS] for each in newest])
    rows = tuple(
        (
            Cell(each.stage), Cell(each.topic), cell(each.behind, warn=_grows(kept, each)), cell(each.partitions),
            cell(each.most), cell(_before(kept, each)),
        )
        for each in newest
    )  # fmt: skip
    plots = [_plot(kept, each, f"#lag-{number}") for number, each in enumerate(newest)]
    hints = [words.say("lag_hint"), words.say("lag_at", at=moment(kept[-1].at if kept else None).text)]
    hints += [words.say("lag_away")] if console.lags.failing or not kept else []
    return figures_page(
        console, asked, words.say("lag_title"),
        (("", Shown(named("lag", (*_COLUMNS, "before"), words), rows, "lag")),),
        hints=hints, links=((words.say("table_csv"), "/lag?as=csv"),), plots=plots,
    )  # fmt: skip


def _past(kept: Sequence[Measured], of: Lag) -> list[tuple[str, int]]:
    """The clock's time and the figure of each measurement that has this stage and topic."""
    return [
        (f"{one.at.astimezone():%H:%M}", each.behind)
        for one in kept
        for each in one.lags
        if (each.stage, each.topic) == (of.stage, of.topic)
    ]


def _before(kept: Sequence[Measured], of: Lag) -> int | None:
    """What it was ten minutes ago; None where the console did not run yet."""
    wanted = kept[-1].at - _BEFORE
    found = [one for one in kept if one.at <= wanted]
    past = [each.behind for each in found[-1].lags if (each.stage, each.topic) == (of.stage, of.topic)] if found else []
    return past[0] if past else None


def _grows(kept: Sequence[Measured], of: Lag) -> bool:
    before = _before(kept, of)
    return of.behind > _FEW and before is not None and of.behind > before


def _plot(kept: Sequence[Measured], of: Lag, href: str) -> Markup:
    drawn = trend_plot(_past(kept, of), title=f"{of.stage} ← {of.topic}", href=href)
    return Markup(drawn)  # noqa: S704 - the plot escapes whatever it is given


DOORS: Final[tuple[Door, ...]] = (door("GET", "/lag", lag, roles=OVERSIGHT, shown="lag", key="t"),)
