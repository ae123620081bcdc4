"""The names of objects: pure functions of what they hold, so that storing again is harmless.

What comes from a van lies under the van's own name, so that nobody else's frames can stand where its frames belong.
"""

import re
from enum import StrEnum
from typing import Final

from sonovan.contracts.ids import frame_id

REVIEWS: Final = "reviews"
"""What readers draw lies below this in MASKS."""

SHADOW: Final = "shadow"
"""The masks of replays lie below this. The console's account may put nothing beside these two."""

PACK: Final = "pack-"
"""The name of a pack within its folder begins so; no frame, mask or report has such a name."""

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IN_SWEEP: Final = re.compile(rf"((?:{SHADOW}/)?(?!{REVIEWS}/|{SHADOW}/)[^/]+/{_UUID}/)\d{{6}}[./]")


class Bucket(StrEnum):
    """Every bucket. Quarantine is the only one whose objects expire."""

    FRAMES = "sonovan-frames"
    MASKS = "sonovan-masks"
    REPORTS = "sonovan-reports"
    QUARANTINE = "sonovan-quarantine"


def image_key(van_id: str, sequence_id: str, frame_index: int, codec: str) -> str:
    """The coded frame as it came, in FRAMES. van_id: of the van whose signature it carries."""
    return f"{van_id}/{frame_id(sequence_id, frame_index)}.{codec}"


def mask_key(
    van_id: str, sequence_id: str, frame_index: int, fingerprint: str, mask_sha256: str, shadow: str = ""
) -> str:
    """A frame's label mask (8-bit grey PNG), in MASKS.

    fingerprint: of the network, its companions and settings. mask_sha256: of the PNG's bytes, so that a machine with
    other arithmetic stores beside, never over, another.
    shadow: prefix of a replay's objects, "" in the live path.
    """
    prefix = f"{shadow}/" if shadow else ""
    return f"{prefix}{van_id}/{frame_id(sequence_id, frame_index)}/{fingerprint[:16]}-{mask_sha256[:32]}.png"


def review_mask_key(sequence_id: str, frame_index: int, review_id: str) -> str:
    """A reader's label mask of a frame (8-bit grey PNG), in MASKS."""
    return f"{REVIEWS}/{frame_id(sequence_id, frame_index)}/{review_id}.png"


def sweep_folder(van_id: str, sequence_id: str, shadow: str = "") -> str:
    """The folder below which every frame of a van's sequence lies, in FRAMES, and every mask of it, in MASKS."""
    return f"{f'{shadow}/' if shadow else ''}{van_id}/{sequence_id}/"


def pack_key(folder: str, number: int) -> str:
    """A pack of what lay below a `sweep_folder`, in the same bucket. number: 0 for the first, then without a gap."""
    return f"{folder}{PACK}{number:06d}"


def pack_folder(bucket: str, key: str) -> str | None:
    """The folder whose packs may hold this object; None where it is none that is ever packed.

    Frames and masks of a sweep are packed, those of replays too; what readers drew, reports and quarantine are not.
    """
    if bucket not in (Bucket.FRAMES, Bucket.MASKS):
        return None
    found = _IN_SWEEP.match(key)
    return None if found is None else found[1]


def report_folder(van_id: str, screening_id: str) -> str:
    """The folder below which every report of a screening lies, in REPORTS."""
    return f"{van_id}/{screening_id}/"


def report_key(van_id: str, screening_id: str, revision_id: str, report_sha256: str, suffix: str) -> str:
    """A revision's report (`html`, `json`, `pdf`), in REPORTS.

    report_sha256: of its bytes. The same revision may be made twice, the second time with another number on its page:
    that one stands beside the first, and each record names its own.
    """
    return f"{van_id}/{screening_id}/{revision_id}-{report_sha256[:32]}.{suffix}"


def quarantine_key(content_sha256: str) -> str:
    """The bytes of a rejected message, in QUARANTINE; equal bytes are kept once."""
    return f"{content_sha256[:2]}/{content_sha256}"


def quarantined_sha256(key: str) -> str:
    """The sha256 of the bytes that lie in QUARANTINE under this key."""
    return key.rpartition("/")[2]
