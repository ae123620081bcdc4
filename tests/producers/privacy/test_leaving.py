"""What leaves the van: records of listed fields with cleaned pixels, and never a DICOM data set."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import DataElement
from pydicom.datadict import dictionary_VR, keyword_for_tag

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import Fatal
from sonovan.contracts.frame_codec import decode_verified
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import FrameCaptured, SequenceClosed
from sonovan.models.text import FoundText, Line, finder, open_finder
from sonovan.producers.deidentify.table import BASIC
from sonovan.producers.items import Item
from sonovan.producers.privacy import cleaned_source, open_cleaning
from sonovan.producers.screening import compose
from sonovan.producers.sources import CaptureOptions, Source, open_source
from tests.producers.files import write_dicom, write_png
from tests.producers.privacy.test_clean import Finds, named, tissue
from tests.producers.visits import SIGNER, VISIT

HER = "WANGXIUYING"
LEAVES = frozenset(
    "screening_id sequence_id frame_index van_id organ laterality view position nipple_distance_mm consent captured_at "  # noqa: SIM905
    "acquired_on time_ms rows columns channels bits codec pixels_sha256 panels blackened_px manufacturer model".split()
)
"""All that a frame's record says. A field more is a decision about privacy, and is made here too."""


def composed(*sources: Source, leaves: bool = True) -> list[Item]:
    items: list[Item] = []
    compose(sources, VISIT, SIGNER, items.append, leaves=leaves)
    return items


def dicom_that_names_her(path: Path) -> Path:
    """A sweep with her name in every text of Table E.1-1, in private attributes and in the picture."""
    tags = {}
    for tag in BASIC:
        keyword = keyword_for_tag(tag)
        if keyword and tag >> 16 > 2 and dictionary_VR(tag) in ("LO", "SH", "LT", "ST", "UT", "PN", "CS"):
            tags[keyword] = HER
    tags |= {"PatientBirthDate": "19520304", "PatientAge": "074Y", "Modality": "US", "StudyDate": "20260310"}
    write_dicom(path, [named(tissue())[0]] * 2, shape=(240, 320), **tags)
    from pydicom import dcmread

    dataset = dcmread(path)
    dataset.add(DataElement(0x00090010, "LO", HER))
    dataset.add(DataElement(0x00091001, "LO", HER))
    dataset.save_as(path)
    return path


def test_no_data_set_leaves_and_nothing_of_one_but_listed_fields(tmp_path: Path) -> None:
    path = dicom_that_names_her(tmp_path / f"{HER}.dcm")
    source = cleaned_source(open_source(path, CaptureOptions(organ="breast", side="left")), open_finder())
    items = composed(source)
    frames = [item for item in items if item.topic is Topic.FRAME_CAPTURED]
    assert len(frames) == 2
    for item in items:
        for written in (item.value, item.key, *(value for _, value in item.headers)):
            assert HER.encode() not in written
            assert b"DICM" not in written
            assert b"19520304" not in written
    ink = named(tissue())[1]
    for item in frames:
        envelope = open_envelope(item.value)
        header = FrameCaptured.decode(envelope.header)
        assert set(type(header).model_fields) == LEAVES
        shape = {"rows": header.rows, "columns": header.columns, "channels": header.channels, "bits": header.bits}
        pixels = decode_verified(envelope.payload, codec=header.codec, sha256=header.pixels_sha256, **shape)
        assert not pixels[ink].any()
        assert header.blackened_px >= np.count_nonzero(ink)


def test_a_frame_that_is_held_for_a_look_counts_and_is_named(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", tissue())
    line = Line(((100.0, 100.0), (160.0, 100.0), (160.0, 116.0), (100.0, 116.0)), 60, 16, 0.55)
    source = cleaned_source(open_source(path, CaptureOptions(organ="breast")), Finds(FoundText((), (line,))))
    items = composed(source)
    (frame,) = [item for item in items if item.topic is Topic.FRAME_CAPTURED]
    assert frame.held == "text_uncertain"
    (closed,) = [item for item in items if item.topic is Topic.SEQUENCE_CLOSED]
    closing = SequenceClosed.decode(open_envelope(closed.value).header)
    assert closing.frame_count == 1
    assert [aside.reason for aside in closing.set_aside] == ["text_uncertain"]


def test_a_picture_that_names_her_leaves_without_her_name(tmp_path: Path) -> None:
    shown, ink = named(tissue())
    colour = np.repeat(shown[..., None], 3, axis=2)
    cv2.putText(colour, "2026-03-10", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240, 220, 20), 1, cv2.LINE_AA)
    path = write_png(tmp_path / "a.png", colour)
    source = cleaned_source(open_source(path, CaptureOptions(organ="breast")), open_finder())
    (shot,) = source.read()
    assert not shot.pixels[ink].any()
    assert not shot.pixels[186:203, 60:150].any()


def test_a_van_without_the_network_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "PACKAGE", "a_package_that_is_not_here")
    open_finder.cache_clear()
    with pytest.raises(Fatal, match="not installed"):
        open_cleaning()
    monkeypatch.undo()
    open_finder.cache_clear()
