"""Records of one van, signed as they should be, of which `benchmarks/hostile_van.py` makes hostile ones."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import seal, seal_header
from sonovan.contracts.frame_codec import DEFAULT_CODEC, Pixels, encode_pixels, pixels_sha256
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, FrameCaptured, Panel, ScreeningOpened, SequenceClosed
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.items import Signer

AGREED: Final = Consent(screening=True, ai=True)
WHOLE: Final[tuple[Panel, ...]] = ()
"""Stands for one panel of the whole frame."""

Made: TypeAlias = tuple[Topic, str, bytes]
"""A message: topic, key, value."""


class OwnRecords:
    """Makes a van's records and their messages. signer: its key."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sealed(self, record: Record) -> bytes:
        """The record's envelope."""
        return seal(record, self._signer.private_key)

    def sealed_document(self, document: dict[str, Any]) -> bytes:
        """The envelope of whatever the document says."""
        return seal_header(json.dumps(document).encode(), self._signer.private_key)

    def opening_record(self, screening_id: str, van_id: str | None = None) -> ScreeningOpened:
        """An opening. van_id: who it says that it is, None: this van."""
        return ScreeningOpened(
            screening_id=screening_id,
            van_id=van_id or self._signer.van_id,
            subject_key="ab" * 32,
            site_code="site-1",
            opened_at=now(),
            consent=AGREED,
        )

    def opening(self, screening_id: str) -> Made:
        """The message of an opening."""
        return Topic.SCREENING_OPENED, screening_id, self.sealed(self.opening_record(screening_id))

    def closing_record(self, screening_id: str, sequence_id: str, frame_count: int = 3) -> SequenceClosed:
        """A sequence's closing."""
        return SequenceClosed(
            screening_id=screening_id,
            sequence_id=sequence_id,
            van_id=self._signer.van_id,
            closing_number=1,
            frame_count=frame_count,
            frames_digest=frames_digest(["ab" * 32]),
            organ="breast",
            closed_at=now(),
        )

    def closing(self, screening_id: str, sequence_id: str | None = None, frame_count: int = 3) -> Made:
        """The message of a sequence's closing."""
        record = self.closing_record(screening_id, sequence_id or mint_id(), frame_count)
        return Topic.SEQUENCE_CLOSED, screening_id, self.sealed(record)

    def features(self, screening_id: str, number: int) -> Made:
        """The message of a clinical record of this number."""
        record = FeaturesRecorded(
            screening_id=screening_id,
            van_id=self._signer.van_id,
            features_number=number,
            recorded_at=now(),
            age_years=number % 100,
        )
        return Topic.FEATURES_RECORDED, screening_id, self.sealed(record)

    def frame(
        self,
        coded: "Coded | None" = None,
        private: bytes | None = None,
        changes: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Made:
        """A frame's message. coded: its pixels; private: another key than its own; changes: to the finished header."""
        picture = coded or self.small
        rows, columns = picture.shape
        header = FrameCaptured.model_validate(
            {
                "screening_id": mint_id(),
                "sequence_id": mint_id(),
                "frame_index": 0,
                "van_id": self._signer.van_id,
                "organ": "breast",
                "consent": AGREED,
                "captured_at": now(),
                "rows": rows,
                "columns": columns,
                "channels": 1,
                "bits": 8,
                "codec": DEFAULT_CODEC,
                "pixels_sha256": picture.sha256,
                **fields,
                "panels": fields.get("panels", WHOLE) or side_by_side([(0, 0, columns, rows)]),
            }
        )
        encoded = json.dumps(document_of(header) | (changes or {})).encode()
        value = seal_header(encoded, private or self._signer.private_key, picture.payload)
        return Topic.FRAME_CAPTURED, header.sequence_id, value

    @cached_property
    def small(self) -> "Coded":
        """64 by 640 pixels of speckle with something bright in it."""
        speckle = np.random.default_rng(1).integers(20, 90, (64, 640), dtype=np.uint8)
        speckle[20:44, 100:150] = 230
        return Coded.of(speckle)

    @cached_property
    def smallest(self) -> "Coded":
        """32 by 32 pixels of it: what one forward pass of the network costs, in a kilobyte."""
        speckle = np.random.default_rng(1).integers(20, 90, (32, 32), dtype=np.uint8)
        speckle[10:22, 8:24] = 230
        return Coded.of(speckle)

    @cached_property
    def widest(self) -> "Coded":
        """16 megapixels of a breast with a lesion, drawn large: a megabyte of coded pixels."""
        picture = simulate_sweep("breast", frames=3, size=(256, 256), lesions=1).frames[1]
        return Coded.of(np.kron(picture, np.ones((16, 16), np.uint8)))


@dataclass(frozen=True, slots=True)
class Coded:
    """Pixels coded once, for many messages. shape: (rows, columns)."""

    shape: tuple[int, int]
    sha256: str
    payload: bytes

    @classmethod
    def of(cls, pixels: Pixels) -> "Coded":
        """Code grey pixels."""
        rows, columns = pixels.shape
        return cls((rows, columns), pixels_sha256(pixels), encode_pixels(pixels))


def document_of(record: Record) -> dict[str, Any]:
    """The record's JSON object."""
    document: dict[str, Any] = json.loads(record.encode())
    return document


def side_by_side(boxes: list[tuple[int, int, int, int]]) -> tuple[Panel, ...]:
    """Panels with these boxes: left, top, width, height."""
    return tuple(
        Panel(ordinal=number, left=left, top=top, width=width, height=height)
        for number, (left, top, width, height) in enumerate(boxes)
    )


def now() -> datetime:
    """The time of a record: nobody lies here."""
    return datetime.now(UTC)
