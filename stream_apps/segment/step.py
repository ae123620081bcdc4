"""Turn one `frame.captured` message into a result, without Kafka; the worker and the embedded run both call this.

Sync and safe to call from several threads. Nothing is retried here and nothing is sent.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sonovan.clinical.quality.features import brightness_of
from sonovan.clinical.region import Judged, region_of
from sonovan.clinical.registration import tissue_profile
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import Pixels, decode_verified
from sonovan.contracts.frames import Descriptor, FrameSegmented, Mode, PanelRefusal, Region, TissueProfile
from sonovan.contracts.record import header_document
from sonovan.contracts.van import FrameCaptured
from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import encode_mask
from sonovan.models.picture.colour import DOPPLER, ELASTOGRAPHY
from sonovan.models.picture.letterbox import Box
from sonovan.models.regions import FoundRegion
from sonovan.models.segmenter import Segmentation
from sonovan.storage.keys import Bucket, image_key, mask_key
from sonovan.storage.stores import CONTRADICTS, ObjectStore
from sonovan.stream_apps.claims import frame_claims
from sonovan.stream_apps.rejecting import Stored, Subject, Unusable, verified
from sonovan.stream_apps.segment.same_pixels import SamePixels
from sonovan.stream_apps.vans import VanRegistry

_REASONS: Final[Mapping[str, str]] = {"too_large": "pixels_too_large"}
"""What the models call a picture that they cannot take, where the contract has a word of its own."""

_TERMS: Final[Mapping[tuple[str, str], str]] = {
    ("breast", "echogenicity"): "echo_pattern",
    ("thyroid", "orientation"): "shape",
}
"""What the models call a descriptor, by organ, where the lexicon (sonovan.contracts.lexicon) has a name of its own."""


def term_name(organ: str, name: str) -> str:
    """The lexicon's name of a descriptor of the models."""
    return _TERMS.get((organ, name), name)


