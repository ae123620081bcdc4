"""The report as one self-contained HTML page: no script, no link, pictures inside."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from sonovan.contracts.results import Member
from sonovan.reports import details, dynamics
from sonovan.reports.amended import amended_words
from sonovan.reports.document import ScreeningReport
from sonovan.reports.maps import felt, maps_of, unplaced_side
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.recorded import answers, not_asked
from sonovan.reports.revised import outlined_by, promoted_words, reviewed_words
from sonovan.reports.words import Words

_PNG: Final = b"\x89PNG\r\n\x1a\n"

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("sonovan.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class KeyPictures:
    """One key frame twice, as PNG: plain, and with the outline. Both are of the same part, equally large."""

    plain: bytes
    outlined: bytes


@dataclass(frozen=True, slots=True)
class OwnPictures:
    """A whole frame on which a reader saw a finding that no network outlined, as PNG: plain, and equally large with
    what the reader drew on it; None where nothing was drawn."""

    plain: bytes
    drawn: bytes | None


def render_html(
    document: Mapping[str, Any],
    pictures: Mapping[Member, KeyPictures],
    contact: str | None = None,
    language: Language = "en",
    drawn: Mapping[Language, bytes] | None = None,
    marked: Mapping[str, bytes] | None = None,
) -> bytes:
    """The page of a report in one language, UTF-8; equal arguments give equal bytes. "Unsigned" stands in all of them.

    document: what `sonovan.reports.document.report_document` gave. pictures: a sighting's key region → its key frame;
    a sighting without one says so. contact: whom to ask, one line. drawn: language → PNG of "unsigned" in it, shown
    instead of the text, so that a machine without a font for another language than the page's shows no boxes. marked:
    frame id → PNG of a frame that the operator marked, without any outline; one that is not there is named alone.
    Raises ValueError (pydantic's ValidationError) for another document, ValueError for a picture that is no PNG.
    """
    report, words = ScreeningReport.model_validate(document), Words(language)
    keys = (sighting.key for finding in report.findings for sighting in finding.sightings)
    page = ENVIRONMENT.get_template("report.html").render(
        report=report,
        pictures={key: sources(pictures[key]) for key in keys if key in pictures},
        contact=contact,
        promoted=None if report.promoted is None else promoted_words(report.promoted, report.model_id, words),
        reviewed=reviewed_words(report.reviewed, words) if report.reviewed else None,
        outlined_by=outlined_by,
        amended=[amended_words(each, words) for each in report.amendments],
        marks=_marks(report, marked or {}, words),
        told=answers(report.recorded, words) if report.recorded else [],
        not_asked=not_asked(report.recorded, words) if report.recorded else "",
        maps=maps_of(report, words),
        felt=felt(report),
        unplaced_side=unplaced_side(report),
        details=details,
        dynamics=dynamics,
        unexamined=[row for row in report.adequacy if row.level == "not_examined"],
        words=words,
        others=[Words(each) for each in LANGUAGES if each != language],
        drawn={each: _data_uri(picture) for each, picture in (drawn or {}).items()},
    )
    return page.encode()


def _marks(report: ScreeningReport, pictures: Mapping[str, bytes], words: Words) -> list[tuple[str, str | None]]:
    """For each frame that the operator marked, what is said of it, and its picture where it is stored."""
    numbers = {each.frame_id: each.amendment_number for each in reversed(report.marked)}  # a frame marked twice is once
    said = {each.amendment_number: amended_words(each, words) for each in report.amendments}
    return [
        (said[number], _data_uri(pictures[frame_id]) if frame_id in pictures else None)
        for frame_id, number in sorted(numbers.items(), key=lambda each: each[1])
    ]


def sources(pictures: KeyPictures) -> dict[str, str]:
    """Both pictures as a page holds them. Raises ValueError for one that is no PNG."""
    return {"plain": _data_uri(pictures.plain), "outlined": _data_uri(pictures.outlined)}


def own_sources(pictures: OwnPictures) -> dict[str, str | None]:
    """Both pictures as a page holds them. Raises as `sources`."""
    drawn = None if pictures.drawn is None else _data_uri(pictures.drawn)
    return {"plain": _data_uri(pictures.plain), "drawn": drawn}


def _data_uri(picture: bytes) -> str:
    if not picture.startswith(_PNG):
        raise ValueError("a finding's picture is not a PNG")
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
