"""`sonovan topics`: what Kafka holds, from the topic table alone."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.contracts.broker import BrokerSettings
    from sonovan.transport.tail import Message

app = typer.Typer(help="Kafka's topics, as the topic table has them.", no_args_is_help=True, rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_topics(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show every topic of the table and of the broker."""
    from sonovan.transport.admin import Administrator

    with Administrator(kafka_settings(state, "admin")) as administrator:
        there = administrator.topic_names()
        plan = administrator.plan()
    rows: list[dict[str, object]] = [
        {
            "topic": name,
            "partitions": plan[name].partitions if name in plan else None,
            "cleanup": plan[name].configs["cleanup.policy"] if name in plan else None,
            "retention_ms": plan[name].configs["retention.ms"] if name in plan else None,
            "state": ("there" if name in plan else "not in the table") if name in there else "missing",
        }
        for name in sorted(there | plan.keys())
    ]
    sys.stdout.write(json.dumps(rows, indent=1) + "\n" if as_json else format_table(rows))


@app.command()
def create(
    state: StateOption = None,
    buckets: Annotated[
        bool, typer.Option("--buckets", help="Make the object store's buckets, accounts and policies too.")
    ] = False,
    brokers: Annotated[int, typer.Option(min=1, help="Make nothing before so many brokers are there.")] = 1,
) -> None:
    """Create the topics that are missing, and set configuration and access where they differ from the table."""
    from sonovan.transport.admin import Administrator

    if buckets:
        _create_buckets(state)

    with Administrator(kafka_settings(state, "admin")) as administrator:
        for name in administrator.create_topics(brokers=brokers):
            sys.stdout.write(f"created {name}\n")
        administrator.align_grants()


def _create_buckets(state: Path | None) -> None:
    from sonovan.centre import attach
    from sonovan.contracts.settings import read_settings
    from sonovan.storage.accounts import create_accounts
    from sonovan.storage.buckets import create_buckets
    from sonovan.storage.settings import ACCOUNT_SETTINGS, ObjectStoreSettings

    if state is None and "SONOVAN_S3_ENDPOINT" in os.environ:
        root = read_settings(ObjectStoreSettings)
        accounts = {account: read_settings(kind) for account, kind in ACCOUNT_SETTINGS.items()}
        create_buckets(root)
        create_accounts(root, accounts)
    else:
        attach(state_path(state)).store_preparation()()


@app.command()
def check(state: StateOption = None) -> int:
    """Name every difference between the broker and the table; exit code 3 where there is one."""
    from sonovan.transport.admin import Administrator

    with Administrator(kafka_settings(state, "admin")) as administrator:
        found = administrator.check()
    for line in found:
        sys.stdout.write(f"{line}\n")
    return Exit.SOME_REJECTED if found else Exit.DONE


@app.command()
def tail(
    name: Annotated[str, typer.Argument(help="A topic's name, its version may be left out.")],
    state: StateOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Leave out what is there already; implies --follow.")] = False,
) -> None:
    """Print the records of a topic, one JSON document a line; pixels are left out."""
    from sonovan.transport.tail import Tail, read_all

    settings = kafka_settings(state, "reader")
    topic = full_name(name)
    if not (follow or now):
        for message in read_all(settings, topic):
            _print(message)
        return
    with Tail(settings, topic, "now" if now else "beginning") as reading:
        for message in reading.messages():
            _print(message)
            sys.stdout.flush()


@app.command()
def describe(
    out: Annotated[Path | None, typer.Option(help="Write topics.md and schemas/ into this folder instead.")] = None,
) -> None:
    """Print the documentation of all topics, generated from the table."""
    from sonovan.transport.describe import topics_page, write_docs

    if out is None:
        sys.stdout.write(topics_page())
    else:
        write_docs(out)


def full_name(name: str) -> str:
    """The topic that `name` means, with or without its version. BadParameter for one that is not in the table."""
    from sonovan.contracts.topics import TOPICS
    from sonovan.transport.plan import answered_van

    known = [row.name for row in TOPICS.values()]
    for candidate in (name, f"{name}.v1"):
        if candidate in known or answered_van(candidate) is not None:
            return candidate
    raise typer.BadParameter(f"no topic {name}; there are {', '.join(known)} and van.answered.<van_id>.v1.")


def kafka_settings(state: Path | None, account: str) -> "BrokerSettings":
    """How to reach Kafka: SONOVAN_KAFKA_* where set and no state folder is named, else the folder's services."""
    from sonovan.centre import attach
    from sonovan.contracts.broker import BrokerSettings
    from sonovan.contracts.settings import read_settings

    if state is None and "SONOVAN_KAFKA_BOOTSTRAP" in os.environ:
        return read_settings(BrokerSettings)
    return attach(state_path(state)).kafka(account)


def _print(message: "Message") -> None:
    sys.stdout.write(json.dumps(_shown(message), ensure_ascii=False) + "\n")


def _shown(message: "Message") -> dict[str, Any]:
    from sonovan.contracts.errors import InvalidRecord

    place = {
        "partition": message.partition,
        "offset": message.offset,
        "appended_at": message.appended_at.isoformat(),
        "key": None if message.key is None else message.key.decode(errors="replace"),
    }
    try:
        record = message.decode()
    except InvalidRecord as error:
        return place | {"invalid": error.reason}
    return place | {"record": None if record is None else record.model_dump(mode="json")}
