"""From sources to signed records."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.frame_codec import decode_verified
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import FrameCaptured, ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.producers.items import Ids, Item, mint_ids
from sonovan.producers.screening import Composed, compose
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame, Source, open_sources
from sonovan.producers.sources.source import whole_panel
from tests.producers.files import colour, grey, region, write_dicom
from tests.producers.visits import SIGNER, VISIT

BREAST = CaptureOptions(organ="breast")


def source(frames: int = 3, lost: tuple[int, ...] = (), ends_early: bool = False) -> Source:
    def read() -> Iterator[CapturedFrame | LostFrame]:
        for index in range(frames):
            if index in lost:
                yield LostFrame(index, "frame_unreadable", f"a.dcm: frame {index}")
            else:
                yield CapturedFrame(index, 50.0 * index, grey(seed=index), (whole_panel(48, 64, None, "left"),))
        if ends_early:
            raise InvalidRecord("unreadable", "a.dcm: no more")

    return Source(Path("a.dcm"), "breast", "left", None, None, frames, read)


def run(*sources: Source, ids: Ids | None = None) -> tuple[Composed, list[Item]]:
    items: list[Item] = []
    return compose(sources, VISIT, SIGNER, items.append, ids=ids), items


def closing(items: list[Item]) -> SequenceClosed:
    (item,) = [item for item in items if item.topic is Topic.SEQUENCE_CLOSED]
    return SequenceClosed.decode(open_envelope(item.value).header)


def test_a_screening_is_an_opening_frames_and_closings() -> None:
    composed, items = run(source(), source(2))
    assert [item.topic for item in items] == [
        Topic.SCREENING_OPENED, *[Topic.FRAME_CAPTURED] * 3, Topic.SEQUENCE_CLOSED,
        *[Topic.FRAME_CAPTURED] * 2, Topic.SEQUENCE_CLOSED, Topic.SCREENING_CLOSED,
    ]  # fmt: skip
    last = ScreeningClosed.decode(open_envelope(items[-1].value).header)
    assert last.sequence_ids == tuple(sequence.sequence_id for sequence in composed.sequences)


def test_every_item_is_signed_and_names_what_its_receipt_must_name() -> None:
    composed, items = run(source())
    for item in items:
        envelope = open_envelope(item.value)
        assert envelope.is_signed_by(public_key(SIGNER.private_key))
        record = TOPICS[item.topic].value.decode(envelope.header)
        assert record.item_id == item.item_id  # type: ignore[attr-defined]  # every record of a van has one
        assert item.screening_id == composed.screening_id
        if isinstance(record, FrameCaptured):
            assert (item.content_sha256, item.key) == (record.pixels_sha256, record.sequence_id.encode())
            assert dict(item.headers)["frame_id"] == record.frame_id.encode()
        else:
            assert (item.content_sha256, item.key) == (envelope.header_sha256, composed.screening_id.encode())


def test_frames_come_back_bit_for_bit_and_the_closing_names_their_hashes() -> None:
    _, items = run(source())
    hashes = []
    for number, item in enumerate(item for item in items if item.topic is Topic.FRAME_CAPTURED):
        envelope = open_envelope(item.value)
        header = FrameCaptured.decode(envelope.header)
        pixels = decode_verified(
            envelope.payload, codec=header.codec, rows=header.rows, columns=header.columns,
            channels=header.channels, bits=header.bits, sha256=header.pixels_sha256,
        )  # fmt: skip
        assert np.array_equal(pixels, grey(seed=number))
        hashes.append(header.pixels_sha256)
    assert closing(items).frames_digest == frames_digest(hashes)
    assert closing(items).frame_count == 3


def test_given_ids_are_used_and_must_fit() -> None:
    ids = mint_ids(2)
    composed, _ = run(source(), source(), ids=ids)
    assert (composed.screening_id, *(sequence.sequence_id for sequence in composed.sequences)) == (
        ids.screening_id, *ids.sequence_ids,
    )  # fmt: skip
    with pytest.raises(ValueError):
        run(source(), ids=ids)


def test_a_lost_frame_is_counted_and_set_aside() -> None:
    composed, items = run(source(5, lost=(0, 3)))
    closed = closing(items)
    assert closed.frame_count == 5
    assert [(aside.frame_index, aside.reason, aside.discarded) for aside in closed.set_aside] == [
        (0, "frame_unreadable", True), (3, "frame_unreadable", True),
    ]  # fmt: skip
    assert [error.message for error in composed.refused] == ["a.dcm: frame 0 (2 of 5 frames set aside)"]


def test_a_source_without_a_readable_frame_leaves_no_trace() -> None:
    composed, items = run(source(2, lost=(0, 1)))
    assert (items, composed.sequences, len(composed.refused)) == ([], (), 1)
    composed, items = run(source(2, lost=(0, 1)), source(1))
    assert len(composed.sequences) == 1
    assert len(items) == 4


def test_a_sequence_that_ends_early_keeps_what_it_has_and_warns() -> None:
    composed, items = run(source(2, ends_early=True))
    assert closing(items).frame_count == 2
    assert "sequence_cut_short" in ScreeningClosed.decode(open_envelope(items[-1].value).header).quality_warnings
    (error,) = composed.refused
    assert "set aside" not in error.message


def test_a_sink_that_fails_ends_the_screening() -> None:
    def full(_item: Item) -> None:
        raise Transient("disk full")

    with pytest.raises(Transient):
        compose([source()], VISIT, SIGNER, full)


def test_one_frame_is_in_memory_at_a_time() -> None:
    alive: list[int] = []
    one = source(4)

    def read() -> Iterator[CapturedFrame | LostFrame]:
        for shot in one.read():
            alive.append(shot.frame_index)
            yield shot

    put_after: list[int] = []
    compose([replace(one, read=read)], VISIT, SIGNER, lambda item: put_after.append(len(alive)))
    assert put_after == [1, 1, 2, 3, 4, 4, 4]


def test_the_clinical_record_follows_the_opening() -> None:
    items: list[Item] = []
    visit = replace(VISIT, features={"age_years": 47, "symptoms": []})
    compose([source(1)], visit, SIGNER, items.append)
    assert items[1].topic is Topic.FEATURES_RECORDED
    assert FeaturesRecorded.decode(open_envelope(items[1].value).header).age_years == 47


def test_without_a_plan_both_sides_of_each_organ_are_planned_once() -> None:
    _, items = run(source(1), source(1))
    opened = ScreeningOpened.decode(open_envelope(items[0].value).header)
    assert [(item.organ, item.side) for item in opened.planned] == [("breast", "left"), ("breast", "right")]


def test_what_lies_outside_the_regions_never_leaves(tmp_path: Path) -> None:
    picture = np.maximum(colour(), 1)
    path = write_dicom(
        tmp_path / "a.dcm", [picture], shape=(48, 64, 3), photometric="RGB",
        SequenceOfUltrasoundRegions=[region(10, 10, 39, 29)],
    )  # fmt: skip
    items: list[Item] = []
    compose(open_sources([path], BREAST).sources, VISIT, SIGNER, items.append)
    envelope = open_envelope(items[1].value)
    header = FrameCaptured.decode(envelope.header)
    pixels = decode_verified(
        envelope.payload, codec=header.codec, rows=48, columns=64, channels=3, bits=8, sha256=header.pixels_sha256
    )
    assert header.blackened_px == 48 * 64 - 30 * 20
    assert np.array_equal(pixels[10:30, 10:40], picture[10:30, 10:40])
    assert np.count_nonzero(pixels.any(axis=-1)) == 30 * 20


def test_burned_in_annotation_is_held_counted_and_named(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey(), grey(seed=1)], BurnedInAnnotation="YES")
    items: list[Item] = []
    composed = compose(open_sources([path], BREAST).sources, VISIT, SIGNER, items.append)
    assert [item.held for item in items if item.topic is Topic.FRAME_CAPTURED] == ["burned_in_annotation"] * 2
    closed = closing(items)
    assert closed.frame_count == 2
    (aside,) = closed.set_aside
    assert (aside.reason, aside.discarded, aside.frames) == ("burned_in_annotation", False, 2)
    assert [error.reason for error in composed.refused] == ["burned_in_annotation"]


def test_no_record_holds_a_path_or_a_name(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "LI_MEI.dcm", [grey()], PatientName="LI^MEI", PatientID="4711", StudyID="LI_MEI")
    items: list[Item] = []
    compose(open_sources([path], BREAST).sources, VISIT, SIGNER, items.append)
    for item in items:
        header = json.loads(open_envelope(item.value).header)
        assert not any(word in json.dumps(header) for word in ("LI", "MEI", "4711", str(tmp_path)))
