"""The names of objects: pure functions of what they hold, so that storing again is harmless."""

from enum import StrEnum

from sonovan.contracts.ids import frame_id


class Bucket(StrEnum):
    """Every bucket. Quarantine is the only one whose objects expire."""

    FRAMES = "sonovan-frames"
    MASKS = "sonovan-masks"
    REPORTS = "sonovan-reports"
    QUARANTINE = "sonovan-quarantine"


def image_key(sequence_id: str, frame_index: int, codec: str) -> str:
    """The coded frame as it came, in FRAMES."""
    return f"{frame_id(sequence_id, frame_index)}.{codec}"


def mask_key(sequence_id: str, frame_index: int, fingerprint: str, mask_sha256: str, shadow: str = "") -> str:
    """A frame's label mask (8-bit grey PNG), in MASKS.

    fingerprint: of the network, its companions and settings. mask_sha256: of the PNG's bytes, so that a machine with
    other arithmetic stores beside, never over, another.
    shadow: prefix of a replay's objects, "" in the live path.
    """
    prefix = f"{shadow}/" if shadow else ""
    return f"{prefix}{frame_id(sequence_id, frame_index)}/{fingerprint[:16]}-{mask_sha256[:32]}.png"


def mask_digest(key: str) -> str:
    """The part of a mask's key that names its bytes: the first 32 hexadecimal digits of their sha256."""
    return key.rpartition("-")[2].removesuffix(".png")


def report_key(screening_id: str, revision_id: str, suffix: str) -> str:
    """A revision's report (`html`, `json`, `pdf`), or a picture that it shows, in REPORTS."""
    return f"{screening_id}/{revision_id}.{suffix}"


def quarantine_key(content_sha256: str) -> str:
    """The bytes of a rejected message, in QUARANTINE; equal bytes are kept once."""
    return f"{content_sha256[:2]}/{content_sha256}"
