"""The report comes out, whatever became of the stored frames."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.contracts.amendments import ScreeningAmended, SeenMarked
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.outputs import report_of
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.assess.report import frame_picture, marked_pictures, store_report
from sonovan.stream_apps.assess.revise import Revision
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene


class Pictured(Scene):
    """A scene whose frames are real pictures in a store."""

    def __init__(self, store: FolderStore) -> None:
        super().__init__(4, lesion=(0, 1, 2, 3))
        pixels = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
        coded = encode_pixels(pixels)
        store.put(Bucket.FRAMES, "image", coded, "application/octet-stream")
        self.told: list[tuple[Topic, Record]] = []
        self.stored = {"pixels_sha256": pixels_sha256(pixels), "image_sha256": hashlib.sha256(coded).hexdigest()}

    def revision(self) -> Revision:
        desk = Desk(self)
        stored = self.stored | {"codec": DEFAULT_CODEC}
        said = [
            (topic, record.model_copy(update={**stored, "acquired_on": date(2025, 3, 2 + record.frame_index)}))
            if isinstance(record, FrameSegmented)
            else (topic, record)
            for topic, record in self.everything()
        ]
        said[1:1] = self.told
        said[-2] = self.sequence_closed(digest=frames_digest([self.stored["pixels_sha256"]] * 4))
        made = [outcome.revision for outcome in map(desk.take, said) if outcome.revision]
        assert made[-1].assessed.status == "complete"
        return made[-1]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def page_of(revision: Revision, store: FolderStore) -> str:
    return report_of(store_report(revision, store, "research"), store)[0].decode()


def test_a_report_shows_the_key_frame_of_each_finding(store):
    page = page_of(Pictured(store).revision(), store)
    assert page.count("data:image/png;base64") == 3, "plain, outlined, and unsigned in Chinese"


def test_a_report_is_in_the_language_that_the_site_chose(store):
    revision = Pictured(store).revision()
    page = report_of(store_report(revision, store, "research", "zh"), store)[0].decode()
    assert '<html lang="zh-Hans">' in page


def test_a_report_has_what_she_told_and_her_number_where_the_site_shows_it_and_the_revision_has_neither(store):
    scene = Pictured(store)
    told = {"features_number": 1, "recorded_at": EPOCH, "palpable_lump": "left", "age_years": 51, "parity": 3}
    scene.told = [(Topic.FEATURES_RECORDED, FeaturesRecorded(screening_id=scene.screening_id, van_id="van-1", **told))]
    revision = replace(scene.revision(), slip_number="A17D")
    named = store_report(revision, store, "research", shows=frozenset({"slip_number"}))
    report = json.loads(report_of(named, store)[1])
    assert (report["slip_number"], report["recorded"]["parity"], report["recorded"]["age_years"]) == (
        "A17D",
        3,
        None,
    )
    assert "A17D" not in named.encode().decode()
    assert '"parity"' not in named.encode().decode()


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


def test_the_same_revision_under_another_number_stands_beside_the_first_and_each_record_names_its_own(store):
    revision = Pictured(store).revision()
    again = Revision(revision.assessed.model_copy(update={"revision_number": 9}), revision.results)
    first, second = (store_report(each, store, "research") for each in (revision, again))
    assert first.report_json_key != second.report_json_key
    numbers = [json.loads(report_of(each, store)[1])["revision_number"] for each in (first, second)]
    assert numbers == [revision.assessed.revision_number, 9]


def test_a_report_that_was_replaced_is_refused(store):
    named = store_report(Pictured(store).revision(), store, "research")
    store.path(Bucket.REPORTS, str(named.report_html_key)).write_bytes(b"another page")
    with pytest.raises(InvalidRecord) as caught:
        report_of(named, store)
    assert caught.value.reason == "object_contradicts_record"


def test_a_forged_page_that_stands_first_holds_no_revision_up_and_is_not_its_report(store):
    revision = Pictured(store).revision()
    named = store_report(revision, store, "research")
    store.path(Bucket.REPORTS, str(named.report_html_key)).write_bytes(b"another page")
    assert store_report(revision, store, "research") == named


def test_a_preliminary_revision_names_no_report(store):
    revision = Pictured(store).revision()
    preliminary = Revision(revision.assessed.model_copy(update={"status": "preliminary"}), revision.results)
    assert store_report(preliminary, store, "research") == preliminary.assessed


def marking(scene: Pictured, *frames: str | None) -> None:
    """The operator marks these frames, one after the other."""
    scene.told = [
        (
            Topic.SCREENING_AMENDED,
            ScreeningAmended(
                screening_id=scene.screening_id, van_id="van-1", amendment_number=number, amended_at=EPOCH,
                amendment=SeenMarked(frame_id=frame), because="operator_saw_something",
            ),
        )
        for number, frame in enumerate(frames, start=1)
    ]  # fmt: skip


def test_a_report_shows_the_marked_frame_whole_and_plain_once_and_names_one_that_is_not_here(store):
    scene = Pictured(store)
    gone = frame_id(mint_id(), 3)
    here = next(record.frame_id for _, record in scene.everything() if isinstance(record, FrameSegmented))
    marking(scene, here, gone, here, None)
    revision = scene.revision()
    page, text = report_of(store_report(revision, store, "research"), store)
    assert page.count(b"data:image/png;base64") == 3 + 1
    assert page.count(b'class="blank"') == 1
    shown = json.loads(text)["marked"]
    assert [(each["amendment_number"], each["frame_id"], each["image_key"]) for each in shown] == [
        (1, here, "image"), (2, gone, None), (3, here, "image"),
    ]  # fmt: skip
    result = revision.results[here]
    plain = cv2.imdecode(np.frombuffer(frame_picture(result, store), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(plain[..., 0], plain[..., 1]), "grey: an outline is yellow"
    assert np.array_equal(plain[..., 0], plain[..., 2])
    for name in ("image",):
        (store.folder / Bucket.FRAMES / name).unlink()
    assert marked_pictures(revision.assessed, revision.results, store) == {}
