"""What leads and engineers look at: vans, figures of quality, networks."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from sonovan.clinical.quality.agreement import LEAST_DICE, LEAST_IOU
from sonovan.console.asked import Asked
from sonovan.console.doors import Door, door
from sonovan.console.figures import as_moment, figures_page, her, moment, plain, yes
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import Role
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.reports.plots import Interval, interval_plot
from sonovan.reports.quality import FEATURE_TEXTS, FLAG_TEXTS, VERDICTS
from sonovan.storage.catalogue.operations import Rows, flags, fleet, measured, networks

if TYPE_CHECKING:
    from sonovan.console.world import Console

T = TypeVar("T")

_SILENT_S: Final = 15 * 60
"""A van that was not heard for longer stands out; it reports every minute."""
_DAY_S: Final = 24 * 3600
_FULL_BYTES: Final = 20 * 10**9
_MIB: Final = 2**20
_LONGEST: Final = 64
_LOOKS: Final = frozenset({Role.LEAD, Role.ENGINEER})


async def vans(console: "Console", asked: Asked) -> Response:
    """Every van: when it was heard, what waits on it, its disk, clock and link."""
    sites = asked.person.sites
    found = await _asked(console, fleet, sites)
    if asked.query.get("as") == "csv":
        return csv_of("vans", *plain(found))
    words, now = console.words[asked.language], console.now
    names = (
        "van", "heard", "link", "waiting", "oldest", "held", "rejected", "unfinished", "disk", "clock", "version",
        "screenings", "faults",
    )  # fmt: skip
    rows = tuple(_van(row, words, now) for row in found)
    return figures_page(
        console, asked, words.say("fleet_title"), (("", Shown(_named("van", names, words), rows)),),
        hints=(words.say("fleet_hint"),), links=((words.say("table_csv"), "/fleet?as=csv"),),
    )  # fmt: skip


async def quality(console: "Console", asked: Asked) -> Response:
    """How far outlines agree with blind readers', what drifts, and the frames that somebody should look at."""
    sites = asked.person.sites
    found = await _asked(console, measured)
    flagged = await _asked(console, flags, sites)
    if asked.query.get("as") == "csv":
        return (
            csv_of("flags", *plain(flagged)) if asked.query.get("of") == "flags" else csv_of("quality", *plain(found))
        )
    words = console.words[asked.language]
    names = ("stratum", "verdict", "dice", "iou", "screenings", "drifts", "at")
    rows = tuple(
        (
            Cell(_stratum(row, words)), Cell(_verdict(row, words)), Cell(_interval(row, "dice")),
            Cell(_interval(row, "iou")), cell(row["screenings"]),
            cell(None) if row["drifts"] is None else yes(row["drifts"], words, warn=bool(row["drifts"])),
            moment(row["as_of"]),
        )
        for row in found
    )  # fmt: skip
    flag_names = ("at", "screening", "frame", "van", "model", "because", "value")
    flag_rows = tuple(
        (
            moment(row["as_of"]), her(row["screening_id"], asked), cell(row["frame_index"]), cell(row["van_id"]),
            cell(row["model_id"]), Cell(_flag(row, words)), cell(row["value"]),
        )
        for row in flagged
    )  # fmt: skip
    plots = [_plot(found, which, words) for which in ("dice", "iou")] if found else []
    return figures_page(
        console, asked, words.say("quality_title"),
        (
            (words.say("quality_agreement"), Shown(_named("quality", names, words), rows, "stratum")),
            (words.say("quality_flags"), Shown(_named("flag", flag_names, words), flag_rows)),
        ),
        hints=(words.say("quality_hint"),), plots=plots,
        links=((words.say("table_csv"), "/quality?as=csv"), (words.say("flag_csv"), "/quality?as=csv&of=flags")),
    )  # fmt: skip


async def models(console: "Console", asked: Asked) -> Response:
    """Each network: of which screenings it is the one that counts, and how far blind readers agree with it."""
    found = await _asked(console, networks)
    if asked.query.get("as") == "csv":
        return csv_of("models", *plain(found))
    words = console.words[asked.language]
    names = ("model", "fingerprint", "screenings", "first", "newest", "shadow_frames", "blind_reviews", "dice", "iou")
    rows = tuple(
        (
            Cell(str(row["model_id"]), "/quality"), Cell(str(row["fingerprint"])[:16]), cell(row["screenings"]),
            moment(row["first_at"]), moment(row["newest_at"]), cell(row["shadow_frames"]), cell(row["blind_reviews"]),
            _figure(row["dice"]), _figure(row["iou"]),
        )
        for row in found
    )  # fmt: skip
    return figures_page(
        console, asked, words.say("models_title"),
        (("", Shown(_named("model", names, words), rows)),), hints=(words.say("models_hint"),),
        links=((words.say("table_csv"), "/models?as=csv"),),
    )  # fmt: skip


