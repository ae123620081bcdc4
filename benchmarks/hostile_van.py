"""A van that was taken over: valid keys, a valid Kafka account, and whatever may harm the centre, in a seeded order.

`HostileVan.messages` never ends and is the same for the same seed, ids aside. Each kind of message is one method; how
often it comes stands in `WEIGHTS`. Nothing here sends: `benchmarks/hostile.py` does.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import seal, seal_header
from sonovan.contracts.frame_codec import DEFAULT_CODEC, Pixels, encode_pixels, pixels_sha256
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import KIB, MAX_FRAMES, MAX_SEQUENCES, MAX_SET_ASIDE, MAX_VALUE_BYTES, MIB
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import (
    Consent,
    FrameCaptured,
    Panel,
    PlannedRegion,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    SetAside,
)
from sonovan.contracts.words import NOTES
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.items import Signer

CONTROL: Final = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
)
AGREED: Final = Consent(screening=True, ai=True)
WHOLE: Final[tuple[Panel, ...]] = ()
"""Stands for one panel of the whole frame."""

FLOOD: Final = 100
"""Small records in one burst."""

LONGEST_NOTE: Final = max(NOTES, key=len)

WEIGHTS: Final[dict[str, float]] = {
    "random_bytes": 20,
    "mutated": 20,
    "forged": 10,
    "other_vans_sweep": 6,
    "too_large": 0.3,
    "nested": 6,
    "nested_31_mib": 0.3,
    "full_records": 10,
    "fat_closing": 20,
    "revised_again": 20,
    "replayed": 15,
    "frame_at_the_pixel_limit": 0.5,
    "sixteen_panels": 1,
    "panels_that_overlap": 2,
    "no_consent": 6,
    "closing_numbers": 10,
    "unknown_kinds": 8,
    "another_key": 4,
    "flood": 0.5,
}
"""How often each kind comes, against the others."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message as Kafka gets it, and which kind of attack it belongs to."""

    kind: str
    topic: Topic
    key: bytes
    value: bytes


