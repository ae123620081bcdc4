"""Stop a stage that rejects what it should be able to use, before all of it lies in quarantine.

A wrong release rejects what honest vans send, van after van. A hostile van has its own records rejected, as many as it
likes, and must not stop the stage for the others. So records are counted by van, only of vans whose signature held, and
the stage stops where most of the vans that it heard lately have most of their records rejected.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sonovan.contracts.errors import Fatal

COUNTED: Final = frozenset(
    {"record_invalid", "record_too_large", "pixels_corrupt", "pixels_too_large", "result_too_large"}
)
"""Reasons that a wrong release could give for records that are right. Others follow from what a van did, or from an
upgrade that is still to come."""

CENTRE: Final = "#centre"
"""Stands for the stages of the centre: what they send is read by others of the same release, or something is wrong."""

LAST: Final = 20
LEAST: Final = 10
LATELY_S: Final = 600.0


@dataclass
class _Heard:
    rejected: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST))
    at: float = 0.0


class RejectedShare:
    """Counts of each van's last records which were rejected."""

    def __init__(
        self,
        stage: str,
        share: float,
        vans: int,
        enrolled: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """share: of a van's last LAST records, and of the vans heard within LATELY_S seconds; more is too much.

        vans: so many must be hit at least, or all that are enrolled where they are fewer.
        """
        self._stage, self._share, self._vans, self._enrolled, self._clock = stage, share, vans, enrolled, clock
        self._heard: dict[str, _Heard] = {}

    def used(self, sender: str) -> None:
        """A record of this van (or of CENTRE) could be used."""
        self._note(sender, rejected=False)

    def rejected(self, sender: str, reason: str) -> None:
        """A record of a van whose signature held, or of CENTRE, could not. Raises Fatal where that is too much."""
        if reason not in COUNTED:
            return
        self._note(sender, rejected=True)
        since = self._clock() - LATELY_S
        self._heard = {name: heard for name, heard in self._heard.items() if heard.at >= since}
        hit = [name for name, heard in self._heard.items() if self._is_hit(heard)]
        vans = [name for name in self._heard if name != CENTRE]
        hit_vans = [name for name in hit if name != CENTRE]
        least = max(1, min(self._vans, self._enrolled()))
        if CENTRE in hit or (len(hit_vans) >= least and len(hit_vans) > self._share * len(vans)):
            who = "other stages" if CENTRE in hit else f"{len(hit_vans)} of {len(vans)} vans"
            raise Fatal(
                f"{self._stage} rejects too much: more than {self._share:.0%} of what {who} sent lately ({reason}). "
                "What was not read yet stays in Kafka. Look at the release that runs here (sonovan rejected list), "
                "mend it and start again; SONOVAN_REJECTED_SHARE=1 goes on all the same"
            )

    def _is_hit(self, heard: _Heard) -> bool:
        count = sum(heard.rejected)
        return count >= LEAST and count > self._share * len(heard.rejected)

    def _note(self, sender: str, *, rejected: bool) -> None:
        heard = self._heard.setdefault(sender, _Heard())
        heard.rejected.append(rejected)
        heard.at = self._clock()
