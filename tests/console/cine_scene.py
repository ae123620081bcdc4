"""A screening whose every frame says in its own pixels which one it is, so that a wrong frame on a screen is found out.

A row of sixteen squares holds the index in binary, white is 1; a bright disc lies elsewhere on each frame, and the
machine's mask is that disc.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from sonovan.contracts.frame_codec import encode_pixels, pixels_sha256
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.record import Record
from sonovan.contracts.results import Finding, Member
from sonovan.contracts.van import Panel
from sonovan.models.masks import encode_mask
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, image_key, mask_key
from tests.clinical.records import VAN, adequacy, assessed, finding, region, segmented, sequence_closed, sha, sighting
from tests.stream_apps.catalog.scene import changes, opened, recorded

SQUARE: Final = 12
BITS: Final = 16
RADIUS: Final = 20
FINGERPRINT: Final = sha("network with companions")

Pixels = NDArray[np.uint8]


def numbered(index: int, rows: int = 240, columns: int = 320) -> Pixels:
    """A grey frame that holds its index."""
    row, column = np.mgrid[:rows, :columns]
    frame = np.asarray(40 + 60 * column / columns + 30 * row / rows, np.uint8)
    for bit in range(BITS):
        frame[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 255 if index >> bit & 1 else 0
    frame[disc(index, rows, columns)] = 220
    return frame


def disc(index: int, rows: int = 240, columns: int = 320) -> NDArray[np.bool_]:
    """Where the disc of a frame lies."""
    row, column = np.mgrid[:rows, :columns]
    across, down = 40 + (index * 7) % (columns - 80), 60 + (index * 5) % (rows - 100)
    return np.asarray((column - across) ** 2 + (row - down) ** 2 <= RADIUS**2, np.bool_)


@dataclass(frozen=True)
class Clip:
    """One sweep to be made. pictures: the frame of an index. coloured ones have no mask, as the machine draws none."""

    sequence_id: str
    count: int
    rows: int = 240
    columns: int = 320
    organ: Organ = "breast"
    laterality: Side = "left"
    spacing_mm: tuple[float, float] | None = (0.1, 0.1)
    coloured: bool = False
    picture: Callable[[int, int, int], Pixels] = numbered
    mask: Callable[[int, int, int], NDArray[np.bool_]] = disc
    poor: Sequence[int] = ()


@dataclass
class Made:
    """What was made: the results by frame id."""

    screening_id: str
    frames: dict[str, FrameSegmented] = field(default_factory=dict)


def make_screening(
    connection: Connection,
    store: FolderStore,
    screening_id: str,
    clips: Sequence[Clip],
    *,
    findings: Sequence[Finding] = (),
    more: Sequence[Record] = (),
    site_code: str = "site-1",
    subject_key: str = "a" * 64,
    **answers: Any,
) -> Made:
    """Store the frames of a screening and write all that is said of it into the catalogue."""
    made = Made(screening_id)
    told: list[Any] = [
        opened(screening_id=screening_id, site_code=site_code, subject_key=subject_key),
        recorded(1, **answers).model_copy(update={"screening_id": screening_id}),
    ]
    for clip in clips:
        for index in range(clip.count):
            frame = _frame(store, screening_id, clip, index)
            made.frames[frame.frame_id] = frame
            told.append(frame)
        told.append(sequence_closed(clip.count, screening_id=screening_id, sequence_id=clip.sequence_id))
    sides = (adequacy(), adequacy(laterality="right", level="not_examined"))
    told.append(assessed(screening_id=screening_id, findings=tuple(findings), adequacy=sides))
    told += more
    write(connection, changes(told))
    return made


def lesion(clip: Clip, first: int, last: int, number: int = 1) -> Finding:
    """A finding that one sweep shows on the frames from the first to the last; the middle one is its key frame."""
    members = tuple(Member(frame_id=f"{clip.sequence_id}/{index:06d}", ordinal=0) for index in range(first, last + 1))
    seen = sighting(
        sequence_id=clip.sequence_id,
        members=members,
        frame_span=(first, last),
        key_frame_id=members[len(members) // 2].frame_id,
    )
    return finding(number, sightings=(seen,), organ=clip.organ, laterality=clip.laterality)


def _frame(store: FolderStore, screening_id: str, clip: Clip, index: int) -> FrameSegmented:
    grey = clip.picture(index, clip.rows, clip.columns)
    pixels = np.stack([grey, grey // 2, 255 - grey], axis=2) if clip.coloured else grey
    coded = encode_pixels(pixels)
    key = image_key(VAN, clip.sequence_id, index, "jpegls")
    _put(store, Bucket.FRAMES, key, coded)
    named: dict[str, Any] = {"mask_key": None, "mask_sha256": None}
    regions: tuple[Region, ...] = ()
    if not clip.coloured:
        mask = encode_mask(np.asarray(clip.mask(index, clip.rows, clip.columns), np.uint8))
        digest = hashlib.sha256(mask).hexdigest()
        masked = mask_key(VAN, clip.sequence_id, index, FINGERPRINT, digest)
        _put(store, Bucket.MASKS, masked, mask)
        named = {"mask_key": masked, "mask_sha256": digest}
        regions = (region(predicted_dice=0.8),)
    column_mm, row_mm = clip.spacing_mm or (None, None)
    box = {"left": 0, "top": 0, "width": clip.columns, "height": clip.rows}
    return segmented(
        index,
        regions,
        screening_id=screening_id,
        sequence_id=clip.sequence_id,
        organ=clip.organ,
        laterality=clip.laterality,
        rows=clip.rows,
        columns=clip.columns,
        channels=3 if clip.coloured else 1,
        mode="doppler" if clip.coloured else "grey",
        codec="jpegls",
        pixels_sha256=pixels_sha256(pixels),
        panels=(Panel(ordinal=0, column_mm=column_mm, row_mm=row_mm, **box),),
        quality=0.3 if index in clip.poor else 0.9,
        assessable=index not in clip.poor,
        not_assessable_reason="no_contact" if index in clip.poor else None,
        time_ms=index * 1000 / 30,
        image_key=key,
        image_sha256=hashlib.sha256(coded).hexdigest(),
        fingerprint=FINGERPRINT,
        **named,
    )


def _put(store: FolderStore, bucket: Bucket, key: str, data: bytes) -> None:
    path = store.path(bucket, key)  # not `put`: a thousand files need not each be safe from a power cut
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
