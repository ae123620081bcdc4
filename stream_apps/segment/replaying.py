"""A frame that is stored, through another network: the same step as for one that a van has just sent."""

from time import perf_counter

from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.van import Consent, FrameCaptured
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import SHADOW
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.rejecting import Stored
from sonovan.stream_apps.segment.step import LoadedNetwork, segment_pixels


def captured_of(result: FrameSegmented) -> FrameCaptured:
    """The frame as its van sent it, as far as its result says.

    Its signature and its consent were judged when it came; whoever replays it asks whether she still agrees.
    """
    same = FrameCaptured.model_fields.keys() & FrameSegmented.model_fields.keys()
    fields = {name: getattr(result, name) for name in same}
    return FrameCaptured(**fields, model=result.scanner_model, consent=Consent(screening=True, ai=True))


def replayed(
    result: FrameSegmented, store: ObjectStore, segmenter: LoadedNetwork
) -> tuple[FrameSegmented, Stored | None]:
    """What this network makes of the stored frame of a result, and the mask to store.

    Raises KeyError where the frame is not stored, InvalidRecord where what is stored is not what the result names or
    cannot be used, Transient and Fatal as the store.
    """
    started = perf_counter()
    pixels = stored_frame(store, result).pixels()
    decode_ms = 1000 * (perf_counter() - started)
    return segment_pixels(
        captured_of(result), pixels, result.image_sha256, segmenter, decode_ms=decode_ms, shadow=SHADOW
    )
