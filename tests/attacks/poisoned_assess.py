"""An assess worker that a certain record ends, as an error would that nobody foresaw.

`python -m tests.attacks.poisoned_assess SCREENING_ID`: every record of this screening ends it.
"""

import sys
from typing import Any

from sonovan.stream_apps import agent
from sonovan.stream_apps.assess import stage
from sonovan.stream_apps.stage import Message, Outcome


def main(screening_id: str) -> int:
    assessed = stage.assessed

    def poisoned(message: Message, **known: Any) -> Outcome:
        if message.key == screening_id.encode():
            raise MemoryError("a record of its own kind")
        return assessed(message, **known)

    stage.assessed = poisoned
    return agent.run("assess", 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