async def _asked(console: "Console", query: Callable[..., T], *given: object) -> T:
    """What a query says that takes a connection to the catalogue and these values."""

    def ask() -> T:
        with console.catalogue.reading() as connection:
            return query(connection, *given)

    return await asyncio.to_thread(ask)


def _van(row: Any, words: ConsoleWords, now: datetime) -> tuple[Cell, ...]:
    heard = None if row["reported_at"] is None else as_moment(row["reported_at"])
    ago = None if heard is None else max(0, round((now - heard).total_seconds()))
    link, disk, clock = row["link_bits_per_s"], row["disk_free_bytes"], row["clock_ahead_s"]
    waiting = None if row["waiting"] is None else f"{row['waiting']} ({row['waiting_bytes'] / _MIB:.0f} MiB)"
    metered = words.say("van_metered") if row["metered"] else ""
    return (
        Cell(row["van_id"], f"/worklist?{urlencode({'queue': 'waiting', 'van': row['van_id']})}"),
        Cell(_heard(heard, ago, words), warn=ago is None or ago > _SILENT_S),
        Cell("–" if link is None else f"{link / 1000:.0f} kbit/s {metered}"),
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


def _plot(found: Rows, which: str, words: ConsoleWords) -> Markup:
    bound = LEAST_DICE if which == "dice" else LEAST_IOU
    intervals = [
        Interval(
            label=_stratum(row, words)[:48], mean=row[which], low=row[f"{which}_low"], high=row[f"{which}_high"],
            href=f"#stratum-{number}", solid=row["verdict"] not in (None, "too_few"), bad=row["verdict"] == "missed",
        )
        for number, row in enumerate(found)
    ]  # fmt: skip
    title = words.text("mean_dice_title" if which == "dice" else "mean_iou_title")
    drawn = interval_plot(intervals, bound, title=title, bound_label=words.text("bound", value=bound))
    return Markup(drawn)  # noqa: S704 - the plot escapes whatever it is given


def _stratum(row: Any, words: ConsoleWords) -> str:
    organ = words.lexicon(f"organ.{row['organ']}")
    parts = [words.text("about_network", model_id=row["model_id"], organ=organ)]
    parts += [words.text("about_van", van_id=row["van_id"])] if row["van_id"] else []
    scanner = " ".join(each for each in (row["manufacturer"], row["scanner_model"]) if each)
    return " · ".join([*parts, *([scanner] if scanner else [])])


def _verdict(row: Any, words: ConsoleWords) -> str:
    if row["verdict"] not in VERDICTS:
        return "–"
    return words.text(VERDICTS[row["verdict"]], needed=row["needed"], screenings=row["screenings"])


def _flag(row: Any, words: ConsoleWords) -> str:
    feature = words.text(FEATURE_TEXTS[row["feature"]]) if row["feature"] in FEATURE_TEXTS else str(row["feature"])
    return words.text(FLAG_TEXTS[row["because"]], feature=feature) if row["because"] in FLAG_TEXTS else row["because"]


def _interval(row: Any, which: str) -> str:
    mean, low, high = (row[f"{which}{end}"] for end in ("", "_low", "_high"))
    return "–" if mean is None else f"{mean:.3f}" + ("" if low is None else f" ({low:.3f}–{high:.3f})")


def _figure(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{float(value):.3f}")


def _named(prefix: str, names: Sequence[str], words: ConsoleWords) -> tuple[str, ...]:
    return tuple(words.say(f"{prefix}_{each}") for each in names)


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/quality", quality, roles={Role.LEAD, Role.ENGINEER}, audited="flags.seen", once=True,
         shown="quality", key="q"),
    door("GET", "/models", models, roles=_LOOKS, shown="models", key="m"),
    door("GET", "/fleet", vans, roles=_LOOKS, shown="fleet", key="f"),
)  # fmt: skip
