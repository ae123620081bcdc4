"""The report's page as PDF: A4, pictures and the used parts of fonts inside, equal bytes for an equal page."""

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from weasyprint import Document

PICTURE_DPI: Final = 300
"""Pictures are stored no finer than this on the sheet: what a printer shows, and no more bytes."""

FONTS: Final = "fonts-wqy-zenhei or fonts-noto-cjk"
"""Debian's packages with Chinese, either of which will do."""

_LIBRARIES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class CannotPrint(Exception):
    """No PDF can be made on this machine; the message says what to install."""


def render_pdf(page: bytes) -> bytes:
    """A page of `sonovan.reports.page.render_html` as PDF. Equal pages give equal bytes on a machine with equal fonts.

    Nothing but what lies in the page is read, neither files nor addresses; fonts are taken from this machine.
    Raises ValueError for a page that names something outside itself.
    Raises CannotPrint where a library is missing, or a font for some of the page's text: never boxes in its stead.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except OSError as error:
        raise CannotPrint(f"PDF needs Pango, which is not installed here (Debian: {_LIBRARIES})") from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # warns of what style sheets hold for screens alone
    unknown: set[str] = set()

    def look_for_boxes(document: "Document", _pdf: object) -> None:
        unknown.update(chr(point) for font in document.fonts.values() for point in font.missing)

    within = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    html = HTML(string=page.decode(), url_fetcher=within)
    try:
        data: bytes = html.write_pdf(finisher=look_for_boxes, dpi=PICTURE_DPI)
    except FatalURLFetchingError as error:
        raise ValueError("a report's page names nothing outside itself") from error
    if unknown:
        some = "".join(sorted(unknown)[:8])
        raise CannotPrint(
            f"no font on this machine has {len(unknown)} of the page's characters ({some}): "
            f"install one with Chinese (Debian: {FONTS})"
        )
    return data
