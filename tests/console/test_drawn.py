"""A reader's mask is measured as a network's is: what `segment` measured of its own outline comes out again."""

import numpy as np
import pytest

from sonovan.console.drawn import measured
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import decode_verified
from sonovan.models.masks import decode_mask
from sonovan.stream_apps.segment.step import segment_envelope
from tests.stream_apps.segment.frames import NOW, TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter


def test_the_machines_own_mask_has_the_machines_measures() -> None:
    van = TestVan()
    value = van.frame(3)
    result = segment_envelope(value, append_time=NOW, registry=van.registry(), segmenter=ThresholdSegmenter())
    record, mask = result.record, result.objects[1].data
    pixels = decode_verified(
        open_envelope(value).payload, codec=record.codec, rows=record.rows, columns=record.columns,
        channels=record.channels, bits=record.bits, sha256=record.pixels_sha256,
    )  # fmt: skip
    labels = decode_mask(mask)
    found = measured(labels, labels, pixels, record.panels)
    assert found.mask == mask
    assert len(found.regions) == len(record.regions) > 0
    for drawn, machine in zip(found.regions, record.regions, strict=True):
        # The stand-in's polygon is not the outline of its mask, and corners are read off that.
        drawn_alike = drawn.measures.model_copy(update={"angularity": machine.measures.angularity})
        assert drawn_alike == machine.measures
        assert (drawn.box, drawn.area_px, drawn.panel) == (machine.box, machine.area_px, machine.panel)
        assert (drawn.malignant, drawn.descriptors, drawn.score_mean, drawn.predicted_dice) == (None, (), 1.0, 1.0)
    nothing = measured(labels * 0, labels, pixels, record.panels)
    assert (nothing.mask, nothing.regions) == (None, ())
    with pytest.raises(InvalidRecord, match="was drawn on a frame"):
        measured(np.zeros((2, 2), np.uint8), None, pixels, record.panels)
