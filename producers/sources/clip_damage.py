"""Which frames of a clip cannot be believed, once packets of it could not be decoded.

A decoder goes on after a damaged packet and paints what is missing from the frames before. Such frames look whole, so
all of them count as lost, up to the next key frame: a frame that needs no other (ITU-T H.264 3.69, 3.75).
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Group:
    """The packets from one key frame to the next. damaged_at: the number of its first damaged packet."""

    key_time: int
    damaged_at: int | None = None


@dataclass(slots=True)
class ClipDamage:
    """Packets are added in the order in which they are decoded; their frames come out in the order of time.

    intra_only: no frame of this clip needs another one.
    """

    intra_only: bool
    _groups: list[_Group] = field(default_factory=list)
    _pending: dict[int, tuple[int, int]] = field(default_factory=dict)
    _number: int = 0

    def packet(self, time: int, key: bool) -> None:
        """A packet is about to be decoded. time: in the clip's ticks. key: it says that it begins a group."""
        if key or self.intra_only or not self._groups:
            self._groups.append(_Group(time))
        self._pending[time] = (len(self._groups) - 1, self._number)
        self._number += 1

    def failed(self) -> None:
        """The newest packet could not be decoded."""
        group = self._groups[-1]
        if group.damaged_at is None:
            group.damaged_at = self._number - 1

    def frame(self, time: int, corrupt: bool) -> bool:
        """Whether the frame of this time can be believed. corrupt: the decoder itself says that it cannot."""
        group_number, number = self._pending.pop(time, (len(self._groups) - 1, self._number - 1))
        group = self._groups[group_number]
        if corrupt and (group.damaged_at is None or group.damaged_at > number):
            group.damaged_at = number
        before = self._groups[group_number - 1] if group_number else None
        leading = before is not None and before.damaged_at is not None and time < group.key_time
        return not (leading or (group.damaged_at is not None and group.damaged_at <= number))

    def missing(self, until: int | None = None) -> list[int]:
        """Times before `until`, of packets that gave no frame though their group is damaged; each is given once.

        until: the time of the frame that has just come; None at the end of the clip. An undamaged group may hold
        packets without a frame of their own, such as the hidden frames of VP8.
        """
        gone = sorted(time for time in self._pending if until is None or time < until)
        damaged = [time for time in gone if self._damaged(*self._pending[time])]
        for time in gone:
            del self._pending[time]
        return damaged

    def _damaged(self, group_number: int, number: int) -> bool:
        at = self._groups[group_number].damaged_at
        return at is not None and at <= number
