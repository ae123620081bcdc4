"""What the quality stage reads, as true records: results, revisions, blind reviews with their masks, erasures."""

import hashlib
from datetime import timedelta
from typing import Any, Final

import imagecodecs
import numpy as np

from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.ids import mint_id
from sonovan.contracts.quality import QualityMeasured
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.reviews import Compared, FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from tests.clinical.records import NOON, assessed, region, segmented, sha
from tests.stream_apps.memory import World

VAN: Final = "van-1"
FINGERPRINT: Final = sha("network with companions")
MODEL: Final = "lite2-unet-3"
FRAMES: Final = 17
"""Of each screening: three of them are sampled."""
DAY_MS: Final = 24 * 60 * 60 * 1000


def screening(number: int) -> str:
    """The id of the so-many-th screening, three a day."""
    return mint_id(1_700_000_000_000 + number // 3 * DAY_MS + number, lambda count: bytes([number % 251]) * count)


def sweep(number: int) -> str:
    """The id of its one sequence."""
    return mint_id(1_700_000_500_000 + number, lambda count: bytes([number % 251]) * count)


def frame(number: int, index: int, *, score: float = 0.8, dice: float = 0.9, **other: Any) -> Record:
    """A result with one region, of which this much is expected."""
    fields: dict[str, Any] = {
        "screening_id": screening(number), "van_id": VAN, "model_id": MODEL, "fingerprint": FINGERPRINT,
        "brightness": 150.0, "sharpness": (0.8, 0.6), "manufacturer": "mindray", "scanner_model": "DC-70",
    }  # fmt: skip
    regions = (region(score_mean=score, predicted_dice=dice),)
    return segmented(index, regions, sequence_id=sweep(number), **{**fields, **other})


def revision(number: int, **other: Any) -> ScreeningAssessed:
    """It is complete."""
    fields: dict[str, Any] = {
        "screening_id": screening(number), "van_id": VAN, "model_id": MODEL, "fingerprint": FINGERPRINT,
        "frames": FRAMES, "status": "complete",
    }  # fmt: skip
    return assessed(**{**fields, **other})


def whole(number: int, **other: Any) -> list[tuple[Topic, Record]]:
    """A screening's sampled frames and one that is not, and its revision."""
    frames = [(Topic.FRAME_SEGMENTED, frame(number, index, **other)) for index in (0, 1, 8, 16)]
    return [*frames, (Topic.SCREENING_ASSESSED, revision(number))]


def mask(world: World, columns: int, name: str) -> tuple[str, str]:
    """Store a mask of 10 rows whose first so many columns of 20 are a lesion; its key and sha256."""
    labels = np.zeros((10, 20), np.uint8)
    labels[:, :columns] = 1
    data: bytes = imagecodecs.png_encode(labels)
    world.store.objects[Bucket.MASKS, name] = data
    return name, hashlib.sha256(data).hexdigest()


def review(
    world: World, number: int, *, reader: str = "r-1", at: int = 1, drawn: int = 10, found: int = 10, index: int = 0,
    **other: Any,
) -> FrameReviewed:  # fmt: skip
    """A blind review of a frame: a reader's columns of 20 against the machine's; 0 is nothing outlined."""
    mine = mask(world, drawn, f"reviews/{drawn}.png") if drawn else (None, None)
    its = mask(world, found, f"van-1/{found}.png") if found else (None, None)
    fields: dict[str, Any] = {
        "review_id": mint_id(at, lambda count: bytes(count)),
        "screening_id": screening(number),
        "sequence_id": sweep(number),
        "frame_index": index,
        "van_id": VAN,
        "organ": "breast",
        "image_key": "image",
        "image_sha256": "1" * 64,
        "reader": reader,
        "blind": True,
        "verdict": "drawn",
        "mask_key": mine[0],
        "mask_sha256": mine[1],
        "compared": Compared(
            model_id=MODEL, weights_sha256="2" * 64, fingerprint=FINGERPRINT, mask_key=its[0], mask_sha256=its[1],
            predicted_dice=0.9, assessable=True,
        ),
        "origin": "file",
        "reviewed_at": NOON + timedelta(seconds=at),
    }  # fmt: skip
    return FrameReviewed(**{**fields, **other})


def erasure(number: int) -> ScreeningErased:
    """She asked."""
    return ScreeningErased(screening_id=screening(number), because="she_asked", by="op-1", erased_at=NOON)


def measured(world: World) -> list[QualityMeasured]:
    """Every figure that was sent, in order."""
    return [QualityMeasured.decode(value) for topic, _, value in world.sent if topic == Topic.QUALITY_MEASURED]


def faults(world: World) -> list[FaultAlerted]:
    """Every fault that was sent, in order."""
    return [FaultAlerted.decode(value) for topic, _, value in world.sent if topic == Topic.FAULT_ALERTED]
