"""Who sent a message, before it is worked on: vans take turns by what signatures prove, not by what is claimed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import KIB
from sonovan.stream_apps.rejecting import Subject
from sonovan.stream_apps.stage import Message

NOBODY: Final = ""
"""The sender of everything that no van's key signed: all of it together has one turn beside the vans."""

AT_ONCE_BYTES: Final = 64 * KIB
"""Up to this size a signature is checked in the event loop, which takes less time than handing it to a thread."""


class Senders:
    """Tells the sender of each message. subject_of: as in `stage.Stage`."""

    def __init__(self, subject_of: Callable[[Message], Subject]) -> None:
        self._subject_of = subject_of
        self._thread = ThreadPoolExecutor(1, "senders")

    async def of(self, message: Message) -> str:
        """The van that signed the message, or NOBODY."""
        if len(message.value) <= AT_ONCE_BYTES:
            return self._sender(message)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._sender, message)

    def close(self) -> None:
        """Give the thread back."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _sender(self, message: Message) -> str:
        try:
            subject = self._subject_of(message)
        except InvalidRecord:
            return NOBODY
        return (subject.van_id if subject.verified else None) or NOBODY