class HostileVan:
    """Makes the messages of one taken-over van.

    signer: its key, which is valid. others: names of vans that it knows. sweeps: ids of screenings and sequences of
    other vans, as (screening_id, sequence_id); the list may grow while messages are made.
    """

    def __init__(self, signer: Signer, others: list[str], sweeps: list[tuple[str, str]], seed: int) -> None:
        self._signer, self._others, self._sweeps = signer, others, sweeps
        self._chance = random.Random(seed)
        self._stranger = generate_key()
        self._sent: list[Hostile] = []
        self._filled, self._revised = mint_id(), mint_id()
        self._revised_sequence = mint_id()
        self._closings = self._revisions = self._frames = 0

    def messages(self) -> Iterator[Hostile]:
        """All that it ever sends, one after another, without end."""
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        while True:
            yield from self.attack(self._chance.choices(kinds, weights)[0])

    def attack(self, kind: str) -> Iterator[Hostile]:
        """The messages of one attack of this kind."""
        make: Callable[[], list[tuple[Topic, str, bytes]]] = getattr(self, f"_{kind}")
        for topic, key, value in make():
            made = Hostile(kind, topic, key.encode(), value)
            if kind != "replayed" and len(value) < 256 * KIB:
                self._sent = [*self._sent[-199:], made]
            yield made

    # What nobody can read

    def _random_bytes(self) -> list[tuple[Topic, str, bytes]]:
        size = int(2 ** self._chance.uniform(0, 16))
        return [(self._any_topic(), self._any_id(), self._chance.randbytes(size))]

    def _mutated(self) -> list[tuple[Topic, str, bytes]]:
        topic, key, value = self._chance.choice((self._opening(mint_id()), self._closing(mint_id()), self._frame()))
        data = bytearray(value)
        match self._chance.randrange(4):
            case 0:
                del data[self._chance.randrange(len(data)) :]
            case 1:
                place = self._chance.randrange(len(data))
                data[place:place] = self._chance.randbytes(self._chance.randrange(1, 64))
            case 2:
                data += self._chance.randbytes(16)
            case _:
                for _ in range(self._chance.randrange(1, 8)):
                    data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        return [(topic, key, bytes(data))]

    def _too_large(self) -> list[tuple[Topic, str, bytes]]:
        return [(self._any_topic(), mint_id(), self._chance.randbytes(8 * KIB) * (MAX_VALUE_BYTES // (8 * KIB) - 1))]

    def _nested(self) -> list[tuple[Topic, str, bytes]]:
        return [(self._any_topic(), mint_id(), self._bomb(200 * KIB))]

    def _nested_31_mib(self) -> list[tuple[Topic, str, bytes]]:
        return [(self._any_topic(), mint_id(), self._bomb(31 * MIB))]

    def _bomb(self, size: int) -> bytes:
        start = b"\x85\xa1v\x01\xa6header"
        return self._chance.choice(
            (
                b"\x81\xa6header\xdd" + size.to_bytes(4, "big") + b"\x90" * size,
                b"\xdf" + (size // 2).to_bytes(4, "big") + b"\x01\x90" * (size // 2),
                start + b"\x91" * size,
                start + b"\x81\xa1a" * (size // 3),
            )
        )

    # What others should have signed

    def _forged(self) -> list[tuple[Topic, str, bytes]]:
        victim = self._chance.choice([*self._others, "van-nobody"])
        record = self._opening_record(mint_id(), victim)
        if self._chance.random() < 0.5:
            return [(Topic.SCREENING_OPENED, record.screening_id, seal(record, self._signer.private_key))]
        topic, key, value = self._frame(van_id=victim, private=self._chance.choice((self._stranger, None)))
        return [(topic, key, value)]

    def _other_vans_sweep(self) -> list[tuple[Topic, str, bytes]]:
        """Under ids of another van, signed as itself: frames, a closing, an opening."""
        screening_id, sequence_id = self._chance.choice(self._sweeps or [(mint_id(), mint_id())])
        return [
            self._frame(screening_id=screening_id, sequence_id=sequence_id, frame_index=self._chance.randrange(8)),
            self._closing(screening_id, sequence_id),
            self._opening(screening_id),
        ]

    # What fits every limit, or is just above it

    def _full_records(self) -> list[tuple[Topic, str, bytes]]:
        screening_id = mint_id()
        planned = tuple(PlannedRegion(organ="breast", side="left") for _ in range(64))
        opening = self._opening_record(screening_id).model_copy(update={"planned": planned})
        closing = ScreeningClosed(
            screening_id=screening_id,
            van_id=self._signer.van_id,
            closing_number=1,
            sequence_ids=tuple(mint_id() for _ in range(MAX_SEQUENCES)),
            quality_warnings=(LONGEST_NOTE,) * 64,
            closed_at=_now(),
        )
        return [
            (Topic.SCREENING_OPENED, screening_id, self._sealed(opening)),
            self._features(screening_id, 1),
            (Topic.SCREENING_CLOSED, screening_id, self._sealed(closing)),
        ]

    def _fat_closing(self) -> list[tuple[Topic, str, bytes]]:
        """Fill the rows of one screening with the largest closings there are, then the next one's."""
        self._closings += 1
        opened = []
        if self._closings % 30 == 1:
            self._filled = mint_id()
            opened = [self._opening(self._filled)]
        aside = tuple(
            SetAside(frame_index=200 * place, frames=1 + self._closings % 100, reason=LONGEST_NOTE, discarded=True)
            for place in range(MAX_SET_ASIDE)
        )
        fat = self._closing_record(self._filled, mint_id()).model_copy(
            update={"frame_count": MAX_FRAMES, "set_aside": aside}
        )
        return [*opened, (Topic.SEQUENCE_CLOSED, self._filled, self._sealed(fat))]

    def _revised_again(self) -> list[tuple[Topic, str, bytes]]:
        """Have one screening revised with every clinical record, and let it grow by a frame now and then."""
        self._revisions += 1
        made = []
        if self._revisions == 1:
            made = [
                self._opening(self._revised),
                self._closing(self._revised, self._revised_sequence, frame_count=MAX_FRAMES),
                (
                    Topic.SCREENING_CLOSED,
                    self._revised,
                    self._sealed(
                        ScreeningClosed(
                            screening_id=self._revised,
                            van_id=self._signer.van_id,
                            closing_number=1,
                            sequence_ids=(self._revised_sequence,),
                            closed_at=_now(),
                        )
                    ),
                ),
            ]
        if self._revisions % 3 == 0:
            sequence_id, index = self._revised_sequence, self._frames % MAX_FRAMES
            made.append(self._frame(screening_id=self._revised, sequence_id=sequence_id, frame_index=index))
            self._frames += 1
        return [*made, self._features(self._revised, self._revisions)]

    def _frame_at_the_pixel_limit(self) -> list[tuple[Topic, str, bytes]]:
        boxes = [(1024 * (number % 4), 1024 * (number // 4), 1024, 1024) for number in range(16)]
        return [self._frame(self._widest, panels=_panels(boxes) if self._chance.random() < 0.5 else WHOLE)]

    def _sixteen_panels(self) -> list[tuple[Topic, str, bytes]]:
        """Sixteen panels side by side: each is a picture of its own for the network."""
        return [self._frame(panels=_panels([(40 * number, 0, 40, 64) for number in range(16)]))]

    def _panels_that_overlap(self) -> list[tuple[Topic, str, bytes]]:
        box = {"left": 0, "top": 0, "width": 640, "height": 64}
        return [self._frame(changes={"panels": [{"ordinal": number, **box} for number in range(16)]})]

    # What may not be

    def _no_consent(self) -> list[tuple[Topic, str, bytes]]:
        screening_id = mint_id()
        refused = Consent(screening=True, ai=False)
        opening = self._opening_record(screening_id).model_copy(update={"consent": refused})
        return [
            self._frame(screening_id=screening_id, consent=refused),
            self._frame(screening_id=screening_id),
            (Topic.SCREENING_OPENED, screening_id, self._sealed(opening)),
        ]

    def _closing_numbers(self) -> list[tuple[Topic, str, bytes]]:
        screening_id, sequence_id = mint_id(), mint_id()
        numbers = [10**70, -1, 0, 2**31 - 1, 2**31, 1.5, True, 3, 2]
        number = self._chance.choice(numbers)
        document = _document(self._closing_record(screening_id, sequence_id)) | {"closing_number": number}
        return [(Topic.SEQUENCE_CLOSED, screening_id, self._sealed_document(document))]

    def _unknown_kinds(self) -> list[tuple[Topic, str, bytes]]:
        screening_id = mint_id()
        schema = self._chance.choice(("sequence.closed/9.0", "nonsense/1.0", "frame.segmented/1.0", "", "x/y/z"))
        document = _document(self._closing_record(screening_id, mint_id())) | {"schema": schema}
        return [(self._any_topic(), screening_id, self._sealed_document(document))]

    def _another_key(self) -> list[tuple[Topic, str, bytes]]:
        topic, _, value = self._chance.choice((self._closing(mint_id()), self._frame()))
        return [(topic, self._any_id(), value)]

    # Again and again

    def _replayed(self) -> list[tuple[Topic, str, bytes]]:
        if not self._sent:
            return []
        again = self._chance.choice(self._sent)
        return [(again.topic, again.key.decode(errors="replace"), again.value)]

    def _flood(self) -> list[tuple[Topic, str, bytes]]:
        screening_id = mint_id()
        return [self._closing(screening_id, mint_id()) for _ in range(FLOOD)]

    # Parts

    def _any_topic(self) -> Topic:
        return self._chance.choice((Topic.FRAME_CAPTURED, *CONTROL))

    def _any_id(self) -> str:
        return self._chance.choice((mint_id(), "", "x" * 200))

    def _sealed(self, record: Record) -> bytes:
        return seal(record, self._signer.private_key)

    def _sealed_document(self, document: dict[str, Any]) -> bytes:
        return seal_header(json.dumps(document).encode(), self._signer.private_key)

    def _opening_record(self, screening_id: str, van_id: str | None = None) -> ScreeningOpened:
        return ScreeningOpened(
            screening_id=screening_id,
            van_id=van_id or self._signer.van_id,
            subject_key="ab" * 32,
            site_code="site-1",
            opened_at=_now(),
            consent=AGREED,
        )

    def _opening(self, screening_id: str) -> tuple[Topic, str, bytes]:
        return Topic.SCREENING_OPENED, screening_id, self._sealed(self._opening_record(screening_id))

    def _closing_record(self, screening_id: str, sequence_id: str, frame_count: int = 3) -> SequenceClosed:
        return SequenceClosed(
            screening_id=screening_id,
            sequence_id=sequence_id,
            van_id=self._signer.van_id,
            closing_number=1,
            frame_count=frame_count,
            frames_digest=frames_digest(["ab" * 32]),
            organ="breast",
            closed_at=_now(),
        )

    def _closing(
        self, screening_id: str, sequence_id: str | None = None, frame_count: int = 3
    ) -> tuple[Topic, str, bytes]:
        record = self._closing_record(screening_id, sequence_id or mint_id(), frame_count)
        return Topic.SEQUENCE_CLOSED, screening_id, self._sealed(record)

    def _features(self, screening_id: str, number: int) -> tuple[Topic, str, bytes]:
        record = FeaturesRecorded(
            screening_id=screening_id,
            van_id=self._signer.van_id,
            features_number=number,
            recorded_at=_now(),
            age_years=number % 100,
        )
        return Topic.FEATURES_RECORDED, screening_id, self._sealed(record)

    def _frame(
        self,
        coded: "Coded | None" = None,
        private: bytes | None = None,
        changes: dict[str, Any] | None = None,
        **fields: Any,
    ) -> tuple[Topic, str, bytes]:
        """A frame's message. coded: its pixels; private: another key than its own; changes: to the finished header."""
        picture = coded or self._small
        rows, columns = picture.shape
        header = FrameCaptured.model_validate(
            {
                "screening_id": mint_id(),
                "sequence_id": mint_id(),
                "frame_index": 0,
                "van_id": self._signer.van_id,
                "organ": "breast",
                "consent": AGREED,
                "captured_at": _now(),
                "rows": rows,
                "columns": columns,
                "channels": 1,
                "bits": 8,
                "codec": DEFAULT_CODEC,
                "pixels_sha256": picture.sha256,
                **fields,
                "panels": fields.get("panels", WHOLE) or _panels([(0, 0, columns, rows)]),
            }
        )
        encoded = json.dumps(_document(header) | (changes or {})).encode()
        value = seal_header(encoded, private or self._signer.private_key, picture.payload)
        return Topic.FRAME_CAPTURED, header.sequence_id, value

    @cached_property
    def _small(self) -> "Coded":
        """64 by 640 pixels of speckle with something bright in it."""
        speckle = np.random.default_rng(1).integers(20, 90, (64, 640), dtype=np.uint8)
        speckle[20:44, 100:150] = 230
        return Coded.of(speckle)

    @cached_property
    def _widest(self) -> "Coded":
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


def _document(record: Record) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(record.encode())
    return document


def _panels(boxes: list[tuple[int, int, int, int]]) -> tuple[Panel, ...]:
    return tuple(
        Panel(ordinal=number, left=left, top=top, width=width, height=height)
        for number, (left, top, width, height) in enumerate(boxes)
    )


def _now() -> datetime:
    return datetime.now(UTC)
