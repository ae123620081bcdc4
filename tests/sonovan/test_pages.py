"""A stored report as pages and PDFs in a folder."""

import json
import shutil
from pathlib import Path

import pytest

from sonovan.cli.export import missing_of
from sonovan.outputs import write_outputs
from sonovan.pages import write_pages
from sonovan.reports.phrases import LANGUAGES
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import get_named
from sonovan.stream_apps.assess.report import store_report
from tests.reports.test_pdf import needs_chinese
from tests.stream_apps.assess.test_report import Pictured

pytestmark = needs_chinese


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_a_page_and_a_pdf_in_each_language_come_from_what_is_stored(store: FolderStore, tmp_path: Path) -> None:
    revision = Pictured(store).revision()
    named = store_report(revision, store, "research", "zh")
    written = write_pages(named, list(revision.results.values()), store, tmp_path)
    assert written.missing == ()
    assert [path.name for path in written.html.values()] == [f"report-{each}.html" for each in LANGUAGES]
    assert all(path.read_bytes().startswith(b"%PDF") for path in written.pdf.values())
    stored = get_named(store, Bucket.REPORTS, str(named.report_html_key), str(named.report_html_sha256))
    assert written.html["zh"].read_bytes() == stored, "made again, the stored page is the same to the byte"
    assert "UNSIGNED" in written.html["en"].read_text(encoding="utf-8")


def test_what_is_missing_is_named_and_the_rest_is_written(store: FolderStore, tmp_path: Path) -> None:
    revision = Pictured(store).revision()
    named = store_report(revision, store, "research")
    frames = list(revision.results.values())
    shutil.rmtree(tmp_path / "store" / Bucket.FRAMES)
    (tmp_path / "report-en.pdf").write_bytes(b"of another woman")
    pages = write_pages(named, frames, store, tmp_path)
    key = named.findings[0].best.key_frame_id
    assert pages.missing == (f"picture of frame {key}: not stored, or not the one that was",)
    assert "no picture stored" in pages.html["en"].read_text(encoding="utf-8")
    assert pages.pdf["en"].read_bytes().startswith(b"%PDF")
    outputs = write_outputs(named, frames, store, tmp_path)
    assert json.loads(outputs.report_json.read_text())["signed"] is False
    told = missing_of(named, outputs, pages)
    assert all(any(frame.frame_id in each for each in told) for frame in frames), "masks are named by their frames"
