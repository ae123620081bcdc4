"""A screening as `assess` hears it, without Kafka: real records, real signatures, rows in a dict."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import seal
from sonovan.contracts.frames import FrameSegmented, Region, RegionMeasures
from sonovan.contracts.ids import mint_id
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningTicked
from sonovan.contracts.reviews import Compared, FrameReviewed
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import (
    Consent,
    Panel,
    PlannedRegion,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    VanEnrolled,
)
from sonovan.stream_apps.assess.step import Decided, assess
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message, Rows
from sonovan.stream_apps.vans import VanRegistry

EPOCH = datetime(2026, 3, 1, 8, tzinfo=UTC)
DEADLINE = timedelta(minutes=10)
WEIGHTS = "ab" * 32
AGREED = Consent(screening=True, ai=True)

Written = Literal["all", "received", "none"]


def pixels_hash(index: int) -> str:
    return hashlib.sha256(f"frame {index}".encode()).hexdigest()


class Scene:
    """One van, one screening with one sweep of `frames` frames; `lesion` are the frames that show it."""

    def __init__(self, frames: int, lesion: Iterable[int] = ()) -> None:
        self.private, self.van_id = generate_key(), "van-1"
        self.screening_id, self.sequence_id = mint_id(1), mint_id(2)
        self.frames, self.lesion = frames, frozenset(lesion)

    def opened(self, van_id: str | None = None, consent: Consent = AGREED) -> tuple[Topic, Record]:
        return Topic.SCREENING_OPENED, ScreeningOpened(
            screening_id=self.screening_id,
            van_id=van_id or self.van_id,
            subject_key="cd" * 32,
            site_code="site-1",
            opened_at=EPOCH,
            planned=(PlannedRegion(organ="breast", side="left"),),
            consent=consent,
        )

    def sequence_closed(
        self, number: int = 1, count: int | None = None, digest: str | None = None
    ) -> tuple[Topic, Record]:
        count = self.frames if count is None else count
        return Topic.SEQUENCE_CLOSED, SequenceClosed(
            screening_id=self.screening_id,
            sequence_id=self.sequence_id,
            van_id=self.van_id,
            closing_number=number,
            frame_count=count,
            frames_digest=digest or frames_digest(pixels_hash(index) for index in range(count)),
            organ="breast",
            laterality="left",
            closed_at=EPOCH,
        )

    def screening_closed(self, number: int = 1, sequences: Sequence[str] | None = None) -> tuple[Topic, Record]:
        return Topic.SCREENING_CLOSED, ScreeningClosed(
            screening_id=self.screening_id,
            van_id=self.van_id,
            closing_number=number,
            sequence_ids=tuple(sequences) if sequences is not None else (self.sequence_id,),
            closed_at=EPOCH,
        )

    def frame(
        self,
        index: int,
        weights: str = WEIGHTS,
        score: float = 0.9,
        pixels: str | None = None,
        fingerprint: str | None = None,
    ) -> tuple[Topic, Record]:
        left = 100 + 2 * index
        region = Region(
            ordinal=0,
            panel=0,
            polygon=((left, 100.0), (left + 40, 100.0), (left + 40, 130.0), (left, 130.0)),
            box=(left, 100, 41, 31),
            centroid=(left + 20.0, 115.0),
            area_px=1271,
            score_mean=score,
            score_max=0.99,
            measures=RegionMeasures(
                long_axis_px=46.0,
                short_axis_px=35.0,
                orientation_deg=0.0,
                circularity=0.8,
                solidity=1.0,
                mean_grey=40.0,
            ),
        )
        return Topic.FRAME_SEGMENTED, FrameSegmented(
            screening_id=self.screening_id,
            sequence_id=self.sequence_id,
            frame_index=index,
            van_id=self.van_id,
            organ="breast",
            laterality="left",
            captured_at=EPOCH + timedelta(milliseconds=33 * index),
            time_ms=33.0 * index,
            rows=480,
            columns=640,
            channels=1,
            bits=8,
            codec="test",
            pixels_sha256=pixels or pixels_hash(index),
            panels=(Panel(ordinal=0, left=0, top=0, width=640, height=480),),
            regions=(region,) if index in self.lesion else (),
            quality=0.9,
            assessable=True,
            image_key="image",
            image_sha256="1" * 64,
            mask_key="mask" if index in self.lesion else None,
            mask_sha256="1" * 64 if index in self.lesion else None,
            model_id="model-1",
            weights_sha256=weights,
            fingerprint=fingerprint or weights,
            provider="cpu/fp32",
            timings_ms={"segment": 1.0},
        )

    def promoted(self, fingerprint: str, number: int = 1, **other: Any) -> tuple[Topic, Record]:
        """The network of this fingerprint shall count. number: of the promotions of this screening, in their order."""
        fields: dict[str, Any] = {
            "promotion_id": mint_id(1_000 + number, lambda count: bytes([number]) * count),
            "screening_id": self.screening_id,
            "van_id": self.van_id,
            "model_id": "model-2",
            "weights_sha256": fingerprint,
            "fingerprint": fingerprint,
            "because": "network_replaced",
            "by": "op-7",
            "promoted_at": EPOCH,
        }
        return Topic.SCREENING_PROMOTED, ScreeningPromoted(**{**fields, **other})

    def reviewed(
        self, index: int, number: int, regions: Sequence[Region] | None = None, **other: Any
    ) -> tuple[Topic, Record]:
        """A reader's review of a frame; number: of the reviews, in their order. regions: as the reader drew them."""
        result = self.frame(index)[1]
        assert isinstance(result, FrameSegmented)
        drawn = bool(regions)
        fields: dict[str, Any] = {
            "review_id": mint_id(2_000 + number, lambda count: bytes([number]) * count),
            "screening_id": self.screening_id,
            "sequence_id": self.sequence_id,
            "frame_index": index,
            "van_id": self.van_id,
            "organ": "breast",
            "image_key": result.image_key,
            "image_sha256": result.image_sha256,
            "reader": "dr-1",
            "blind": False,
            "verdict": "corrected",
            "mask_key": "drawn" if drawn else None,
            "mask_sha256": "2" * 64 if drawn else None,
            "compared": Compared(
                model_id=result.model_id,
                weights_sha256=result.weights_sha256,
                fingerprint=result.fingerprint,
                mask_key=result.mask_key,
                mask_sha256=result.mask_sha256,
                assessable=True,
            ),
            "regions": None if regions is None else tuple(regions),
            "origin": "console",
            "reviewed_at": EPOCH,
        }
        return Topic.FRAME_REVIEWED, FrameReviewed(**{**fields, **other})

    def ticked(self) -> tuple[Topic, Record]:
        return Topic.SCREENING_TICKED, ScreeningTicked(screening_id=self.screening_id)

    def everything(self) -> list[tuple[Topic, Record]]:
        frames = [self.frame(index) for index in range(self.frames)]
        return [self.opened(), *frames, self.sequence_closed(), self.screening_closed()]


