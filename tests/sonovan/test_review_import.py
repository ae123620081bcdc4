"""Masks drawn elsewhere: what is read of files, which frames they fit, and what importing twice does."""

import csv
import itertools
import json
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from sonovan.contracts.ids import mint_id
from sonovan.models.labels.coco import mask_of, run_lengths
from sonovan.models.masks import decode_mask
from sonovan.review_files import DrawnMask, Refused, read_drawn, sop_of
from sonovan.review_import import Reader, Sorted, sort_drawn
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.storage.reviews import store_mask
from tests.clinical.records import segmented

SWEEP = "0190b5a0-0000-7000-8000-00000000abcd"
FOREIGN = Path(__file__).parent / "reviews" / "seg_by_highdicom.dcm"
NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
SIZE = (48, 64)
MOMENTS = itertools.count(1_700_000_000_000)
"""In ms: ids that are minted within one have no order."""


def frame(index: int, **other: Any):  # type: ignore[no-untyped-def]
    return segmented(index, sequence_id=SWEEP, rows=SIZE[0], columns=SIZE[1], **other)


def box(left: int = 5, top: int = 10, value: int = 1) -> np.ndarray:
    labels = np.zeros(SIZE, np.uint8)
    labels[top : top + 10, left : left + 20] = value
    return labels


def sort(drawn: list[DrawnMask | Refused], reviewed: tuple[Any, ...] = (), blind: bool = True) -> Sorted:
    frames = {each.frame_id: each for each in (frame(0), frame(1), frame(12))}
    return sort_drawn(drawn, frames, reviewed, Reader("op-7", blind), NOW, lambda: mint_id(next(MOMENTS)))


def told(found: list[DrawnMask | Refused]) -> dict[str, str]:
    return {each.source: each.told for each in found if isinstance(each, Refused)}


def drawn(found: list[DrawnMask | Refused]) -> dict[str, np.ndarray]:
    return {each.frame: each.labels for each in found if isinstance(each, DrawnMask)}


def test_a_mask_that_fits_becomes_a_review_that_names_the_machines_result() -> None:
    (review,) = sort([DrawnMask("a.png", f"{SWEEP}/000001", box())]).reviews
    record = review.record
    assert (record.frame_id, record.reader, record.blind, record.verdict) == (f"{SWEEP}/000001", "op-7", True, "drawn")
    assert record.compared is not None
    assert record.compared.fingerprint == frame(1).fingerprint
    assert record.mask_key == f"reviews/{SWEEP}/000001/{record.review_id}.png"
    assert review.mask is not None
    assert (decode_mask(review.mask) == box()).all()


def test_a_reader_who_outlines_nothing_says_so_without_a_mask() -> None:
    (review,) = sort([DrawnMask("a.png", f"{SWEEP}/000001", box() * 0)]).reviews
    assert (review.mask, review.record.mask_key, review.record.mask_sha256) == (None, None, None)


def test_what_fits_no_stored_frame_is_refused_by_name() -> None:
    found = sort(
        [
            DrawnMask("unknown.png", f"{SWEEP}/000077", box()),
            DrawnMask("small.png", f"{SWEEP}/000000", box()[:, :40]),
            DrawnMask("other.png", f"{SWEEP}/000001", box(), "ab" * 32),
            DrawnMask("same.png", f"{SWEEP}/000012", box(), frame(12).image_sha256),
            DrawnMask("twice.png", f"{SWEEP}/000012", box(20)),
            Refused("broken.png", "it is no PNG"),
        ]
    )
    assert [each.record.frame_index for each in found.reviews] == [12]
    reasons = {each.source: each.told for each in found.refused}
    assert set(reasons) == {"unknown.png", "small.png", "other.png", "twice.png", "broken.png"}
    assert "40×48 pixels" in reasons["small.png"]
    assert "64×48" in reasons["small.png"]
    assert "another picture" in reasons["other.png"]


def test_importing_twice_publishes_nothing_new_and_a_changed_mask_or_blindness_does() -> None:
    masks: list[DrawnMask | Refused] = [
        DrawnMask("a", f"{SWEEP}/000001", box()),
        DrawnMask("b", f"{SWEEP}/000012", box() * 0),
    ]
    first = sort(masks)
    published = tuple(each.record for each in first.reviews)
    again = sort(masks, published)
    assert (again.reviews, set(again.known)) == ((), {f"{SWEEP}/000001", f"{SWEEP}/000012"})
    assert len(sort(masks, published, blind=False).reviews) == 2
    changed = sort([DrawnMask("a", f"{SWEEP}/000001", box(30))], published)
    newest = (*published, changed.reviews[0].record)
    assert len(sort(masks[:1], newest).reviews) == 1  # back to the first mask: the newest says another
    other = sort_drawn(masks, {frame(1).frame_id: frame(1)}, published, Reader("op-8", True), NOW, mint_id)
    assert len(other.reviews) == 1  # another reader's mask is his own


