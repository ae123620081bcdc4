"""`sonovan skip`: let an app pass one message that ends it again and again."""

import getpass
import hashlib
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from sonovan.cli.topics import kafka_settings
from sonovan.cli.up import StateOption
from sonovan.contracts.answers import RecordSkipped
from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import STAGES, TOPICS, Topic, Writer
from sonovan.state import state_path

AUDIT: Final = Path("audit") / "skipped.jsonl"
"""Within the state folder: who passed which message, when, and why in their own words; lines are only ever added."""

SEND_WITHIN_S: Final = 30.0


def _a_stage(name: str) -> str:
    if name not in STAGES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(STAGES)}.")
    return name


def _a_topic(name: str) -> str:
    if name not in set(map(str, TOPICS)):
        raise typer.BadParameter(f"{name!r} is no topic; see: sonovan topics list")
    return name


def skip(
    stage: Annotated[str, typer.Argument(metavar="|".join(STAGES), help="Which app.", callback=_a_stage)],
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Where the message stands.", callback=_a_topic)],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0)],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0)],
    why: Annotated[str, typer.Option("--why", help="The reason, for the audit; it does not leave this machine.")],
    state: StateOption = None,
) -> None:
    """Let an app pass a message: it goes to quarantine as skipped_by_operator, and the app goes on behind it.

    The log of an app that ends names the message. The app reads what to pass when it starts, before it takes anything.
    """
    from sonovan.transport.producer import BoundedProducer
    from sonovan.transport.tail import Tail

    if not why.strip():
        raise typer.BadParameter("say --why; somebody will ask")
    if Writer(stage) not in next(spec for name, spec in TOPICS.items() if name == topic).readers:
        raise typer.BadParameter(f"{stage} does not read {topic}")
    settings = kafka_settings(state, "operator")
    with Tail(settings, topic, "now") as tail:
        end = tail.ends().get(partition)
    if end is None or offset >= end:
        there = "has no such partition" if end is None else f"ends before offset {end}"
        raise typer.BadParameter(f"{topic} {there}: nothing stands at {partition}/{offset}")
    record = RecordSkipped(
        stage=stage,
        topic=topic,
        partition=partition,
        offset=offset,
        skipped_at=datetime.now(UTC),
        by=_operator(),
        why_sha256=hashlib.sha256(why.encode()).hexdigest(),
    )
    _note(state_path(state) / AUDIT, {**record.model_dump(mode="json"), "why": why})
    with BoundedProducer(settings) as producer:
        producer.send(Topic.RECORD_SKIPPED, stage.encode(), record.encode()).result(SEND_WITHIN_S)
    sys.stdout.write(f"{stage} passes {topic}/{partition}/{offset} from its next start on; noted in {AUDIT}\n")


def _operator() -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", getpass.getuser())[:64]
    return name if name[:1].isalnum() else "operator"


def _note(path: Path, line: dict[str, object]) -> None:
    """Add a line that a crash cannot lose, in a file that its owner alone may read. Raises Transient."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise Transient(f"cannot write {path}: {error.strerror}; nothing is skipped without a note") from error