class Desk:
    """Rows in a dict, and the clock of a broker that appends one record a second."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.registry = VanRegistry()
        self.registry.learn(VanEnrolled.first(scene.van_id, public_key(scene.private), EPOCH))
        self.rows: dict[tuple[str, str], bytes] = {}
        self.written: dict[tuple[str, str], bytes | None] = {}
        self.now = EPOCH
        self.offset = 0

    def tick(self, at: datetime) -> Decided:
        """The timer's record, which the broker appends at `at`."""
        self.now = max(self.now, at - timedelta(seconds=1))
        return self.take(self.scene.ticked())

    def take(self, said: tuple[Topic, Record], *, private: bytes | None = None, write: Written = "all") -> Decided:
        """One record through the step. write: which rows are written before the worker dies."""
        return self.arrive(self.message_of(said, private=private), write=write)

    def message_of(self, said: tuple[Topic, Record], *, private: bytes | None = None, major: int = 1) -> Message:
        """The record as the broker holds it. major: of the schema that it says it has."""
        topic, record = said
        self.now += timedelta(seconds=1)
        self.offset += 1
        signed = TOPICS[topic].signed
        sent = type("Newer", (type(record),), {"schema_version": f"{major}.0"}).model_validate(record.model_dump())
        value = seal(sent, private or self.scene.private) if signed else record.encode()
        at = Coordinates(topic, 0, self.offset, self.now)
        return Message(at, self.scene.screening_id.encode(), value)

    def arrive(self, message: Message, *, write: Written = "all") -> Decided:
        taken = assess(message, self.row, self.registry.verify, DEADLINE)
        if write != "none":
            self.keep(taken.received)
        if write == "all":
            self.keep(taken.published)
        return taken.decided

    def row(self, table: str, key: str) -> bytes | None:
        return self.rows.get((table, key))

    def keep(self, rows: Rows) -> None:
        self.written.update(rows)
        for place, data in rows.items():
            if data is None:
                self.rows.pop(place, None)
            else:
                self.rows[place] = data
