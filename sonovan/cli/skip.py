"""`sonovan skip`: let an app pass one message that ends it again and again."""

import hashlib
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from sonovan.cli.topics import kafka_settings
from sonovan.cli.up import StateOption
from sonovan.contracts.answers import RecordSkipped
from sonovan.contracts.topics import STAGES, TOPICS, Topic, Writer
from sonovan.noting import note, operator
from sonovan.state import state_path

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
        by=operator(),
        why_sha256=hashlib.sha256(why.encode()).hexdigest(),
    )
    place: dict[str, str | int | bool | None] = {
        "stage": stage,
        "topic": topic,
        "partition": partition,
        "offset": offset,
    }
    noted = note(state_path(state), "message.skipped", place, why, at=record.skipped_at)
    with BoundedProducer(settings) as producer:
        producer.send(Topic.RECORD_SKIPPED, stage.encode(), record.encode()).result(SEND_WITHIN_S)
    sys.stdout.write(
        f"{stage} passes {topic}/{partition}/{offset} from its next start on; noted in the audit as {noted[:12]}\n"
    )
