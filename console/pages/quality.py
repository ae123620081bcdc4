"""Is the network still right: agreement with blind readers, what drifts, frames to look at; each with its cases."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from sonovan.clinical.quality.agreement import LEAST_DICE, LEAST_IOU
from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import as_moment, asked_of, figures_page, her, moment, named, plain, yes
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import OVERSIGHT
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.contracts.quality import FEATURES, Window
from sonovan.reports.plots import Bar, Interval, Point, bar_plot, interval_plot, window_plot
from sonovan.reports.quality import FEATURE_TEXTS, FLAG_TEXTS, SHOWN_DAYS, SHOWN_WINDOWS, VERDICTS
from sonovan.storage.catalogue.measured import cases, seen_within, windows
from sonovan.storage.catalogue.operations import Rows, flags, measured

if TYPE_CHECKING:
    from sonovan.console.world import Console

_LONGEST: Final = 300


async def quality(console: "Console", asked: Asked) -> Response:
    """How far outlines agree with blind readers', what drifts, and the frames that somebody should look at."""
    sites = asked.person.sites
    found = await asked_of(console, measured)
    flagged = await asked_of(console, flags, sites)
    if asked.query.get("as") == "csv":
        return (
            csv_of("flags", *plain(flagged)) if asked.query.get("of") == "flags" else csv_of("quality", *plain(found))
        )
    words = console.words[asked.language]
    names = ("stratum", "verdict", "dice", "iou", "screenings", "drifts", "at")
    rows = tuple(
        (
            Cell(_stratum(row, words), _of(row)), Cell(_verdict(row, words)), Cell(_interval(row, "dice")),
            Cell(_interval(row, "iou")), cell(row["screenings"], f"{_of(row)}#case-0"),
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
    plots += [_by_day(flagged, words)] if flagged else []
    return figures_page(
        console, asked, words.say("quality_title"),
        (
            (words.say("quality_agreement"), Shown(named("quality", names, words), rows, "stratum")),
            (words.say("quality_flags"), Shown(named("flag", flag_names, words), flag_rows, "flag")),
        ),
        hints=(words.say("quality_hint"),), plots=plots,
        links=((words.say("table_csv"), "/quality?as=csv"), (words.say("flag_csv"), "/quality?as=csv&of=flags")),
    )  # fmt: skip


async def one(console: "Console", asked: Asked) -> Response:
    """One network, van or scanner: its windows as plots and rows, and the cases behind its agreement. Query: stratum,
    window (whose screenings are shown)."""
    name, number = asked.query.get("stratum"), asked.query.get("window")
    if len(name) > _LONGEST:
        raise Refused("filter", 400, name="stratum")
    if number and not number.isdecimal():
        raise Refused("filter", 400, name="window")
    stratum, told = await asked_of(console, windows, name)
    if stratum is None:
        raise Refused("missing", 404)
    found = await asked_of(console, cases, stratum, asked.person.sites)
    if asked.query.get("as") == "csv":
        return csv_of("cases", *plain(found))
    words, tables, own = console.words[asked.language], list[tuple[str, Shown]](), _of(stratum)
    chosen = next((each for each in told if str(each.number) == number), None)
    if chosen is not None:
        within = await asked_of(console, seen_within, stratum, chosen, asked.person.sites)
        tables.append((words.say("quality_within", number=chosen.number), _seen(within, words, asked)))
    tables.append((words.say("quality_windows"), _windows(told, own, words)))
    tables.append((words.say("quality_cases"), _cases(found, words, asked)))
    return figures_page(
        console, asked, _stratum(stratum, words), tables, hints=(words.say("quality_one_hint"),),
        links=(
            (words.say("cases_csv"), f"{own}&as=csv"), (words.say("quality_title"), "/quality"),
        ),
        plots=_drifts(told, words),
    )  # fmt: skip


def _of(row: Any) -> str:
    return f"/quality/of?{urlencode({'stratum': row['stratum']})}"


def _drifts(told: Sequence[Window], words: ConsoleWords) -> list[Markup]:
    """A plot of each feature that was tested in any window; a mark leads to its window's row."""
    made = []
    for feature in FEATURES:
        tested = [(at, each) for at, window in enumerate(told) for each in window.drifts if each.feature == feature]
        if not tested:
            continue
        points = [
            Point(
                number=told[at].number, value=each.median, href=f"#window-{at}", bad=each.drifted,
                title=words.text("window_title", number=told[at].number, value=each.median),
            )
            for at, each in tested
        ]  # fmt: skip
        last, title = tested[-1][1], words.text(FEATURE_TEXTS[feature])
        drawn = window_plot(points, last.low, last.high, title=title, windows=SHOWN_WINDOWS)
        made.append(Markup(drawn))  # noqa: S704 - the plot escapes whatever it is given
    return made


def _windows(told: Sequence[Window], own: str, words: ConsoleWords) -> Shown:
    names = ("number", "began", "ended", "screenings", "drifted")
    rows = tuple(
        (
            Cell(str(each.number), f"{own}&window={each.number}"), moment(each.began_at),
            moment(each.ended_at), Cell(str(each.screenings), f"{own}&window={each.number}"),
            _drifted(each, words),
        )
        for each in told
    )  # fmt: skip
    return Shown(named("window", names, words), rows, "window")


def _drifted(window: Window, words: ConsoleWords) -> Cell:
    if window.reference:
        return Cell(words.say("window_reference"))
    drifted = [words.text(FEATURE_TEXTS[each.feature]) for each in window.drifts if each.drifted]
    return Cell(words.text("semicolon").join(drifted) or "–", warn=bool(drifted))


def _cases(found: Rows, words: ConsoleWords, asked: Asked) -> Shown:
    names = ("screening", "frame", "reader", "at", "dice", "iou", "predicted")
    rows = tuple(
        (
            her(row["screening_id"], asked), cell(row["frame_index"]), cell(row["reader"]), moment(row["reviewed_at"]),
            cell(row["dice"], warn=row["dice"] is not None and row["dice"] < LEAST_DICE), cell(row["iou"]),
            cell(row["predicted_dice"]),
        )
        for row in found
    )  # fmt: skip
    return Shown(named("case", names, words), rows, "case")


def _seen(found: Rows, words: ConsoleWords, asked: Asked) -> Shown:
    rows = tuple((her(row["screening_id"], asked), moment(row["as_of"]), cell(row["frames"])) for row in found)
    return Shown(named("seen", ("screening", "at", "frames"), words), rows)


def _by_day(flagged: Rows, words: ConsoleWords) -> Markup:
    """How many frames were flagged on each day; a bar leads to the first of them. flagged: newest first."""
    days = groupby(enumerate(flagged), key=lambda each: as_moment(each[1]["as_of"]).date())
    counted = [(day, list(each)) for day, each in days]
    bars = [Bar(f"{day:%m-%d}", len(each), f"#flag-{each[0][0]}") for day, each in reversed(counted[:SHOWN_DAYS])]
    return Markup(bar_plot(bars, title=words.text("flags_by_day")))  # noqa: S704 - as above


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


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/quality", quality, roles=OVERSIGHT, audited="flags.seen", once=True, shown="quality", key="q"),
    door("GET", "/quality/of", one, roles=OVERSIGHT, audited="quality.cases_seen"),
)
