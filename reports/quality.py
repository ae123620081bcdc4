"""The page of quality, in every language at once: agreement, drift, what to look at, how vans screen.

One file without script or anything from elsewhere. Each plot's marks lead to rows of the tables on the page, and each
table says where its rows are from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sonovan.clinical.quality.agreement import LEAST_DICE, LEAST_IOU
from sonovan.contracts.quality import (
    FEATURES,
    Agreement,
    AgreementVerdict,
    Drift,
    Feature,
    Flagged,
    FlagReason,
    QualityMeasured,
    Stratum,
    Window,
)
from sonovan.reports.page import ENVIRONMENT
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.plots import Bar, Interval, Point, bar_plot, interval_plot, window_plot
from sonovan.reports.strata import stratum_words
from sonovan.reports.words import Words

SHOWN_WINDOWS: Final = 12
SHOWN_FLAGS: Final = 200
SHOWN_DAYS: Final = 15
SHOWN_STRATA: Final = 40
"""Scanners on vans whose windows are drawn, the ones that drift first; the rest is counted."""

VERDICTS: Final[Mapping[AgreementVerdict, str]] = {
    "too_few": "verdict_too_few", "met": "verdict_met", "unclear": "verdict_unclear", "missed": "verdict_missed",
}  # fmt: skip
FEATURE_TEXTS: Final[Mapping[Feature, str]] = {
    "brightness": "feature_brightness", "sharpness": "feature_sharpness", "refused": "feature_refused",
    "regions": "feature_regions", "region_size": "feature_region_size", "score": "feature_score",
    "predicted": "feature_predicted",
}  # fmt: skip
FLAG_TEXTS: Final[Mapping[FlagReason, str]] = {
    "predicted_low": "flag_predicted_low", "outside_reference": "flag_outside_reference",
}  # fmt: skip
WORK_COLUMNS: Final[Mapping[str, str]] = {
    "screenings": "work_screenings", "sides": "work_sides", "coverage": "work_coverage", "adequacy": "work_adequacy",
    "seconds_per_side": "work_seconds", "sweeps_per_side": "work_sweeps", "rescans_per_side": "work_rescans",
    "refused_share": "work_refused",
}  # fmt: skip
_SHARES: Final = ("coverage", "adequacy", "refused_share")

WORK_QUERY: Final = "SELECT * FROM van_work ORDER BY van_id, organ"
OPERATOR_QUERY: Final = "SELECT * FROM operator_work ORDER BY site_code, operator, organ"
"""What the last two tables show; `sonovan query` gives the same rows."""
MEASURED_QUERY: Final = "SELECT * FROM quality_measurements ORDER BY as_of"
FLAGS_QUERY: Final = "SELECT * FROM flags ORDER BY as_of DESC"
"""What the other tables show, in the catalogue."""

Work = Sequence[Mapping[str, Any]]
"""Rows of the catalogue's views `van_work` and `operator_work`."""


@dataclass(frozen=True, slots=True)
class Watched:
    """All windows of one scanner on one van."""

    stratum: Stratum
    windows: tuple[tuple[datetime, Window], ...]

    @property
    def drifted(self) -> tuple[Drift, ...]:
        """What drifted in its newest window."""
        return tuple(each for each in self.windows[-1][1].drifts if each.drifted)

    def points(self, feature: Feature) -> list[tuple[int, Drift]]:
        """(place among its windows, figures) of every window in which the feature was tested."""
        return [(at, drift) for at, (_, window) in enumerate(self.windows) for drift in window.drifts
                if drift.feature == feature]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """What the page shows: the newest agreement of each stratum, all windows, and what was flagged, newest first."""

    records: int
    newest: datetime | None
    agreements: tuple[tuple[datetime, Stratum, Agreement], ...]
    watched: tuple[Watched, ...]
    flagged: tuple[tuple[datetime, Stratum, Flagged], ...]


def figures_of(records: Iterable[QualityMeasured]) -> Figures:
    """The figures in these records, in any order; one that stands twice counts once."""
    agreements: dict[str, tuple[datetime, Stratum, Agreement]] = {}
    windows: dict[str, dict[tuple[datetime, int], Window]] = {}
    strata: dict[str, Stratum] = {}
    flagged: dict[tuple[datetime, str, Flagged], tuple[datetime, Stratum, Flagged]] = {}
    count, newest = 0, None
    for record in records:
        name, at = record.stratum.name, record.as_of
        count, newest = count + 1, at if newest is None else max(at, newest)
        strata[name] = record.stratum
        if record.agreement is not None and (name not in agreements or agreements[name][0] <= at):
            agreements[name] = (at, record.stratum, record.agreement)
        if record.window is not None:
            windows.setdefault(name, {})[at, record.window.number] = record.window
        for each in record.flagged:
            flagged[at, name, each] = (at, record.stratum, each)
    watched = [
        Watched(strata[name], tuple((at, window) for (at, _), window in sorted(found.items(), key=lambda one: one[0])))
        for name, found in windows.items()
    ]
    levels = ("network", "van", "scanner", "source")
    return Figures(
        count,
        newest,
        tuple(sorted(agreements.values(), key=lambda each: (levels.index(each[1].level), each[1].name))),
        tuple(sorted(watched, key=lambda each: (-len(each.drifted), each.stratum.name))),
        tuple(sorted(flagged.values(), key=lambda each: (each[0], each[2].screening_id), reverse=True)),
    )


