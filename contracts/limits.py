"""How large anything may be that a van sends or the centre keeps; docs/scale.md has the arithmetic behind each number.

They are chosen once, while no data exists: what stands in a topic that is kept for ever must stay readable.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_MESSAGE_BYTES: Final = 32 * MIB
"""The largest message: broker, producers, consumers and Faust all take this one number."""

MAX_VALUE_BYTES: Final = MAX_MESSAGE_BYTES - 64 * KIB
"""The largest value of a message: Kafka's own fields, the key and the headers stand around it."""

VAN_BYTES_PER_S: Final = 4 * MIB
"""What a van may send to the broker, in the mean of ten seconds: 30 frames of 120 KiB, one quota for each van."""

MAX_HEADER_BYTES: Final = 64 * KIB
"""The JSON header of an envelope: a record of a van without its pixels."""

MAX_CONTROL_BYTES: Final = 256 * KIB
"""An envelope around an opening, a closing or a clinical record."""

MAX_ROW_BYTES: Final = 1 * MIB
"""A row of a stage's table; also all rows together that a record of one screening makes `assess` read."""

MAX_FRAME_PIXELS: Final = 16 * 1024 * 1024
"""Rows times columns of a frame: 16 megapixels, eight times a screen of 1920 by 1080."""

MAX_FRAME_BYTES: Final = 48 * MIB
"""A frame's samples once decoded: 16 megapixels in colour at 8 bits, or 8 megapixels at 16 bits."""

MAX_FRAMES: Final = 100_000
"""Frames of one screening, and so of each of its sequences: nearly an hour at 30 frames per second."""

MAX_SEQUENCES: Final = 1000
"""Sequences of one screening; a still is a sequence of one frame."""

MAX_PANELS: Final = 16
"""Panels of one frame."""

MAX_SIGHTINGS: Final = MAX_SEQUENCES * MAX_PANELS
"""Sightings of one finding: one for each sequence and panel."""

MAX_SET_ASIDE: Final = 400
"""Runs of frames that a sequence's closing lists as set aside."""

MAX_REGIONS: Final = 255
"""Regions of one frame: a label mask has 8 bits, and 0 is nothing."""

MAX_CORNERS: Final = 20_000
"""Corners of one region's polygon."""

MAX_POINTED: Final = 16
"""Findings of which a van is told the place; how many there are beyond those is counted."""

MAX_POINTED_CORNERS: Final = 128
"""Corners of an outline that a van is told: some 2 KiB of its link for each finding."""

MAX_FINDINGS: Final = 10_000
"""Findings of one screening, those that were withdrawn counted."""

MAX_LISTED: Final = 1000
"""Frame indices that a list of missing or refused frames names; how many there are beyond those is counted."""

MAX_KEYS: Final = 32
"""Keys in a van's history, revoked ones counted: each is tried where no other one made a signature."""

MAX_AMENDMENTS: Final = 64
"""Amendments of one screening by one van: their numbers end there, so that no row grows for ever."""

MAX_BEFORE_MARKS_END: Final = 32
"""So many amendments, and a van takes no more marks: the numbers that remain are for what must be put right."""
