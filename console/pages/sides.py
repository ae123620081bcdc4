"""The sides behind the figures of how a van screens: those of all its screenings, the least well seen first."""

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
from sonovan.storage.catalogue.operations import MOST, scanned_sides

if TYPE_CHECKING:
    from sonovan.console.world import Console

_LONGEST: Final = 64
_COLUMNS: Final = ("screening", "opened", "side", "regions", "seen", "seen_well", "sweeps", "rescans", "seconds",
                   "frames", "refused")  # fmt: skip


async def sides(console: "Console", asked: Asked) -> Response:
    """Query: van, organ."""
    van, organ = asked.query.get("van"), asked.query.get("organ")
    if not van or len(van) > _LONGEST:
        raise Refused("filter", 400, name="van")
    if organ not in get_args(Organ):
        raise Refused("filter", 400, name="organ")
    found = await asked_of(console, scanned_sides, asked.person.sites, van, organ)
    if asked.query.get("as") == "csv":
        return csv_of("sides", *plain(found))
    words = console.words[asked.language]
    address = urlencode({"van": van, "organ": organ, "as": "csv"})
    cut = (words.say("table_cut", count=MOST),) if len(found) == MOST else ()
    return figures_page(
        console, asked, words.say("sides_title", van=van, organ=words.lexicon(f"organ.{organ}")),
        (("", Shown(named("sides", _COLUMNS, words), tuple(_row(row, words, asked) for row in found))),),
        hints=(words.say("sides_hint"), *cut),
        links=(
            (words.say("table_csv"), f"/statistics/sides?{address}"), (words.say("statistics_title"), "/statistics"),
        ),
    )  # fmt: skip


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
