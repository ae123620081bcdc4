"""What Faust 0.15.3 gets wrong while partitions move, mended on the app's consumer. No faust here: it is handed in.

Each was read in the library and seen in a journey; docs/decisions/0007 tells what was lost without it.
"""

from collections.abc import Mapping
from typing import Any


class Rebalancing:
    """Mends one app. `mend` is for `app.on_rebalance_complete`, which is sent before streams are resumed."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._mended = False

    def mend(self) -> None:
        """Keep everything still until the consumer stands where it shall go on.

        `tables/recovery.py` reads changelogs with the flow open, resumes the streams' partitions, seeks, and then
        empties the agents' queues: what was fetched in between is fetched no more. With the flow closed nothing is;
        the library opens it again when it is done.
        """
        if not self._mended:
            self._mended = True
            self._refuse_stale_acknowledgements()
            self._seek_beginnings_too()
        self._app.consumer.stop_flow()
        self._app.flow_control.suspend()

    def _refuse_stale_acknowledgements(self) -> None:
        """`streams.py` acknowledges what it skips: a message that was fetched before partitions moved. The commit would
        take those before it along, which are fetched again and not handled yet."""
        consumer = self._app.consumer
        acknowledge = consumer.ack

        def ack(message: Any) -> bool:
            current: bool = message.generation_id == self._app.consumer_generation_id
            return current and bool(acknowledge(message))

        consumer.ack = ack

    def _seek_beginnings_too(self) -> None:
        """aiokafka seeks to committed offsets alone: what was fetched of a partition without one, and then dropped, is
        fetched no more. Where the log begins later, the consumer's `earliest` takes it there."""
        consumer = self._app.consumer
        seek_to_committed = consumer.seek_to_committed

        async def seek() -> Mapping[Any, int | None]:
            committed: Mapping[Any, int | None] = await seek_to_committed()
            for place, offset in committed.items():
                if not offset and place.topic not in self._app.tables.changelog_topics:
                    await consumer.seek(place, 0)
            return committed

        consumer.seek_to_committed = seek
