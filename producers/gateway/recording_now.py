"""Whether a sweep is being recorded, by this process or another one: its last frames are in no screening yet."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = "recording.lock"


@contextmanager
def recording_now(spool: Path) -> Iterator[None]:
    """Note it for as long as the block runs; whatever ends the process ends that as well. spool: the spool's folder."""
    with (spool / _NAME).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)  # several sweeps of several devices may be recorded at once
        yield


def is_recording(spool: Path) -> bool:
    """Whether a sweep is being recorded. spool: the spool's folder."""
    try:
        with (spool / _NAME).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