def render_quality(figures: Figures, work: Work | None, made_at: datetime, operators: Work = ()) -> bytes:
    """The page, UTF-8; equal arguments give equal bytes.

    work: how vans screen; None where there is no catalogue to ask. operators: how each operator does.
    """
    parts = [_Part(language, figures, work) for language in LANGUAGES]
    template = ENVIRONMENT.get_template("quality.html")
    page = template.render(
        parts=parts,
        figures=figures,
        made_at=made_at,
        work=work,
        query=WORK_QUERY,
        operators=operators,
        operator_query=OPERATOR_QUERY,
        measured=MEASURED_QUERY,
        looked_at=FLAGS_QUERY,
        strata=SHOWN_STRATA,
        windows=SHOWN_WINDOWS,
        flags=SHOWN_FLAGS,
    )
    return page.encode()


class _Part:
    """The page in one language, as the template asks for it."""

    def __init__(self, language: Language, figures: Figures, work: Work | None) -> None:
        self.words, self.language, self._figures, self._work = Words(language), language, figures, work

    def of(self, stratum: Stratum) -> str:
        """What a figure is of."""
        return stratum_words(stratum, self.words)

    def verdict(self, found: Agreement) -> str:
        """What is said of the agreement."""
        return self.words.text(VERDICTS[found.verdict], needed=found.needed, screenings=found.screenings)

    def feature(self, feature: Feature) -> str:
        """What a feature is called."""
        return self.words.text(FEATURE_TEXTS[feature])

    def why(self, found: Flagged) -> str:
        """Why a frame is flagged."""
        return self.words.text(FLAG_TEXTS[found.because], feature=self.feature(found.feature))

    def plot(self, which: str) -> str:
        """The agreement's Dice or IoU, as SVG."""
        bound = LEAST_DICE if which == "dice" else LEAST_IOU
        title = self.words.text("mean_dice_title") if which == "dice" else self.words.text("mean_iou_title")
        intervals = [
            Interval(
                label=self._short(stratum),
                mean=getattr(found, which),
                low=getattr(found, f"{which}_low"),
                high=getattr(found, f"{which}_high"),
                href=f"#{self.language}-agreement-{number}",
                solid=found.verdict != "too_few",
                bad=found.verdict != "too_few" and (getattr(found, f"{which}_high") or 0) < bound,
            )
            for number, (_, stratum, found) in enumerate(self._figures.agreements[:SHOWN_STRATA])
        ]
        return interval_plot(intervals, bound, title=title, bound_label=self.words.text("bound", value=bound))

    def drift_plots(self, number: int, watched: Watched) -> list[str]:
        """A plot of each feature that was tested in any window."""
        found = []
        for feature in FEATURES:
            points = watched.points(feature)
            if not points:
                continue
            drawn = [
                Point(
                    number=watched.windows[at][1].number,
                    value=drift.median,
                    href=f"#{self.language}-window-{number}-{at}",
                    title=self.words.text("window_title", number=watched.windows[at][1].number, value=drift.median),
                    bad=drift.drifted,
                )
                for at, drift in points
            ]
            last = points[-1][1]
            title = self.feature(feature)
            found.append(window_plot(drawn, last.low, last.high, title=title, windows=SHOWN_WINDOWS))
        return found

    def standing(self, watched: Watched) -> str:
        """How a scanner on a van stands now."""
        newest = watched.windows[-1][1]
        if newest.reference:
            return self.words.text("standing_reference", number=newest.number)
        names = self.words.text("semicolon").join(self.feature(each.feature) for each in watched.drifted)
        return self.words.text("standing_drift", features=names) if names else self.words.text("standing_alike")

    def flag_plot(self) -> str:
        """How many frames were flagged on each day."""
        days: dict[date, tuple[int, int]] = {}
        for number, (at, _, _) in enumerate(self._figures.flagged):
            first, count = days.get(at.date(), (number, 0))
            days[at.date()] = (first, count + 1)
        bars = [
            Bar(f"{day:%m-%d}", count, f"#{self.language}-flag-{first if first < SHOWN_FLAGS else 'more'}")
            for day, (first, count) in sorted(days.items())[-SHOWN_DAYS:]
        ]
        return bar_plot(bars, title=self.words.text("flags_by_day"))

    def work_heading(self) -> list[str]:
        """The names of the last table's columns."""
        return [self.words.text(name) for name in WORK_COLUMNS.values()]

    def work_cells(self, row: Mapping[str, Any]) -> list[str]:
        """One row of the last table."""
        return [self._cell(name, row.get(name)) for name in WORK_COLUMNS]

    def organ(self, organ: str) -> str:
        """An organ's name."""
        return self.words.lexicon(f"organ.{organ}") or organ

    def _cell(self, name: str, value: Any) -> str:
        if value is None:
            return "–"
        if name in _SHARES:
            return f"{100 * float(value):.0f} %"
        return str(value) if isinstance(value, int) else f"{float(value):.1f}"

    def _short(self, stratum: Stratum) -> str:
        whole = self.of(stratum)
        return whole if len(whole) <= 48 else f"…{whole[-47:]}"


def decimals(value: float | None, places: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None else f"{value:.{places}f}"


ENVIRONMENT.filters["decimals"] = decimals
