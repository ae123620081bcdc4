"""Read ahead: the next frames are read and cleaned in a thread while those before them are coded and kept."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def read_ahead(items: Iterator[T], size_of: Callable[[T], int], most: int) -> Iterator[Iterator[T]]:
    """The same items, read by a thread of their own, in their order.

    size_of: how much room an item takes. most: so much at most waits to be taken, or one item of any size. What reading
    raises is raised after the items before it. The thread has ended when the block has.
    """
    buffer = _Buffer(size_of, most)
    thread = Thread(target=buffer.fill, args=(items,), name="reader", daemon=True)
    thread.start()
    try:
        yield buffer.taken()
    finally:
        buffer.leave()
        thread.join()


class _Buffer(Generic[T]):
    """What was read and not taken yet."""

    def __init__(self, size_of: Callable[[T], int], most: int) -> None:
        self._size_of, self._most = size_of, most
        self._waiting: deque[T] = deque()
        self._size, self._left, self._ended = 0, False, False
        self._error: BaseException | None = None
        self._changed = Condition()

    def fill(self, items: Iterator[T]) -> None:
        """Read until the end, an error, or until nobody takes any more."""
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:  # raised by `taken`, in the thread that takes
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def taken(self) -> Iterator[T]:
        """Each item once it was read."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                item = self._waiting.popleft()
                self._size -= self._size_of(item)
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Have `fill` return after the item that it reads now."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        with self._changed:
            size = self._size_of(item)
            self._changed.wait_for(lambda: self._left or not self._waiting or self._size + size <= self._most)
            self._waiting.append(item)
            self._size += size
            self._changed.notify_all()
            return not self._left
