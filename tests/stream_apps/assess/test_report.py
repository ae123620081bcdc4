"""The report comes out, whatever became of the stored frames."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sonovan.contracts.digests import frames_digest
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.frames import FrameSegmented
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.assess.report import store_report
from sonovan.stream_apps.assess.revise import Revision
from tests.stream_apps.assess.scene import Desk, Scene


class Pictured(Scene):
    """A scene whose frames are real pictures in a store."""

    def __init__(self, store: FolderStore) -> None:
        super().__init__(4, lesion=(0, 1, 2, 3))
        pixels = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
        store.put(Bucket.FRAMES, "image", encode_pixels(pixels), "application/octet-stream")
        self.stored = pixels_sha256(pixels)

    def revision(self) -> Revision:
        desk = Desk(self)
        stored = {"pixels_sha256": self.stored, "codec": DEFAULT_CODEC}
        said = [
            (topic, record.model_copy(update={**stored, "acquired_on": date(2025, 3, 2 + record.frame_index)}))
            if isinstance(record, FrameSegmented)
            else (topic, record)
            for topic, record in self.everything()
        ]
        said[-2] = self.sequence_closed(digest=frames_digest([self.stored] * 4))
        made = [outcome.revision for outcome in map(desk.take, said) if outcome.revision]
        assert made[-1].assessed.status == "complete"
        return made[-1]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def page_of(revision: Revision, store: FolderStore) -> str:
    store_report(revision, store, "research")
    return store.get(Bucket.REPORTS, str(revision.assessed.report_html_key)).decode()


def test_a_report_shows_the_key_frame_of_each_finding(store):
    page = page_of(Pictured(store).revision(), store)
    assert page.count("data:image/png;base64") == 3, "plain, outlined, and unsigned in Chinese"


def test_a_report_is_in_the_language_that_the_site_chose(store):
    revision = Pictured(store).revision()
    store_report(revision, store, "research", "zh")
    page = store.get(Bucket.REPORTS, str(revision.assessed.report_html_key)).decode()
    assert '<html lang="zh-Hans">' in page


def test_a_revision_has_the_first_day_that_its_files_name(store):
    assert Pictured(store).revision().assessed.examined_on == date(2025, 3, 2)


@pytest.mark.parametrize("damage", ["gone", "corrupt"])
def test_a_key_frame_that_is_gone_or_damaged_leaves_only_its_picture_out(damage, store, tmp_path):
    revision = Pictured(store).revision()
    frame = store.path(Bucket.FRAMES, "image")
    frame.unlink()
    if damage == "corrupt":
        frame.write_bytes(b"no picture")
    page = page_of(revision, store)
    assert page.count("data:image/png;base64") == 1, "unsigned in Chinese alone"
    assert "no picture stored" in page
    assert revision.assessed.findings[0].finding_id in page


def test_the_same_revision_under_another_number_keeps_the_page_that_stands(store):
    revision = Pictured(store).revision()
    first = page_of(revision, store)
    again = revision.assessed.model_copy(update={"revision_number": 9})
    assert page_of(Revision(again, revision.results), store) == first
