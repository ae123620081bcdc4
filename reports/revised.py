"""What a report says of why it was made again from the same frames: another network's results count, or a reader's."""

from collections.abc import Sequence

from sonovan.contracts.promotions import PromotionInForce
from sonovan.contracts.results import ReaderFrame, Sighting
from sonovan.reports.words import Words


def promoted_words(promoted: PromotionInForce, model_id: str, words: Words) -> str:
    """One sentence: whose results count now, on which network's an earlier revision rests, and why that changed."""
    said = words.text("promoted", model=model_id, before=promoted.instead_of[:16])
    return words.text("amended_because", amended=said, reason=words.reason(promoted.because))


def reviewed_words(reviewed: Sequence[ReaderFrame], words: Words) -> str:
    """On how many frames the outlines are readers', and whose; that this is no signature. reviewed: at least one."""
    readers = words.text("comma").join(sorted({each.reader for each in reviewed}))
    return words.text("reviewed", frames=words.counted(len(reviewed), "frame"), readers=readers)


def outlined_by(sighting: Sighting, words: Words) -> str:
    """On which of a sighting's frames the outline is a reader's; empty where on none."""
    if not sighting.reader_frames:
        return ""
    told = words.text(
        "reader_frames", frames=words.counted(len(sighting.reader_frames), "frame"), of=sighting.frame_count
    )
    shown = int(sighting.key_frame_id.rpartition("/")[2]) in sighting.reader_frames
    return told + (words.text("reader_key_frame") if shown else "")
