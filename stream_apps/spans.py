"""One span for each message that a worker handles, under the step that caused it; written to a file where asked.

A line is one OTLP/JSON `ExportTraceServiceRequest`, as the OpenTelemetry collector's receiver `otlpjsonfile` reads it.
A span says which topic, partition and offset, and how it ended: no key and nothing of the record. Written without the
packages of OpenTelemetry (docs/decisions/0136). Source: OTLP 1.3, JSON protobuf encoding (ids as hexadecimal digits).
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sonovan.contracts.limits import MIB
from sonovan.contracts.tracing import TraceContext, within
from sonovan.stream_apps.stage import Message

log = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * MIB

_CONSUMER: Final = 5
_ERROR: Final = 2


class Spans:
    """The spans of one worker. folder: where its file lies, None writes none; the context is passed on in any case."""

    def __init__(self, stage: str, instance: int, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        """most_bytes: a file that is longer is put aside, and the one that was put aside before is deleted."""
        self._stage, self._instance, self._most_bytes = stage, instance, most_bytes
        self._file = None if folder is None else folder / f"{stage}-{instance}.jsonl"

    @contextmanager
    def around(self, message: Message) -> Iterator[None]:
        """Within it, what is sent carries the step of this message, where the message itself carries one."""
        caused_by = message.trace
        if caused_by is None:
            yield
            return
        step, began_ns, failed = caused_by.caused(), time.time_ns(), True
        try:
            with within(step):
                yield
            failed = False
        finally:
            if self._file is not None:
                self._write(self._file, self._span(message, caused_by, step, began_ns, failed))

    def _span(
        self, message: Message, caused_by: TraceContext, step: TraceContext, began_ns: int, failed: bool
    ) -> dict[str, Any]:
        at = message.at
        span = {
            "traceId": step.trace_id,
            "spanId": step.span_id,
            "parentSpanId": caused_by.span_id,
            "name": f"{self._stage} {at.topic}",
            "kind": _CONSUMER,
            "startTimeUnixNano": str(began_ns),
            "endTimeUnixNano": str(time.time_ns()),
            "attributes": _attributes(
                {
                    "messaging.system": "kafka",
                    "messaging.destination.name": at.topic,
                    "messaging.destination.partition.id": str(at.partition),
                    "messaging.kafka.offset": at.offset,
                }
            ),
            "status": {"code": _ERROR} if failed else {},
        }
        own = _attributes({"service.name": f"sonovan-{self._stage}", "service.instance.id": str(self._instance)})
        scopes = [{"scope": {"name": "sonovan"}, "spans": [span]}]
        return {"resourceSpans": [{"resource": {"attributes": own}, "scopeSpans": scopes}]}

    def _write(self, file: Path, request: dict[str, Any]) -> None:
        """Append a line. A disk that takes none costs spans and no work: it is told, and every message goes on."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if file.exists() and file.stat().st_size > self._most_bytes:
                file.replace(file.with_suffix(".1.jsonl"))
            with file.open("a", encoding="utf-8") as written:
                written.write(json.dumps(request) + "\n")
        except OSError as error:
            log.warning("a span was not written: %s", error.strerror)


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
