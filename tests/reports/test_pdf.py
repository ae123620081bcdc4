"""The report as PDF, read back with poppler: text in both languages, fonts and pictures inside, A4, equal bytes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sonovan.models.overlay import outlined_frame
from sonovan.reports.document import report_document
from sonovan.reports.page import KeyPictures, render_html
from sonovan.reports.pdf import render_pdf
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from tests.clinical.records import adequacy, assessed, finding

pytest.importorskip("weasyprint", reason="no Pango on this machine", exc_type=OSError)
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None and not os.environ.get("CI"), reason="no poppler here (Debian: poppler-utils)"
)
needs_chinese = pytest.mark.skipif(
    not os.environ.get("CI")
    and (
        shutil.which("fc-list") is None
        or not subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout
    ),
    reason="no font with Chinese here (Debian: fontconfig fonts-wqy-zenhei)",
)
LARGEST = 2 << 20
"""Bytes of a report with two lesions on pictures of noise, which are larger than any of tissue."""


def page(language: Language) -> bytes:
    lesions = tuple(finding(number, malignant=0.5, position="10h") for number in range(2))
    rows = (adequacy(), adequacy(laterality="right", level="not_examined", frames=0, reasons=("not_seen",)))
    noise = np.random.default_rng(7).integers(0, 120, (300, 400)).astype(np.uint8)
    square = [(80.0, 60.0), (160.0, 60.0), (160.0, 120.0), (80.0, 120.0)]
    shown = KeyPictures(*(outlined_frame(noise, each, spacing_mm=(0.1, 0.1)) for each in ([], [square])))
    document = report_document(assessed(findings=lesions, adequacy=rows), intended_use="decision_support")
    return render_html(document, {each.best.key: shown for each in lesions}, language=language)


@pytest.fixture(scope="module", params=[pytest.param(each, marks=needs_chinese) for each in LANGUAGES])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Path]:
    path = tmp_path_factory.mktemp("pdf") / f"{request.param}.pdf"
    path.write_bytes(render_pdf(page(request.param)))
    return request.param, path


def poppler(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


def sheets_of(html: bytes, path: Path) -> list[str]:
    """The text of each sheet of a page, which is printed into `path`."""
    path.write_bytes(render_pdf(html))
    return poppler("pdftotext", "-layout", path, "-").rstrip("\f").split("\f")


@needs_poppler
def test_its_text_reads_back_and_every_sheet_says_unsigned(printed: tuple[Language, Path]) -> None:
    language, path = printed
    words = Words(language)
    sheets = poppler("pdftotext", "-layout", path, "-").split("\f")[:-1]
    plain = ["".join(sheet.split()) for sheet in sheets]
    assert len(plain) >= 2
    assert all("".join(words.text("unsigned").split()) in sheet for sheet in plain)
    for told in (words.place("breast", "left", "10h"), words.text("not_examined_heading"), "12.1×8.0mm", "50%"):
        assert "".join(told.split()) in "".join(plain)


@needs_poppler
def test_fonts_and_pictures_are_inside_and_the_sheet_is_a4(printed: tuple[Language, Path]) -> None:
    _, path = printed
    fonts = [line.split() for line in poppler("pdffonts", path).splitlines()[2:]]
    assert fonts
    assert all(line[-5:-3] == ["yes", "yes"] for line in fonts), "embedded, and only the part that is used"
    pictures = [line for line in poppler("pdfimages", "-list", path).splitlines()[2:] if " image " in line]
    assert len(pictures) >= 4, "two lesions, each plain and outlined"
    told = poppler("pdfinfo", path)
    assert "(A4)" in told
    assert "CreationDate" not in told, "the same report would give other bytes tomorrow"
    assert path.stat().st_size < LARGEST


def test_an_equal_page_gives_equal_bytes(printed: tuple[Language, Path]) -> None:
    language, path = printed
    assert render_pdf(page(language)) == path.read_bytes()


@needs_chinese
def test_a_missing_font_is_named_and_never_shows_boxes(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(f"<fontconfig><dir>{_latin()}</dir><cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>")
    (tmp_path / "page.html").write_bytes("<!DOCTYPE html><p>未签署</p>".encode())
    code = (
        "import sys; from sonovan.reports.pdf import CannotPrint, render_pdf\n"
        "try: render_pdf(open(sys.argv[1], 'rb').read())\n"
        "except CannotPrint as error: sys.exit(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "page.html")],
        env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert re.search(r"no font on this machine has 3 of the page's characters \(.+\): install .*fonts-wqy", done.stderr)


def test_a_page_that_names_something_outside_itself_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.css"
    other.write_text("p { color: red }")
    with pytest.raises(ValueError, match="nothing outside itself"):
        render_pdf(f'<!DOCTYPE html><link rel="stylesheet" href="{other.as_uri()}"><p>one</p>'.encode())


def _latin() -> str:
    found = subprocess.run(["fc-match", "-f", "%{file}", "sans:lang=en"], capture_output=True, text=True, check=True)
    lone = Path(found.stdout).parent
    if any("wqy" in each.name or "cjk" in each.name.lower() for each in lone.iterdir()):
        pytest.skip("the folder of the Latin fonts has Chinese ones, too")
    return str(lone)
