"""What `handling.Handling` needs of the library's events, of the registry of vans and of tables, and no more."""

from typing import Protocol

from sonovan.stream_apps.stage import Rows
from sonovan.stream_apps.vans import VanRegistry


class Acknowledged(Protocol):
    """As much of a Faust event as is needed here."""

    def ack(self) -> bool: ...


class Vans(Protocol):
    """As much of `vans.VanFollower` as is needed here."""

    @property
    def registry(self) -> VanRegistry: ...

    async def wait_for(self, van_id: str, taken: int, wait_s: float) -> bool: ...


class WrittenTables(Protocol):
    """A stage's tables, to be written."""

    def write(self, rows: Rows) -> None:
        """Write rows of the partition whose message is being handled, in the agent's own loop."""

    async def durable(self) -> None:
        """Return when the changelogs have every row that was written so far. Raises KafkaError where one was lost."""
