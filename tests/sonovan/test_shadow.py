"""A candidate network beside the one that runs: differences, changed categories, and a sheet of the least alike."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import seal
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, PlannedRegion, ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.models.masks import encode_mask
from sonovan.models.segmenter import Segmentation
from sonovan.shadow import Comparison, Pair, Said, compare, sheet
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.segment.replaying import replayed
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from sonovan.stream_apps.stage import Message
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

FRAMES = 8


class Candidate(ThresholdSegmenter):
    """Misses every frame whose disc stands left of `misses_left_of`; calls what it finds malignant by `malignant`."""

    model_id, fingerprint, weights_sha256 = "candidate-1", "ef" * 32, "12" * 32

    def __init__(self, misses_left_of: int = 0, malignant: float | None = None) -> None:
        self._left, self._malignant = misses_left_of, malignant

    def segment(self, pixels, organ, panels, spacing_mm=()) -> Segmentation:  # type: ignore[no-untyped-def]
        found = super().segment(pixels, organ, panels, spacing_mm)
        regions = [
            replace(each, malignant=self._malignant, quality=0.95, reliable=self._malignant is not None)
            for each in found.regions
        ]
        if not regions or regions[0].box[0] < self._left:
            return replace(found, regions=(), labels=np.zeros_like(found.labels))
        return replace(found, regions=tuple(regions))


def control(van: TestVan) -> list[Message]:
    """Opening and closings of the screening, as the broker holds them."""
    hashes = [van.header(bright_disc(index), index).pixels_sha256 for index in range(FRAMES)]
    records: Sequence[tuple[Topic, Record]] = [
        (
            Topic.SCREENING_OPENED,
            ScreeningOpened(
                screening_id=van.screening_id, van_id=van.van_id, subject_key="cd" * 32, site_code="site-1",
                opened_at=NOW, planned=(PlannedRegion(organ="breast", side="left"),),
                consent=Consent(screening=True, ai=True),
            ),
        ),
        (
            Topic.SEQUENCE_CLOSED,
            SequenceClosed(
                screening_id=van.screening_id, sequence_id=van.sequence_id, van_id=van.van_id, closing_number=1,
                frame_count=FRAMES, frames_digest=frames_digest(hashes), organ="breast", laterality="left",
                closed_at=NOW,
            ),
        ),
        (
            Topic.SCREENING_CLOSED,
            ScreeningClosed(
                screening_id=van.screening_id, van_id=van.van_id, closing_number=1, sequence_ids=(van.sequence_id,),
                closed_at=NOW,
            ),
        ),
    ]  # fmt: skip
    return [
        Message(
            Coordinates(topic, 0, number, NOW + timedelta(seconds=number)),
            van.screening_id.encode(),
            seal(record, van.private_key),
        )
        for number, (topic, record) in enumerate(records)
    ]


def compared(store: FolderStore, candidate: ThresholdSegmenter, reader: str | None = None) -> Comparison:
    """Screenings of two women through both. reader: a code, under which the first one's frames were drawn blind."""
    pairs: dict[str, list[Pair]] = {}
    said = Said(pairs, {}, {}, TestVan().registry())
    controls, reviews = dict[str, list[Message]](), dict[str, list[FrameReviewed]]()
    for _ in range(2):
        van = TestVan(van_id=f"van-{len(pairs)}")
        said.registry.learn(van.enrolled())
        for index in range(FRAMES):
            frame = segment_envelope(
                van.frame(index), append_time=NOW, registry=van.registry(), segmenter=ThresholdSegmenter()
            )
            put_objects(store, frame)
            shadow, mask = replayed(frame.record, store, candidate)
            if mask is not None:
                store.put(mask.bucket, mask.key, mask.data, mask.content_type)
            pairs.setdefault(van.screening_id, []).append(Pair(frame.record, shadow))
            if reader is not None and len(pairs) == 1:
                reviews[frame.record.frame_id] = [drawn(store, frame.record, reader)]
        controls[van.screening_id] = control(van)
    return compare(replace(said, control=controls, reviews=reviews), store)


def drawn(store: FolderStore, record, reader: str) -> FrameReviewed:  # type: ignore[no-untyped-def]
    """The reader draws what is bright."""
    mask = encode_mask((bright_disc(record.frame_index) > 200).astype(np.uint8))
    key = f"reviews/{record.frame_id}/{reader}.png"
    store.put(Bucket.MASKS, key, mask, "image/png")
    return FrameReviewed(
        review_id=mint_id(), screening_id=record.screening_id, sequence_id=record.sequence_id,
        frame_index=record.frame_index, van_id=record.van_id, organ="breast", image_key=record.image_key,
        image_sha256=record.image_sha256, reader=reader, blind=True, verdict="drawn", mask_key=key,
        mask_sha256=hashlib.sha256(mask).hexdigest(), compared=None, origin="file", reviewed_at=NOW,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_a_network_like_the_one_that_runs_changes_nothing(store: FolderStore) -> None:
    found = compared(store, Candidate())
    assert (found.screenings, found.frames, found.agreement) == (2, 2 * FRAMES, 1.0)
    assert found.changes == []
    assert {one.difference for one in found.figures.values()} == {0.0}


def test_what_a_candidate_misses_stands_in_the_figures_and_leads_the_sheet(store: FolderStore) -> None:
    left = 40 + FRAMES // 2  # the disc moves by a pixel a frame
    found = compared(store, Candidate(misses_left_of=left), reader="dr-1")
    outlined = found.figures["share_of_frames_outlined"]
    assert (outlined.running, outlined.candidate, outlined.differs) == (1.0, 0.625, True)
    against_readers = found.figures["dice_against_readers"]
    assert (against_readers.frames, against_readers.running, against_readers.candidate) == (FRAMES, 1.0, 0.625)
    assert [agreement for agreement, _ in found.least_alike][:6] == [0.0] * 6
    picture = sheet(found, store)
    assert picture is not None
    assert imagecodecs.png_decode(picture).shape[0] > 6 * 300


def test_a_category_and_an_alert_that_would_have_been_others_are_named(store: FolderStore) -> None:
    found = compared(store, Candidate(malignant=0.97))
    changed = {each.what: (each.running, each.candidate) for each in found.changes}
    assert changed["suspicious_alert"] == ("not_told", "told")
    assert changed["BI-RADS breast left"][1].startswith("4") or changed["BI-RADS breast left"][1] == "5"
    assert len({each.screening_id for each in found.changes}) == 2
    assert found.document()["changes"][0].keys() == {"screening_id", "what", "running", "candidate"}
