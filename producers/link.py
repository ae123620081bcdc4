"""What a site lets the uploader use of its link: how much, when, and which frames where each byte is paid for.

In `van.toml`, all of it optional:

[link]
mbit_per_s = 4.0
metered = "ask"
metered_levels = 2

[[link.hours]]
from = "08:00"
to = "17:30"
mbit_per_s = 1.0
"""

import subprocess
from collections.abc import Callable
from datetime import datetime, time
from time import monotonic
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from sonovan.contracts.ids import STRIDES
from sonovan.contracts.record import Part

ALL_LEVELS: Final = len(STRIDES)
_ASK_EVERY_S: Final = 30.0
_METERED: Final = frozenset({"1", "3"})
_ASK: Final = (
    "busctl", "get-property", "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager", "Metered",
)  # fmt: skip

MbitPerS = Annotated[float, Field(ge=0, le=10_000)]
"""Megabits (10^6 bits) a second."""


class Hours(Part):
    """From one time of the van's clock to another, over midnight where `to` is earlier, no more than so much goes.

    mbit_per_s: 0 lets nothing but records without pixels go.
    """

    model_config = ConfigDict(populate_by_name=True)

    since: time = Field(alias="from")
    to: time
    mbit_per_s: MbitPerS

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.since == self.to or self.since.tzinfo is not None or self.to.tzinfo is not None:
            raise ValueError("from and to are two different times of the day, such as 08:00")
        return self

    def holds(self, at: time) -> bool:
        """Whether a time of the day lies within."""
        if self.since < self.to:
            return self.since <= at < self.to
        return at >= self.since or at < self.to


class LinkOptions(Part):
    """mbit_per_s: at most so much, None: whatever the link gives. hours: less than that at some times.

    metered: whether each byte is paid for; "ask" asks the system's NetworkManager, which takes a phone for it.
    metered_levels: frames of so many upload levels go then, the others wait; 2 is every 8th frame.
    """

    mbit_per_s: Annotated[float, Field(gt=0, le=10_000)] | None = None
    hours: tuple[Hours, ...] = Field(default=(), max_length=16)
    metered: Literal["no", "yes", "ask"] = "no"
    metered_levels: int = Field(default=2, ge=0, le=ALL_LEVELS)

    def most(self, at: time) -> float | None:
        """Megabits a second at this time of the day; None: no limit."""
        limits = [each.mbit_per_s for each in self.hours if each.holds(at)]
        return min([*limits, *([] if self.mbit_per_s is None else [self.mbit_per_s])], default=None)


class Pace:
    """Says which frames may go now and how soon the next one may, for one run of uploading."""

    def __init__(
        self,
        options: LinkOptions,
        *,
        is_metered: Callable[[], bool] | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """is_metered: asked at most twice a minute where the options say "ask"; None asks NetworkManager."""
        self._options, self._clock, self._now = options, clock, now
        self._is_metered = is_metered or metered_by_network_manager
        self._asked: tuple[float, bool] | None = None
        self._free_at = clock()

    def levels(self) -> int:
        """Frames of so many upload levels may go now; 0: none, records without pixels alone."""
        if self._most() == 0:
            return 0
        return self._options.metered_levels if self.metered() else ALL_LEVELS

    def metered(self) -> bool:
        """Whether each byte is paid for, as far as is known."""
        if self._options.metered != "ask":
            return self._options.metered == "yes"
        if self._asked is None or self._clock() >= self._asked[0] + _ASK_EVERY_S:
            self._asked = (self._clock(), self._is_metered())
        return self._asked[1]

    def wait_s(self) -> float:
        """Seconds until the next frame may go."""
        return max(0.0, self._free_at - self._clock())

    def spend(self, size: int) -> None:
        """Count bytes that go now. Records without pixels are counted and do not wait."""
        most = self._most()
        if most:
            self._free_at = max(self._free_at, self._clock()) + size * 8 / (most * 1e6)

    def _most(self) -> float | None:
        return self._options.most(self._now().time())


def metered_by_network_manager() -> bool:
    """Whether the system takes its link for metered; False where it has no NetworkManager.

    Source: `NMMetered` of libnm: 1 yes, 3 guessed yes.
    """
    try:
        asked = subprocess.run(_ASK, capture_output=True, text=True, timeout=5.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and any(word in _METERED for word in asked.stdout.split()[-1:])
