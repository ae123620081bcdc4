"""Derive from the topic table which topics a broker must have, with their configuration; changelogs included."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from sonovan.contracts.errors import Transient
from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.contracts.record import Record
from sonovan.contracts.topics import (
    COMPACT_CHANGELOGS_WITHIN_MS,
    FOR_EVER,
    TABLES,
    TOMBSTONES_MS,
    TOPIC_PARTITIONS,
    TOPICS,
    TopicSpec,
    changelog_topic,
    van_answered_topic,
)

_ANSWERS_PREFIX, _, _ANSWERS_SUFFIX = van_answered_topic("\0").name.partition("\0")


@dataclass(frozen=True, slots=True)
class PlannedTopic:
    """One topic as it must be on the broker. `configs` holds what is set explicitly."""

    name: str
    partitions: int
    replication_factor: int
    configs: MappingProxyType[str, str]


def answers_prefix() -> str:
    """What the names of all vans' answers topics begin with."""
    return _ANSWERS_PREFIX


def answered_van(topic: str) -> str | None:
    """The van whose answers `topic` holds; None for any other topic."""
    if topic.startswith(_ANSWERS_PREFIX) and topic.endswith(_ANSWERS_SUFFIX):
        return topic[len(_ANSWERS_PREFIX) : -len(_ANSWERS_SUFFIX)] or None
    return None


def spec_named(topic: str) -> TopicSpec:
    """The table's row for a topic's full name, a van's answers included. Raises KeyError for any other name."""
    van_id = answered_van(topic)
    if van_id is not None:
        return van_answered_topic(van_id)
    return {row.name: row for row in TOPICS.values()}[topic]


def planned_topics(
    brokers: int, van_ids: Iterable[str] = (), *, max_message_bytes: int = MAX_MESSAGE_BYTES
) -> dict[str, PlannedTopic]:
    """Every topic by name: the table's, an answers topic for each van, a changelog for each Faust table.

    brokers: how many there are; replication is lowered to it, and on a single one every message is flushed to disk
    where the table asks for it.
    """
    specs = [*TOPICS.values(), *(van_answered_topic(van_id) for van_id in sorted(set(van_ids)))]
    specs += [_changelog(changelog_topic(stage, table)) for stage, tables in TABLES.items() for table in tables]
    return {spec.name: _planned(spec, brokers, max_message_bytes) for spec in specs}


def _changelog(name: str) -> TopicSpec:
    return TopicSpec(
        name,
        "table key",
        Record,
        frozenset(),
        frozenset(),
        "changelog",
        compacted=True,
        compact_within_ms=COMPACT_CHANGELOGS_WITHIN_MS,
        partitions=TOPIC_PARTITIONS,
    )


def _planned(spec: TopicSpec, brokers: int, max_message_bytes: int) -> PlannedTopic:
    if brokers < 1:
        raise ValueError(f"{brokers} brokers hold no topic")
    replicas = min(spec.replication_factor, brokers)
    configs = {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "max.message.bytes": str(max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(min(spec.min_insync_replicas, replicas)),
        "retention.ms": str(FOR_EVER if spec.compacted else spec.retention_ms),
        "retention.bytes": str(spec.retention_bytes),
    }
    if spec.compact_within_ms is not None:
        configs |= {"max.compaction.lag.ms": str(spec.compact_within_ms), "delete.retention.ms": str(TOMBSTONES_MS)}
    if brokers == 1 and spec.flush:
        configs["flush.messages"] = "1"
    return PlannedTopic(spec.name, spec.partitions, replicas, MappingProxyType(configs))


def refuse_fewer_brokers(there: int, found: Iterable[PlannedTopic], wanted: int) -> None:
    """Raise Transient where fewer brokers are there than `wanted`, or than a topic that was found has copies.

    A topic gets as many copies as there are brokers when it is made, three at most, and keeps that number: one that is
    made while a broker is away could not be written once another one is.
    """
    needed = max(wanted, *(topic.replication_factor for topic in found), 1)
    if there < needed:
        raise Transient(f"{there} of {needed} brokers are there: topics made now would lack copies for good; bring the"
                        " others back, then try again")  # fmt: skip


def differences(wanted: PlannedTopic, found: PlannedTopic) -> list[str]:
    """How a topic that stands on the broker differs from the plan, one line each; empty where it does not."""
    lines = []
    if found.partitions != wanted.partitions:
        lines.append(f"{wanted.name}: {found.partitions} partitions, the table says {wanted.partitions}")
    if found.replication_factor < wanted.replication_factor:
        lines.append(f"{wanted.name}: {found.replication_factor} replicas, possible are {wanted.replication_factor}")
    lines += [
        f"{wanted.name}: {name} is {found.configs.get(name, 'not set')}, the table says {value}"
        for name, value in changed_configs(wanted, found).items()
    ]
    return lines


def changed_configs(wanted: PlannedTopic, found: PlannedTopic) -> dict[str, str]:
    """What has to be set to bring a topic's configuration to the plan."""
    return {name: value for name, value in wanted.configs.items() if found.configs.get(name) != value}
