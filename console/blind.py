"""Which screenings are drawn before the machine's outlines are seen, and on which frames (decision 0114).

The choice follows from the screening's id alone, so that nobody can choose, and every worker chooses alike.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from sonovan.contracts.ids import frame_id
from sonovan.storage.catalogue.cine import Cine, Sweep, Track

GREY: Final = "grey"
"""The machine outlines nothing on coloured frames, so none is drawn blind."""


def is_sampled(screening_id: str, share: float) -> bool:
    """Whether a screening is among the share that is drawn blind."""
    return _number("blind", screening_id) < share


def frames_to_draw(cine: Cine, tracks: Sequence[Track]) -> tuple[str, ...]:
    """The ids of at most two frames: the key frame of the most suspicious finding, and one on which no finding stands.

    Which of them is which is not told, and their order says nothing. Where there is no finding it is one frame.
    """
    chosen = [frame_id(tracks[0].sequence_id, tracks[0].key_frame)] if tracks else []
    calm = [name for sweep in cine.sweeps for name in _calm(sweep, tracks)]
    if calm:
        chosen.append(min(calm, key=lambda name: _number("calm", name)))
    return tuple(sorted(chosen, key=lambda name: _number("order", name)))


def still_to_draw(frames: Sequence[str], drawn: Collection[str]) -> tuple[str, ...]:
    """The frames that a reader has yet to draw before outlines are sent.

    drawn: those that the reader drew blind in this screening. A later revision may choose other frames; whoever drew
    as many as are asked for has drawn enough.
    """
    if len(drawn) >= len(frames):
        return ()
    return tuple(name for name in frames if name not in drawn)


def _calm(sweep: Sweep, tracks: Sequence[Track]) -> list[str]:
    spans = [(track.first_frame, track.last_frame) for track in tracks if track.sequence_id == sweep.sequence_id]
    return [
        frame_id(sweep.sequence_id, frame.frame_index)
        for frame in sweep.frames
        if frame.assessable
        and frame.mode == GREY
        and not any(first <= frame.frame_index <= last for first, last in spans)
    ]


def _number(what: str, name: str) -> float:
    """A number in [0, 1) that follows from a name and from nothing else."""
    return int.from_bytes(hashlib.sha256(f"{what}/{name}".encode()).digest()[:8], "big") / 2**64