def test_masks_are_stored_once_under_their_review(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (review,) = sort([DrawnMask("a", f"{SWEEP}/000001", box())]).reviews
    for _ in range(2):
        store_mask(store, review.record, review.mask)
    assert store.get(Bucket.MASKS, review.record.mask_key or "") == review.mask


def test_png_files_are_named_by_frame_and_may_say_which_picture_they_are_of(tmp_path: Path) -> None:
    for name, pixels in {
        f"{SWEEP}_000001.png": box(value=255),
        f"{SWEEP}/000012.png": box(value=3),
        f"{SWEEP}_000000.png": np.dstack([box()] * 3),
        "lesion.png": box(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), pixels)
    (tmp_path / "notes.txt").write_text("no mask", encoding="utf-8")
    with (tmp_path / "pictures.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("frame", "image_sha256"), (f"{SWEEP}_000001", "cd" * 32)])
    found = list(read_drawn(tmp_path))
    assert (drawn(found)[f"{SWEEP}/000001"] == box()).all()  # black and white is one lesion
    assert set(np.unique(drawn(found)[f"{SWEEP}/000012"])) == {0, 3}
    assert {each.frame: each.image_sha256 for each in found if isinstance(each, DrawnMask)} == {
        f"{SWEEP}/000001": "cd" * 32,
        f"{SWEEP}/000012": None,
    }
    assert set(told(found)) == {f"{SWEEP}_000000.png", "lesion.png"}
    assert "names no frame" in told(found)["lesion.png"]


def test_coco_polygons_and_run_lengths_are_read(tmp_path: Path) -> None:
    images = [
        {"id": number, "file_name": f"{SWEEP}_{number:06d}.png", "width": 64, "height": 48} for number in (0, 1, 12, 13)
    ]
    images[1]["sha256"] = "ef" * 32
    counts = run_lengths(box(30) > 0)
    outlines = [
        (0, [[5, 10, 25, 10, 25, 20, 5, 20]]),
        (0, counts),
        (1, {"size": [48, 64], "counts": [10, 5, 48 * 64 - 15]}),
        (12, [[1, 2, 3]]),
        (99, counts),
    ]
    annotations = [
        {"id": place, "image_id": image, "category_id": 1, "segmentation": each, "iscrowd": 0}
        for place, (image, each) in enumerate(outlines)
    ]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")
    found = list(read_drawn(tmp_path / "a.json"))
    masks = drawn(found)
    assert (masks[f"{SWEEP}/000000"] == box() + box(30, value=2)).all()
    assert np.flatnonzero(masks[f"{SWEEP}/000001"].ravel(order="F")).tolist() == list(range(10, 15))
    assert not masks[f"{SWEEP}/000013"].any()  # listed without annotation: nothing to outline
    assert set(told(found)) == {f"a.json {SWEEP}_000012.png", "a.json image_id 99"}
    assert next(each for each in found if isinstance(each, DrawnMask) and each.image_sha256).frame.endswith("000001")


def test_run_lengths_are_as_pycocotools_writes_them() -> None:
    """`7330:N` is what pycocotools 2.0 makes of this mask."""
    mask = np.zeros((6, 5), np.bool_)
    mask[1:4, 1:3] = True
    mask[5, 4] = True
    assert run_lengths(mask) == {"size": [6, 5], "counts": "7330:N"}
    rng = np.random.default_rng(0)
    for rows, columns, share in itertools.product((1, 7, 300), (1, 40), (0, 0.02, 0.5, 1)):
        mask = rng.random((rows, columns)) < share
        assert (mask_of(run_lengths(mask), (rows, columns)) == mask).all()


@pytest.mark.parametrize(
    "segmentation",
    [None, [], "abc", [[1, 2, 3, 4]], {"size": [9, 9], "counts": [81]}, {"size": [48, 64], "counts": "~"},
     {"size": [48, 64], "counts": [5]}, {"size": [48, 64]}, [[0, 0, float("nan"), 3, 5, 6]]],
)  # fmt: skip
def test_a_segmentation_that_is_none_is_refused(segmentation: object) -> None:
    with pytest.raises(ValueError, match=r"segmentation|polygon|run lengths"):
        mask_of(segmentation, SIZE)


def test_a_segmentation_that_highdicom_wrote_is_read() -> None:
    (found,) = read_drawn(FOREIGN)
    assert isinstance(found, DrawnMask)
    assert found.frame == f"{SWEEP}/000000"
    assert (found.labels == box() + box(40, 30, 2)).all()


def seg(path: Path, planes: list[tuple[np.ndarray, str, int | None]], **other: Any) -> Path:
    """A SEG of bits. planes: the mask, the UID of its source image and the frame of it."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "2.25.7"
    data.SegmentationType, data.NumberOfFrames = "BINARY", len(planes)
    data.Rows, data.Columns = SIZE
    data.SamplesPerPixel = data.BitsAllocated = data.BitsStored = 1
    data.HighBit = data.PixelRepresentation = 0
    data.PhotometricInterpretation = "MONOCHROME2"
    bits = np.concatenate([mask.ravel() for mask, _, _ in planes]).astype(np.bool_)
    data.PixelData = np.packbits(bits, bitorder="little").tobytes()
    groups = []
    for _, uid, number in planes:
        source, derived, segment, group = Dataset(), Dataset(), Dataset(), Dataset()
        source.ReferencedSOPInstanceUID = uid
        if number is not None:
            source.ReferencedFrameNumber = number
        derived.SourceImageSequence = Sequence([source])
        segment.ReferencedSegmentNumber = 1
        group.DerivationImageSequence, group.SegmentIdentificationSequence = Sequence([derived]), Sequence([segment])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    for name, value in other.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def test_the_planes_of_a_segmentation_are_of_the_frames_that_they_reference(tmp_path: Path) -> None:
    planes = [
        (box(), sop_of(SWEEP), 2),
        (box(30), sop_of(SWEEP), 13),
        (box(), "1.2.3.4", 5),
        (box(20), "1.2.3.4", 6),
    ]
    with (tmp_path / "sops.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("sop_instance_uid", "frame_number", "frame"), ("1.2.3.4", 6, f"{SWEEP}_000000")])
    found = list(read_drawn(seg(tmp_path / "a.dcm", planes)))
    masks = drawn(found)
    assert set(masks) == {f"{SWEEP}/000001", f"{SWEEP}/000012", f"{SWEEP}/000000"}
    assert (masks[f"{SWEEP}/000012"] == box(30)).all()
    assert (masks[f"{SWEEP}/000000"] == box(20)).all()
    assert set(told(found)) == {"a.dcm plane 3"}
    assert "no sweep of this programme" in told(found)["a.dcm plane 3"]


def test_a_plane_of_several_source_images_is_of_none(tmp_path: Path) -> None:
    path = seg(tmp_path / "a.dcm", [(box(), sop_of(SWEEP), 2), (box(30), sop_of(SWEEP), 3)])
    data = pydicom.dcmread(path)
    derived = data.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
    derived.SourceImageSequence.append(derived.SourceImageSequence[0])
    data.save_as(path)
    found = list(read_drawn(path))
    assert list(drawn(found)) == [f"{SWEEP}/000002"]
    assert "names 2 source images" in told(found)["a.dcm plane 1"]


def test_a_fractional_segmentation_is_a_lesion_from_half_on(tmp_path: Path) -> None:
    path = seg(tmp_path / "a.dcm", [(box(), sop_of(SWEEP), 1)])
    data = pydicom.dcmread(path)
    data.SegmentationType, data.MaximumFractionalValue = "FRACTIONAL", 200
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    data.PixelData = (box(value=150) + box(30, value=100)).tobytes()
    data.save_as(path)
    assert (drawn(list(read_drawn(path)))[f"{SWEEP}/000000"] == box()).all()


def test_a_file_that_is_no_segmentation_is_refused_by_name(tmp_path: Path) -> None:
    seg(tmp_path / "image.dcm", [(box(), sop_of(SWEEP), 1)], SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
    (tmp_path / "broken.dcm").write_bytes(FOREIGN.read_bytes()[:900])
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    shutil.copy(FOREIGN, tmp_path / "whole.dcm")
    found = list(read_drawn(tmp_path))
    assert set(told(found)) == {"image.dcm", "broken.dcm", "broken.json", "broken.png"}
    assert len(drawn(found)) == 1
    assert told(list(read_drawn(tmp_path / "absent.txt")))["absent.txt"]
    assert pydicom.dcmread(FOREIGN).Manufacturer == "made up"
    assert uuid.UUID(int=int(sop_of(SWEEP).removeprefix("2.25."))) == uuid.UUID(SWEEP)
