"""SIGTERM as a flag that a loop looks at."""

import signal


class Leaving:
    """asked: whether this program was told to end."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True
