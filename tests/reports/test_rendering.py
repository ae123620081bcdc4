"""The page in a real browser: nothing reaches beyond it, on a wide screen, on a phone and printed."""

import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor, Place
from sonovan.models.overlay import outlined_frame
from sonovan.reports.document import report_document
from sonovan.reports.page import KeyPictures, render_html
from sonovan.reports.phrases import LANGUAGES, Language
from tests.clinical.records import adequacy, assessed, finding

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: chromium)")


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that is long on it: four lesions, every reason for "≥", three sides."""
    language: Language = request.param
    place = Place(origin="picture", depth_mm=18.6, lateral_mm=-12.2, depth_share=0.2, lateral_share=-0.3)
    at_least = (Because(code="outline_cut_by_edge"), Because(code="sweep_ends_on_it"))
    look = tuple(Descriptor(name=name, value=None, probability=0.6) for name in ("shape", "margin", "echo_pattern"))
    more = {"place": place, "at_least": at_least, "position": "10h", "view": "transverse", "descriptors": look}
    findings = tuple(finding(number, malignant=0.5, **more) for number in range(4))
    rows = (adequacy(), adequacy(laterality="right", level="not_examined", frames=0, reasons=("not_seen",)))
    grey = np.full((480, 640), 60, np.uint8)
    shown = KeyPictures(*(outlined_frame(grey, polygons, title="L", spacing_mm=(0.1, 0.1)) for polygons in ([], [])))
    document = report_document(assessed(findings=findings, adequacy=rows), intended_use="decision_support")
    html = render_html(document, {each.best.key: shown for each in findings}, language=language)
    path = tmp_path_factory.mktemp(f"page-{language}") / "report.html"
    path.write_bytes(html)
    return path


def chromium(page: Path, *options: str) -> None:
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", profile, *options]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize(("width", "rim"), [(1400, 20), (560, 8)])
def test_nothing_reaches_beyond_the_page(page: Path, width: int, rim: int) -> None:
    shot = page.parent / f"{width}.png"
    chromium(page, f"--window-size={width},4000", f"--screenshot={shot}")
    picture = cv2.imread(str(shot))
    assert picture is not None
    assert picture.shape[1] == width
    for side in (picture[:, :rim], picture[:, -rim:]):
        assert np.ptp(side.reshape(-1, 3), axis=0).max() <= 12, "something stands in the page's rim"


def test_it_prints_on_a4_with_no_more_sheets_than_lesions_and_two(page: Path) -> None:
    sheet = page.parent / "report.pdf"
    chromium(page, "--no-pdf-header-footer", f"--print-to-pdf={sheet}")
    data = sheet.read_bytes()
    boxes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data))
    assert len(boxes) == 1
    ((wide, tall),) = boxes
    assert (float(wide) / 72 * 25.4, float(tall) / 72 * 25.4) == (pytest.approx(210, abs=1), pytest.approx(297, abs=1))
    assert 3 <= len(re.findall(rb"/Type /Page\b", data)) <= 6
