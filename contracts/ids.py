"""Identities: who mints them, how they are spelled, and the order in which frames travel."""

import hashlib
import hmac
import os
import re
import time
import uuid
from collections.abc import Callable
from typing import Final

STRIDES: Final = (16, 8, 4, 2, 1)
"""Level 0 holds every 16th frame, level 4 the odd ones: each level halves the gaps of the one before."""

_DAY_MS: Final = 24 * 60 * 60 * 1000

_FRAME_ID: Final = re.compile(r"(?P<sequence>[0-9a-f-]{36})/(?P<index>\d{6})")


def mint_id(now_ms: int | None = None, entropy: Callable[[int], bytes] = os.urandom) -> str:
    """A UUIDv7: sorts by the time of minting, to the millisecond. Source: RFC 9562, section 5.7."""
    moment = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    value = int.from_bytes(moment.to_bytes(6, "big") + entropy(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def minted_day(minted_id: str) -> int:
    """The day on which an id was minted, in UTC by the clock of whoever minted it: days since 1970.

    Raises ValueError for what is no UUID.
    """
    return (uuid.UUID(minted_id).int >> 80) // _DAY_MS


def frame_id(sequence_id: str, frame_index: int) -> str:
    """`{sequence_id}/{frame_index:06d}`; the index is the order of acquisition, from 0."""
    if not 0 <= frame_index <= 999_999:
        raise ValueError(f"frame index {frame_index} is outside 0..999999")
    return f"{sequence_id}/{frame_index:06d}"


def split_frame_id(value: str) -> tuple[str, int]:
    """The sequence and the index that a frame id names. Raises ValueError for anything else."""
    match = _FRAME_ID.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not a frame id")
    return match["sequence"], int(match["index"])


def level(frame_index: int) -> int:
    """The upload level of a frame, 0 (first to go, stride 16) to 4 (last, stride 1)."""
    return next(number for number, stride in enumerate(STRIDES) if frame_index % stride == 0)


def level_members(frame_count: int, number: int) -> range | list[int]:
    """The frame indices below `frame_count` whose level is `number`, in order."""
    stride = STRIDES[number]
    if number == 0:
        return range(0, frame_count, stride)
    return range(stride, frame_count, 2 * stride)


def upload_order(frame_count: int) -> list[int]:
    """Every index below `frame_count`, coarsest level first, so that a part of a sweep covers it evenly."""
    return [index for number in range(len(STRIDES)) for index in level_members(frame_count, number)]


def subject_key(site_secret: bytes, person_id: str) -> str:
    """HMAC-SHA256 of a person id: joins a woman's visits within a site. Still sensitive.

    Raises ValueError for a secret shorter than 32 bytes or an empty person id.
    """
    if len(site_secret) < 32:
        raise ValueError("the site secret must have at least 32 bytes")
    if not person_id.strip():
        raise ValueError("the person id is empty")
    return hmac.new(site_secret, person_id.strip().encode(), hashlib.sha256).hexdigest()


def alert_id(about: str, rule: str) -> str:
    """One alert per thing that it is about and rule, whatever is redelivered; a rise in severity keeps its id.

    about: what `sonovan.contracts.alerts.about_key` gives.
    """
    return hashlib.sha256(f"{about}\n{rule}".encode()).hexdigest()


def rejection_id(stage: str, topic: str, partition: int, offset: int) -> str:
    """One rejection per stage and stored message."""
    return hashlib.sha256(f"{stage}\n{topic}\n{partition}\n{offset}".encode()).hexdigest()


def opened_item(screening_id: str) -> str:
    """The name by which a van's spool and a receipt speak of a screening's opening."""
    return f"{screening_id}/opened"


def features_item(screening_id: str, features_number: int) -> str:
    """The name of a screening's clinical record, or of its correction, in spool and receipt."""
    return f"{screening_id}/features/{features_number}"


def amendment_item(screening_id: str, amendment_number: int) -> str:
    """The name of an amendment of a screening in spool and receipt."""
    return f"{screening_id}/amended/{amendment_number}"


def closing_item(closed_id: str, closing_number: int) -> str:
    """The name of a sequence's or a screening's closing in spool and receipt."""
    return f"{closed_id}/closed/{closing_number}"
