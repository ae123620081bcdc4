"""Every stage passes the trace of a message on to what it sends, and writes its span where asked."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sonovan.contracts.tracing import capture_of, step_in
from sonovan.stream_apps.deferring import headers_of, restored
from sonovan.stream_apps.spans import Spans
from tests.clinical.records import SCREENING
from tests.stream_apps.cases import CASES, Case
from tests.stream_apps.memory import Run

CAPTURE = capture_of(SCREENING, "a/000000")


def traced(case: Case) -> None:
    """Give every message of a case the step of one capture."""
    world = case.world
    world.arrived = [replace(each, trace=CAPTURE) for each in world.arrived]
    for messages in world.log.values():
        messages[:] = [replace(each, trace=CAPTURE) for each in messages]


async def live(case: Case, given: Spans | None = None) -> Run:
    worker = Run(case.world, case.open, spans=given)
    try:
        await worker.take(case.world.open_messages())
    finally:
        await worker.end()
    return worker


@pytest.mark.parametrize("name", list(CASES))
def test_what_a_stage_sends_carries_the_trace_of_what_caused_it(name: str, tmp_path: Path) -> None:
    case = CASES[name](tmp_path)
    traced(case)
    worker = asyncio.run(live(case, Spans(name, 2, tmp_path / "spans")))
    steps = [step_in(headers) for headers, _ in case.world.headed]
    assert len(steps) == len(case.world.sent)
    assert {step.trace_id for step in steps if step is not None} == {CAPTURE.trace_id}
    told = [json.loads(line) for line in (tmp_path / "spans" / f"{name}-2.jsonl").read_text().splitlines()]
    found = [each["resourceSpans"][0]["scopeSpans"][0]["spans"][0] for each in told]
    assert len(found) == len(case.world.arrived)
    assert {(each["traceId"], each["parentSpanId"], each["kind"]) for each in found} == {
        (CAPTURE.trace_id, CAPTURE.span_id, 5)
    }
    assert {step.span_id for step in steps if step is not None} <= {each["spanId"] for each in found}
    assert {each["name"] for each in found} <= {f"{name} {topic.value}" for topic in worker.stage.reads}
    assert SCREENING not in json.dumps(told)


@pytest.mark.parametrize("name", list(CASES))
def test_without_a_trace_nothing_is_headed_and_nothing_written(name: str, tmp_path: Path) -> None:
    case = CASES[name](tmp_path)
    asyncio.run(live(case, Spans(name, 1, tmp_path / "spans")))
    assert case.world.headed == []
    assert not (tmp_path / "spans").exists()


def test_a_deferred_message_keeps_its_trace(tmp_path: Path) -> None:
    case = CASES["segment"](tmp_path)
    traced(case)
    message = case.world.arrived[0]
    reads = Run(case.world, case.open).stage.reads
    assert restored(headers_of(message), message.value, reads) == message


def test_a_file_of_spans_is_bounded_and_a_disk_that_takes_none_stops_nothing(tmp_path: Path) -> None:
    case = CASES["segment"](tmp_path)
    traced(case)
    given = Spans("segment", 1, tmp_path / "spans", most_bytes=100)
    for _ in range(3):
        with given.around(case.world.arrived[0]):
            pass
    assert {each.name for each in (tmp_path / "spans").iterdir()} == {"segment-1.jsonl", "segment-1.1.jsonl"}
    (tmp_path / "taken").write_text("a file where a folder should be")
    done = False
    with Spans("segment", 1, tmp_path / "taken").around(case.world.arrived[0]):
        done = True
    assert done
