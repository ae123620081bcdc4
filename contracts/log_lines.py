"""A line of a log as JSON, for a site that collects logs by a program (`SONOVAN_LOG_FORMAT=json`).

One object a line: `at` (UTC), `process`, `level`, `logger`, `text`, and `trace` where an error has one. What may stand
in `text` is what may stand in plain logs: ids and codes, no name, file name or free text of anybody.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class LogSettings(BaseSettings):
    """SONOVAN_LOG_FORMAT: how workers, the supervisor and the console write their logs."""

    model_config = SettingsConfigDict(env_prefix="SONOVAN_LOG_", extra="ignore", frozen=True)

    format: Literal["text", "json"] = "text"


class JsonLines(logging.Formatter):
    """Each record as one line of JSON."""

    def __init__(self, process: str) -> None:
        """process: which program speaks, `segment-1`."""
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without its end."""
        trace = self.formatException(record.exc_info) if record.exc_info else None
        at = datetime.fromtimestamp(record.created, UTC)
        return json_line(self._process, record.levelname, record.name, record.getMessage(), at, trace)


def json_line(process: str, level: str, logger: str, text: str, at: datetime, trace: str | None = None) -> str:
    """One line. at: UTC."""
    said = {"at": at.isoformat(timespec="milliseconds"), "process": process, "level": level, "logger": logger}
    more = {} if trace is None else {"trace": trace}
    return json.dumps({**said, "text": text, **more}, ensure_ascii=False)
