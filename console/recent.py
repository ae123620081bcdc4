"""What was made last, kept in memory within a bound: frames that one reader saw are played again, or by another one."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from sonovan.models.picture.screens import Coded


class Recent:
    """Coded frames by frame id and sha256 of the stored object, verified when they were coded. Any thread may ask.

    It is asked only after it was decided that the frame may be shown.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes, self._lock = most_bytes, 0, threading.Lock()
        self._kept: OrderedDict[str, Coded] = OrderedDict()

    def get(self, name: str, make: Callable[[], Coded]) -> Coded:
        """The coded frame, made where it is not kept. Raises as `make`."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        made = make()
        with self._lock:
            if name not in self._kept:
                self._kept[name] = made
                self._bytes += len(made.data)
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1].data)
        return made
