"""How much of what is rejected is kept in quarantine: so many bytes for each van and day, counted over restarts.

Beyond that the record of the rejection remains, with the sha256 of the bytes and without a key. Bytes whose sender did
not prove who it is share one count: who claims to be another van uses up nothing of that van's.
"""

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

UNPROVEN: Final = "#unproven"


class QuarantineQuota:
    """Counts in a file of the worker's own folder. Each worker counts for itself."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        """limit_bytes: for each van and day of UTC."""
        self._path, self._limit = path, limit_bytes
        self._day, self._kept = "", dict[str, int]()
        try:
            document = json.loads(path.read_text())
            self._day, self._kept = (
                str(document["day"]),
                {str(name): int(kept) for name, kept in document["kept"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # the first start of this worker, or a file that a crash cut short: counting begins again

    def keeps(self, van_id: str | None, size: int, now: datetime) -> bool:
        """Whether so many bytes of this van (None: of nobody proven) are to be kept; counts them in."""
        day, name = now.date().isoformat(), van_id or UNPROVEN
        if day != self._day:
            self._day, self._kept = day, {}
        kept = self._kept.get(name, 0)
        if kept + size > self._limit:
            log.warning("quarantine is full for %s today: only the rejection's record remains", name)
            return False
        self._kept[name] = kept + size
        self._write()
        return True

    def _write(self) -> None:
        beside = self._path.with_suffix(".new")
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"day": self._day, "kept": self._kept}))
        beside.replace(self._path)
