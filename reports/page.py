"""The report as one self-contained HTML page: no script, no link, pictures inside."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from sonovan.contracts.results import Member
from sonovan.reports.document import ScreeningReport
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words, moment

_PNG: Final = b"\x89PNG\r\n\x1a\n"

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("sonovan.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_html(
    document: Mapping[str, Any], pictures: Mapping[Member, bytes], contact: str | None = None, language: Language = "en"
) -> bytes:
    """The page of a report in one language, UTF-8; equal arguments give equal bytes. "Unsigned" stands in all of them.

    document: what `sonovan.reports.document.report_document` gave. pictures: a sighting's key region → PNG of its
    key frame with the outline; a sighting without one says so. contact: whom to ask, one line.
    Raises ValueError (pydantic's ValidationError) for another document, ValueError for a picture that is no PNG.
    """
    report = ScreeningReport.model_validate(document)
    keys = (sighting.key for finding in report.findings for sighting in finding.sightings)
    sources = {key: _data_uri(pictures.get(key)) for key in keys}
    page = _ENVIRONMENT.get_template("report.html").render(
        report=report,
        pictures=sources,
        contact=contact,
        words=Words(language),
        others=[Words(each) for each in LANGUAGES if each != language],
        moment=moment,
    )
    return page.encode()


def _data_uri(picture: bytes | None) -> str | None:
    if picture is None:
        return None
    if not picture.startswith(_PNG):
        raise ValueError("a finding's picture is not a PNG")
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
