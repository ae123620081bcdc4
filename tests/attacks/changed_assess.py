"""An assess worker whose machine's clock is ten minutes ahead, and that a certain record ends as an unforeseen error
would.

`python -m tests.attacks.changed_assess SCREENING_ID`: the opening of this screening ends it.
"""

import sys
import time
from typing import Any, Final

AHEAD_S: Final = 600.0
_right = time.time
time.time = lambda: _right() + AHEAD_S  # before anything of the worker is imported, which takes it as a default

from sonovan.contracts.topics import Topic  # noqa: E402
from sonovan.stream_apps import agent  # noqa: E402
from sonovan.stream_apps.assess import stage  # noqa: E402
from sonovan.stream_apps.stage import Message, Outcome  # noqa: E402


def main(screening_id: str) -> int:
    assessed = stage.assessed

    def poisoned(message: Message, **known: Any) -> Outcome:
        if message.at.topic == Topic.SCREENING_OPENED and message.key == screening_id.encode():
            raise MemoryError("a record of its own kind")
        return assessed(message, **known)

    stage.assessed = poisoned
    return agent.run("assess", 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
