"""An assess worker that dies, as by kill -9, between the send of a revision and the writing of its rows.

`python -m tests.journeys.dying_assess preliminary|complete`: at the first revision of that status, once the broker
has acknowledged it.
"""

import os
import signal
import sys
from typing import Any

from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps import agent, handling
from sonovan.stream_apps.faust_options import faust_options
from sonovan.stream_apps.kafka_io import App, Sending


def main(status: str) -> int:
    class LastWord(Sending):
        """A record on its way; the process does not outlive the one that it waits for."""

        def __init__(self, app: App, topic: str, key: bytes, value: bytes, *more: Any) -> None:
            super().__init__(app, topic, key, value, *more)
            self._is_last = topic == Topic.SCREENING_ASSESSED and ScreeningAssessed.decode(value).status == status

        async def durable(self) -> int:
            offset = await super().durable()
            if self._is_last:
                os.kill(os.getpid(), signal.SIGKILL)
            return offset

    def never_committing(*arguments: Any, **options: Any) -> dict[str, Any]:
        """All that it heard comes again after its death, whenever its last commit would have been."""
        return faust_options(*arguments, **options) | {"broker_commit_interval": 3600.0}

    handling.Sending = LastWord  # type: ignore[attr-defined]
    agent.faust_options = never_committing  # type: ignore[attr-defined]
    return agent.run("assess", 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
