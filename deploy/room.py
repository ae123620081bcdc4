"""Room for Kafka: on a full disk it halts in the middle of a write, so it is ended cleanly before that."""

import shutil
from pathlib import Path
from typing import Final

LEAST_MB: Final = 500
"""Below it Kafka is ended. Workers hold much earlier (`SONOVAN_DISK_LOW_MB`): what comes until here comes from vans."""

AGAIN_MB: Final = 1000
"""It is started again from here on, so that it does not end at once."""

MEGA: Final = 1_000_000


def lacks_room(folder: Path, *, runs: bool) -> str | None:
    """Why Kafka must not run with its data in this folder; None where it may. runs: whether it does."""
    free_mb = shutil.disk_usage(folder).free // MEGA
    least_mb = LEAST_MB if runs else AGAIN_MB
    return f"the disk of {folder} has {free_mb} MB free, it needs {least_mb}" if free_mb < least_mb else None
