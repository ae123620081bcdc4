"""What leads and engineers look at of vans: when each was heard, what waits on it, its disk, clock and link."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from sonovan.console.asked import Asked
from sonovan.console.doors import Door, door
from sonovan.console.figures import as_moment, asked_of, figures_page, named, plain
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import OVERSIGHT
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.storage.catalogue.operations import fleet

if TYPE_CHECKING:
    from sonovan.console.world import Console

_SILENT_S: Final = 15 * 60
"""A van that was not heard for longer stands out; it reports every minute."""
_DAY_S: Final = 24 * 3600
_FULL_BYTES: Final = 20 * 10**9
_MIB: Final = 2**20


async def vans(console: "Console", asked: Asked) -> Response:
    """Every van: when it was heard, what waits on it, its disk, clock and link."""
    sites = asked.person.sites
    found = await asked_of(console, fleet, sites)
    if asked.query.get("as") == "csv":
        return csv_of("vans", *plain(found))
    words, now = console.words[asked.language], console.now
    names = (
        "van", "heard", "link", "waiting", "oldest", "held", "rejected", "unfinished", "disk", "clock", "version",
        "screenings", "faults",
    )  # fmt: skip
    rows = tuple(_van(row, words, now) for row in found)
    return figures_page(
        console, asked, words.say("fleet_title"), (("", Shown(named("van", names, words), rows)),),
        hints=(words.say("fleet_hint"),), links=((words.say("table_csv"), "/fleet?as=csv"),),
    )  # fmt: skip


def _van(row: Any, words: ConsoleWords, now: datetime) -> tuple[Cell, ...]:
    heard = None if row["reported_at"] is None else as_moment(row["reported_at"])
    ago = None if heard is None else max(0, round((now - heard).total_seconds()))
    link, disk, clock = row["link_bits_per_s"], row["disk_free_bytes"], row["clock_ahead_s"]
    waiting = None if row["waiting"] is None else f"{row['waiting']} ({row['waiting_bytes'] / _MIB:.0f} MiB)"
    metered = words.text("brackets", text=words.say("van_metered")) if row["metered"] else ""
    return (
        Cell(row["van_id"], f"/worklist?{urlencode({'queue': 'waiting', 'van': row['van_id']})}"),
        Cell(_heard(heard, ago, words), warn=ago is None or ago > _SILENT_S),
        Cell("–" if link is None else f"{link / 1000:.0f} kbit/s{metered}"),
        cell(waiting),
        Cell("–" if row["oldest_s"] is None else words.say("van_since", minutes=row["oldest_s"] // 60)),
        cell(row["held"], warn=bool(row["held"])),
        cell(row["rejected"], f"/rejected?{urlencode({'van': row['van_id']})}", warn=bool(row["rejected"])),
        cell(row["unfinished"]),
        Cell("–" if disk is None else f"{disk / 10**9:.0f} GB", warn=disk is not None and disk < _FULL_BYTES),
        Cell("–" if clock is None else f"{clock:+.0f} s", warn=clock is not None and abs(clock) > 60),
        cell(row["version"]),
        cell(row["screenings"], f"/statistics?{urlencode({'van': row['van_id']})}"),
        cell(row["faults"], warn=bool(row["faults"])),
    )  # fmt: skip


def _heard(heard: datetime | None, ago: int | None, words: ConsoleWords) -> str:
    if heard is None or ago is None:
        return words.say("van_never")
    return words.say("van_ago", minutes=ago // 60) if ago < _DAY_S else f"{heard.astimezone():%Y-%m-%d %H:%M}"


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/fleet", vans, roles=OVERSIGHT, shown="fleet", key="f"),
)  # fmt: skip
