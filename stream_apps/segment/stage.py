"""The segment stage: frames to results, several at once. Run by `sonovan worker segment`."""

import asyncio
import sys
from functools import partial
from typing import Final

from sonovan import models
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.limits import MAX_ROW_BYTES, MIB
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.models.errors import ModelError
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.rejecting import Unusable
from sonovan.stream_apps.segment.same_pixels import SamePixels
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.step import LoadedNetwork, put_objects, segment_envelope, subject_of
from sonovan.stream_apps.stage import Given, Message, Outcome, Outgoing, Stage, receipt_to
from sonovan.stream_apps.vans import VanRegistry

READS: Final = (Topic.FRAME_CAPTURED,)

SWITCH_S: Final = 1e-3
"""A thread that comes back from a runtime waits for the event loop at most so long to go on; Python gives 5 ms."""


async def open_stage(given: Given) -> Stage:
    """Load the network that the settings name. Raises Fatal where it, or its provider, cannot be had."""
    sys.setswitchinterval(SWITCH_S)
    settings = read_settings(SegmentSettings)
    try:
        # In a thread: making a graph ready takes minutes on some runtimes, and /healthz is asked meanwhile.
        segmenter = await asyncio.to_thread(models.load, settings.model_id)
    except ModelError as error:
        raise Fatal(str(error)) from error
    return segment_stage(segmenter, given.vans, given.store, settings)


def segment_stage(segmenter: LoadedNetwork, vans: VanRegistry, store: ObjectStore, settings: SegmentSettings) -> Stage:
    """The stage with a network that is loaded."""
    return Stage(
        name=Writer.SEGMENT,
        reads=READS,
        process=partial(segmented, segmenter=segmenter, vans=vans, store=store, same=SamePixels()),
        in_flight=settings.in_flight,
        waiting_each=settings.waiting_each,
        room_messages=settings.room_frames,
        room_bytes=settings.room_mib * MIB,
        defers_to=Topic.FRAME_DEFERRED,
        compute_threads=settings.compute_threads,
        store_threads=settings.store_threads,
        unknown_van_wait_s=settings.unknown_van_wait_s,
        subject_of=lambda message: subject_of(message.value, append_time=message.at.appended_at, registry=vans),
        running={"model": segmenter.model_id, "provider": segmenter.provider, "fingerprint": segmenter.fingerprint},
    )


def segmented(
    message: Message, *, segmenter: LoadedNetwork, vans: VanRegistry, store: ObjectStore, same: SamePixels
) -> Outcome:
    """A frame's objects, then its result, then the van's receipt. Raises Unusable as `segment_envelope` does."""
    frame = segment_envelope(
        message.value, append_time=message.at.appended_at, registry=vans, segmenter=segmenter, key=message.key,
        same=same,
    )  # fmt: skip
    result = Outgoing(Topic.FRAME_SEGMENTED, frame.record.screening_id, frame.record)
    if len(result.value) > MAX_ROW_BYTES:  # `assess` keeps it as a row
        detail = f"its outlines take {len(result.value)} bytes, at most {MAX_ROW_BYTES} are kept"
        raise Unusable(InvalidRecord("result_too_large", detail), frame.subject)
    return Outcome(
        store=partial(put_objects, store, frame),
        records=((result,), (receipt_to(frame.receipt),)),
        van_id=frame.record.van_id,
    )
