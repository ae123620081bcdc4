"""The documentation of the topics, generated from the table: a page, an AsyncAPI document, a schema of each record."""

import json
from pathlib import Path
from typing import Any

from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.contracts.record import Record
from sonovan.contracts.topics import (
    APP_IDS,
    DEFERRED_PARTITIONS,
    FOR_EVER,
    FRAME_PARTITIONS,
    PEOPLE,
    STAGES,
    TABLES,
    TOPIC_PARTITIONS,
    TOPICS,
    TopicSpec,
    Writer,
    changelog_topic,
    van_answered_topic,
)
from sonovan.transport.asyncapi import FILE, asyncapi
from sonovan.transport.grants import (
    Grant,
    Resource,
    consumer_grants,
    consumer_topics,
    person_grants,
    stage_grants,
    van_grants,
)

_DAY_MS = 24 * 60 * 60 * 1000
_VAN = "VAN_ID"
_CONSUMER = "NAME"

_PAGE = """# Topics

Generated from `contracts/topics.py` by `sonovan topics describe --out docs`; a test keeps it equal. Do not edit.

Every topic has {partitions} partitions, but `frame.captured` has {frame_partitions}, `frame.deferred`
{deferred_partitions}, and a van's answers have one ([scale.md](scale.md)). All have
`message.timestamp.type=LogAppendTime` and `max.message.bytes` {max_bytes}.
Three replicas, two of them in sync, where there are three brokers; on a single broker every message is flushed to disk
(`flush.messages=1`) except where the table says "no flush". Values of vans' topics are signed envelopes
(`contracts/envelope.py`), all others the record itself as JSON. The JSON Schemas lie in [schemas/](schemas/), and
[asyncapi.json](asyncapi.json) has all of this as an AsyncAPI 3 document. [consuming.md](consuming.md) shows how to
read.

Topics whose records hold a subject key or her clinical record: {personal}. A consumer reads them only where it was
enrolled with `--personal`, and `frame.captured.v1` and `frame.deferred.v1` only where they were named. A frame that is
deferred has headers that say where it stood: `topic`, `partition`, `offset`, `appended-at-ms` and `key`.

| topic | key | value | kept | written by | read by | what it is |
|---|---|---|---|---|---|---|
{rows}

## Changelogs

Faust keeps each table of an app in a compacted topic of its own, with as many partitions.

| app | table | changelog |
|---|---|---|
{changelogs}

## Consumer groups

| app | group |
|---|---|
{groups}

Vans may use the groups `van-{van}` and `van-{van}.…`, consumers `consumer-{consumer}` and `consumer-{consumer}.…`, each
account of people groups of its own name likewise. The registry of vans is read without a group.

## Access

Derived from the table above; nobody else may do anything (`allow.everyone.if.no.acl.found=false`). READ and WRITE imply
DESCRIBE. A name that ends in `*` means all topics or groups that begin so.

| account | may | on |
|---|---|---|
{access}
"""


def described_topics() -> list[TopicSpec]:
    """Every row of the table, and one that stands for all vans' answers."""
    return [*TOPICS.values(), van_answered_topic(_VAN)]


def topics_page() -> str:
    """The text of `docs/topics.md`."""
    changelogs = [(stage, table, changelog_topic(stage, table)) for stage, tables in TABLES.items() for table in tables]
    grants = set[Grant]().union(
        *(stage_grants(stage) for stage in STAGES),
        *(person_grants(person) for person in PEOPLE),
        van_grants(_VAN),
        consumer_grants(_CONSUMER, consumer_topics()),
    )
    return _PAGE.format(
        partitions=TOPIC_PARTITIONS,
        frame_partitions=FRAME_PARTITIONS,
        deferred_partitions=DEFERRED_PARTITIONS,
        max_bytes=MAX_MESSAGE_BYTES,
        van=_VAN,
        consumer=_CONSUMER,
        personal=", ".join(f"`{spec.name}`" for spec in TOPICS.values() if spec.personal),
        rows="\n".join(_row(spec) for spec in described_topics()),
        changelogs="\n".join(f"| {stage.value} | {table} | `{name}` |" for stage, table, name in changelogs),
        groups="\n".join(f"| {stage.value} | {', '.join(_groups(stage))} |" for stage in APP_IDS),
        access="\n".join(_access(grants)),
    )


def schemas() -> dict[str, str]:
    """File name → JSON Schema (text) of each record that travels."""
    records: dict[str, type[Record]] = {spec.value.schema_name: spec.value for spec in described_topics()}
    return {f"{name}.json": _schema(record) for name, record in sorted(records.items())}


def write_docs(folder: Path) -> None:
    """Write `topics.md`, `asyncapi.json` and `schemas/` into `folder`; other schemas there are left alone."""
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    (folder / "topics.md").write_text(topics_page(), encoding="utf-8")
    (folder / FILE).write_text(asyncapi(), encoding="utf-8")
    for name, text in schemas().items():
        (folder / "schemas" / name).write_text(text, encoding="utf-8")


def _row(spec: TopicSpec) -> str:
    value = f"[{spec.value.__name__}](schemas/{spec.value.schema_name}.json)" + (", signed" if spec.signed else "")
    kept = _kept(spec) + ("" if spec.flush else ", no flush")
    who = [", ".join(_named(spec, members)) or "–" for members in (spec.writers, spec.readers)]
    return f"| {' | '.join([f'`{spec.name}`', spec.key, value, kept, *who, spec.purpose])} |"


def _named(spec: TopicSpec, members: frozenset[Writer]) -> list[str]:
    own = spec.name == van_answered_topic(_VAN).name
    return ["that van" if own and member is Writer.VAN else member.value for member in Writer if member in members]


def _kept(spec: TopicSpec) -> str:
    if spec.compacted:
        return "the last of each key"
    if spec.retention_ms == FOR_EVER:
        return "for ever"
    days = spec.retention_ms / _DAY_MS
    return f"{days:g} day{'' if days == 1 else 's'}"


def _groups(stage: Writer) -> list[str]:
    return [f"`{grant.name}`" for grant in sorted(stage_grants(stage)) if grant.resource is Resource.GROUP]


def _access(grants: set[Grant]) -> list[str]:
    """A line for each account and operation, all its resources in one cell."""
    named: dict[tuple[str, str, str], list[str]] = {}
    for grant in sorted(grants):
        what = f"`{grant.name}{'*' if grant.prefixed else ''}`"
        named.setdefault((grant.account, grant.operation.value, grant.resource.value.lower()), []).append(what)
    return [
        f"| {account} | {operation} | {resource}{'s' if len(names) > 1 else ''} {', '.join(names)} |"
        for (account, operation, resource), names in named.items()
    ]


def _schema(record: type[Record]) -> str:
    document = record.model_json_schema(mode="serialization")
    version = f"{record.schema_name}/{record.schema_version}"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["properties"] = {"schema": {"const": version}} | document["properties"]
    document["required"] = ["schema", *document.get("required", [])]
    # Consumers ignore fields that they do not know: a newer minor version may add some.
    for part in (document, *document.get("$defs", {}).values()):
        part.pop("additionalProperties", None)
    return json.dumps(_json_schema_alone(document), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _json_schema_alone(node: Any) -> Any:
    """The schema without OpenAPI's `discriminator`, which JSON Schema does not have and AsyncAPI means differently."""
    if isinstance(node, dict):
        foreign = isinstance(node.get("discriminator"), dict) and "propertyName" in node["discriminator"]
        return {
            name: _json_schema_alone(each) for name, each in node.items() if not (foreign and name == "discriminator")
        }
    return [_json_schema_alone(each) for each in node] if isinstance(node, list) else node
