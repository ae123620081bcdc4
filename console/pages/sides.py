"""The sides behind the figures of how a van or an operator screens: of all screenings, the least well seen first."""

from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import asked_of, figures_page, her, moment, named, plain
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import Role
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.contracts.lexicon import Organ
from sonovan.storage.catalogue.operations import MOST, OfOperator, OfVan, scanned_sides

if TYPE_CHECKING:
    from sonovan.console.world import Console

_LONGEST: Final = 64
_COLUMNS: Final = ("screening", "opened", "side", "regions", "seen", "seen_well", "sweeps", "rescans", "seconds",
                   "frames", "refused")  # fmt: skip


async def sides(console: "Console", asked: Asked) -> Response:
    """Query: van, or site and operator; organ."""
    by, organ = _by(asked), asked.query.get("organ")
    if organ not in get_args(Organ):
        raise Refused("filter", 400, name="organ")
    found = await asked_of(console, scanned_sides, asked.person.sites, by, organ)
    if asked.query.get("as") == "csv":
        return csv_of("sides", *plain(found))
    words = console.words[asked.language]
    named_by = {"van": by.van_id} if isinstance(by, OfVan) else {"site": by.site_code, "operator": by.operator}
    who = by.van_id if isinstance(by, OfVan) else words.say("sides_operator", **named_by)
    alone = () if isinstance(by, OfVan) else (words.say("operators_hint"),)
    address = urlencode({**named_by, "organ": organ, "as": "csv"})
    cut = (words.say("table_cut", count=MOST),) if len(found) == MOST else ()
    return figures_page(
        console, asked, words.say("sides_title", who=who, organ=words.lexicon(f"organ.{organ}")),
        (("", Shown(named("sides", _COLUMNS, words), tuple(_row(row, words, asked) for row in found))),),
        hints=(words.say("sides_hint"), *alone, *cut),
        links=(
            (words.say("table_csv"), f"/statistics/sides?{address}"), (words.say("statistics_title"), "/statistics"),
        ),
    )  # fmt: skip


def _by(asked: Asked) -> OfVan | OfOperator:
    """Whose sides are asked for: an operator's where one is named, else a van's. Raises Refused for neither."""
    if asked.query.get("operator"):
        return OfOperator(_named(asked, "site"), _named(asked, "operator"))
    return OfVan(_named(asked, "van"))


def _named(asked: Asked, name: str) -> str:
    value = asked.query.get(name)
    if not value or len(value) > _LONGEST:
        raise Refused("filter", 400, name=name)
    return value


def _row(row: Any, words: ConsoleWords, asked: Asked) -> tuple[Cell, ...]:
    side = words.text(f"side_{row['laterality']}") if row["laterality"] else "–"
    return (
        her(row["screening_id"], asked), moment(row["opened_at"]), Cell(side), cell(row["regions"]),
        cell(row["regions_seen"], warn=row["regions_seen"] < row["regions"]),
        cell(row["regions_seen_well"], warn=row["regions_seen_well"] < row["regions"]), cell(row["sweeps"]),
        cell(row["rescans"]), Cell("–" if row["seconds"] is None else f"{row['seconds']:.0f}"), cell(row["frames"]),
        cell(row["frames_refused"]),
    )  # fmt: skip


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/statistics/sides", sides, roles={Role.LEAD}, audited="statistics.sides_seen"),
)