class LoadedNetwork(Protocol):
    """Weights on a runtime: `models.Segmenter`, or what stands for it in a test. Safe to call from several threads."""

    @property
    def model_id(self) -> str: ...
    @property
    def weights_sha256(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def provider(self) -> str: ...

    def segment(
        self, pixels: Pixels, organ: str, panels: Sequence[Box], spacing_mm: Sequence[tuple[float, float] | None]
    ) -> Segmentation:
        """Segment one frame, (rows, columns) or (rows, columns, 3), uint8 or uint16; spacing of each panel."""


@dataclass(frozen=True, slots=True)
class SegmentedFrame:
    """A frame's result, what must be durable before it is sent, and the receipt that goes after it."""

    record: FrameSegmented
    objects: tuple[Stored, ...]
    receipt: VanAnswered
    subject: Subject


def segment_envelope(
    value: bytes,
    *,
    append_time: datetime,
    registry: VanRegistry,
    segmenter: LoadedNetwork,
    key: bytes | None = None,
    same: SamePixels | None = None,
) -> SegmentedFrame:
    """Open, verify, decode, segment and measure one `frame.captured` message.

    value: the message's bytes. append_time: when the broker took it (UTC), by which a key is judged.
    key: the message's key, which must be the sequence's id; None where there was none to check (embedded run).
    same: what was found in frames before; a frame of the same pixels takes it over. None runs the network each time.
    A frame without regions, or one that is not assessable, is a result like any other.
    Raises Unusable (an InvalidRecord that knows whose frame it is, and whether the signature held).
    """
    started = perf_counter()
    envelope = open_envelope(value)
    document = header_document(envelope.header)
    subject = frame_claims(document)
    with _about(subject):
        if subject.van_id is None:
            raise InvalidRecord("record_invalid", "the header names no van")
        registry.verify(subject.van_id, append_time, envelope)
    subject = verified(subject)
    with _about(subject):
        frame = FrameCaptured.from_document(document)
        if key is not None and key != frame.sequence_id.encode():
            raise InvalidRecord("key_contradicts_record", "the message's key is not the sequence's id")
        if not frame.consent.to_analysis:
            raise InvalidRecord("consent_refused", "she did not agree to the screening, or not to a machine's reading")
        pixels = decode_verified(
            envelope.payload,
            codec=frame.codec,
            rows=frame.rows,
            columns=frame.columns,
            channels=frame.channels,
            bits=frame.bits,
            sha256=frame.pixels_sha256,
        )
        decode_ms = 1000 * (perf_counter() - started)
        # Opening the envelope has held the payload against its sha256.
        record, mask = segment_pixels(
            frame, pixels, envelope.payload_sha256.hex(), segmenter, decode_ms=decode_ms, same=same
        )
    image = Stored(Bucket.FRAMES, record.image_key, envelope.payload, "application/octet-stream")
    return SegmentedFrame(record, (image,) if mask is None else (image, mask), _stored(frame), subject)


def segment_pixels(
    frame: FrameCaptured,
    pixels: Pixels,
    image_sha256: str,
    segmenter: LoadedNetwork,
    *,
    decode_ms: float,
    shadow: str = "",
    same: SamePixels | None = None,
) -> tuple[FrameSegmented, Stored | None]:
    """Segment and measure a frame whose pixels are decoded: its result, and its mask where it has a region.

    pixels: as `LoadedNetwork.segment` takes them. image_sha256: of the coded frame, as it is stored. decode_ms: what
    decoding took, for the timings. shadow: prefix of the mask's key in a replay, "" in the live path. same: as for
    `segment_envelope`.
    Raises InvalidRecord for a picture that cannot be used.
    """
    started = perf_counter()
    found, repeats = _segmented(segmenter, pixels, frame, same)
    segmented = perf_counter()
    regions = tuple(_region(ordinal, region, found.grey, frame) for ordinal, region in enumerate(found.regions))
    mask = encode_mask(found.labels) if regions else None
    timings = {
        **{name: round(elapsed, 2) for name, elapsed in found.timings_ms.items()},
        "decode": round(decode_ms, 2),
        "segment": round(1000 * (segmented - started), 2),
        "measure": round(1000 * (perf_counter() - segmented), 2),
    }
    mask_sha256 = None if mask is None else hashlib.sha256(mask).hexdigest()
    image = image_key(frame.van_id, frame.sequence_id, frame.frame_index, frame.codec)
    stored = None
    if mask is not None and mask_sha256 is not None:
        place = (frame.van_id, frame.sequence_id, frame.frame_index)
        stored = Stored(Bucket.MASKS, mask_key(*place, segmenter.fingerprint, mask_sha256, shadow), mask, "image/png")
    mask_name = None if stored is None else stored.key
    digests = (image_sha256, mask_sha256)
    return _record(frame, found, regions, (image, mask_name), digests, segmenter, timings, repeats), stored


def subject_of(value: bytes, *, append_time: datetime, registry: VanRegistry) -> Subject:
    """Whose frame it is. Raises InvalidRecord where its signature does not hold."""
    envelope = open_envelope(value)
    subject = frame_claims(header_document(envelope.header))
    if subject.van_id is None:
        raise InvalidRecord("record_invalid", "the header names no van")
    registry.verify(subject.van_id, append_time, envelope)
    return verified(subject)


def put_objects(store: ObjectStore, frame: SegmentedFrame) -> None:
    """Make the frame's objects durable; doing it again is harmless.

    Raises Unusable `frame_contradicts_stored` when another frame of this id is stored already, Transient and Fatal
    as ObjectStore.put.
    """
    for item in frame.objects:
        with _about(frame.subject):
            try:
                store.put(item.bucket, item.key, item.data, item.content_type)
            except InvalidRecord as error:
                if error.reason == CONTRADICTS and item.bucket is Bucket.FRAMES:
                    raise InvalidRecord("frame_contradicts_stored", error.message) from None
                raise


@contextmanager
def _about(subject: Subject) -> Iterator[None]:
    """Turn an InvalidRecord raised in the block into an Unusable that knows whose record it was."""
    try:
        yield
    except Unusable:
        raise
    except InvalidRecord as error:
        raise Unusable(error, subject) from error


def _segmented(
    segmenter: LoadedNetwork, pixels: Pixels, frame: FrameCaptured, same: SamePixels | None
) -> tuple[Segmentation, int | None]:
    """What is found in a frame, and the index of the other frame of its sweep whose result that is, if it is one's."""
    network = (segmenter.fingerprint, segmenter.provider)
    if same is not None and (known := same.found(frame, network)) is not None:
        return known[1], None if known[0] == frame.frame_index else known[0]
    panels = [(panel.left, panel.top, panel.width, panel.height) for panel in frame.panels]
    try:
        found = segmenter.segment(pixels, frame.organ, panels, [panel.spacing_mm for panel in frame.panels])
    except UnusablePicture as error:
        raise InvalidRecord(_REASONS.get(error.reason, "record_invalid"), str(error)) from error
    if same is not None:
        same.keep(frame, network, found)
    return found, None


def _region(ordinal: int, found: FoundRegion, grey: NDArray[np.uint8], frame: FrameCaptured) -> Region:
    """The record of one region.

    Where the outline is not reliable, the malignant score and the descriptors stop here: nobody downstream has them.
    """
    judged = Judged(
        score_mean=found.score_mean,
        score_max=found.score_max,
        predicted_dice=found.quality,
        unconfirmed=found.unconfirmed,
        outline_unreliable=not found.reliable,
        malignant=found.malignant if found.reliable else None,
        descriptors=tuple(
            Descriptor(
                name=term_name(frame.organ, each.name), value=each.value, probability=round(float(each.probability), 3)
            )
            for each in (found.descriptors if found.reliable else ())
            if _may_be_said(term_name(frame.organ, each.name), frame)
        ),
    )
    return region_of(ordinal, found, grey, frame.panels[found.panel].spacing_mm, judged)


def _mode(found: Segmentation) -> Mode:
    """What a frame is a picture of, by the panels that were refused for their colour."""
    reasons = {each.reason for each in found.refusals}
    return "elastography" if ELASTOGRAPHY in reasons else "doppler" if DOPPLER in reasons else "grey"


def _may_be_said(term: str, frame: FrameCaptured) -> bool:
    """Whether a view shows what a word speaks of. "Taller than wide" is meant of transverse views of the thyroid alone.

    Source: Tessler et al., J Am Coll Radiol 14:587 (2017), "Shape".
    """
    return frame.organ != "thyroid" or term != "shape" or frame.view == "transverse"


def _tissue(found: Segmentation, frame: FrameCaptured) -> tuple[TissueProfile, ...]:
    refused = {each.panel for each in found.refusals}
    profiles = (
        tissue_profile(found.grey, panel.ordinal, (panel.left, panel.top, panel.width, panel.height))
        for panel in frame.panels
        if found.assessable and panel.ordinal not in refused
    )
    return tuple(each for each in profiles if each is not None)


def _brightness(found: Segmentation, frame: FrameCaptured) -> float | None:
    refused = {each.panel for each in found.refusals}
    panels = [each for each in frame.panels if found.assessable and each.ordinal not in refused]
    return brightness_of(found.grey, [(each.left, each.top, each.width, each.height) for each in panels])


def _record(
    frame: FrameCaptured,
    found: Segmentation,
    regions: tuple[Region, ...],
    keys: tuple[str, str | None],
    digests: tuple[str, str | None],
    segmenter: LoadedNetwork,
    timings: dict[str, float],
    repeats: int | None,
) -> FrameSegmented:
    """keys: of image and mask. digests: the sha256 of each."""
    return FrameSegmented(
        screening_id=frame.screening_id,
        sequence_id=frame.sequence_id,
        frame_index=frame.frame_index,
        van_id=frame.van_id,
        organ=frame.organ,
        laterality=frame.laterality,
        view=frame.view,
        position=frame.position,
        nipple_distance_mm=frame.nipple_distance_mm,
        mode=_mode(found),
        captured_at=frame.captured_at,
        acquired_on=frame.acquired_on,
        time_ms=frame.time_ms,
        rows=frame.rows,
        columns=frame.columns,
        channels=frame.channels,
        bits=frame.bits,
        codec=frame.codec,
        pixels_sha256=frame.pixels_sha256,
        panels=frame.panels,
        regions=regions,
        quality=round(float(found.quality), 3),
        assessable=bool(found.assessable),
        not_assessable_reason=found.reason,
        sharpness=found.sharpness,
        brightness=_brightness(found, frame),
        tissue=_tissue(found, frame),
        refusals=tuple(PanelRefusal(panel=each.panel, reason=each.reason) for each in found.refusals),
        image_key=keys[0],
        image_sha256=digests[0],
        mask_key=keys[1],
        mask_sha256=digests[1],
        model_id=segmenter.model_id,
        weights_sha256=segmenter.weights_sha256,
        fingerprint=segmenter.fingerprint,
        provider=segmenter.provider,
        timings_ms=timings,
        repeats=repeats,
        manufacturer=frame.manufacturer,
        scanner_model=frame.model,
    )


def _stored(frame: FrameCaptured) -> VanAnswered:
    return VanAnswered(
        van_id=frame.van_id,
        kind="stored",
        screening_id=frame.screening_id,
        item_id=frame.item_id,
        content_sha256=frame.pixels_sha256,
    )
