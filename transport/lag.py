"""How far each stage is behind each topic that it reads, by the offsets that its consumer groups have committed."""

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import GroupIdNotFoundError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.topics import Writer
from sonovan.transport.client import client_options
from sonovan.transport.failures import translating
from sonovan.transport.grants import stage_groups


@dataclass(frozen=True, slots=True, order=True)
class Lag:
    """One topic that a stage reads. behind: records that it has not processed yet, over all partitions. partitions: of
    how many some are left. most: the most that are left of one of them."""

    stage: Writer
    topic: str
    behind: int
    partitions: int
    most: int


def lags(settings: BrokerSettings) -> list[Lag]:
    """Of each stage and topic of which it has committed something; a stage that has not is left out, for unknown is
    not 0. No message is read.

    Raises Transient where no broker answers, Fatal where the account may not see it.
    """
    committed: dict[str, Mapping[Any, Any]] = {}
    with translating("asking how far stages are"), closing(KafkaAdminClient(**client_options(settings))) as admin:
        for group in stage_groups():
            with suppress(GroupIdNotFoundError):  # no worker of the stage ever ran
                committed |= admin.list_group_offsets({group: None})
    places = {place for offsets in committed.values() for place in offsets}
    with (
        translating("asking where topics end"),
        closing(KafkaConsumer(**client_options(settings), group_id=None, enable_auto_commit=False)) as consumer,
    ):
        ends = consumer.end_offsets(sorted(places)) if places else {}
    return lags_of({group: {place: each.offset for place, each in of.items()} for group, of in committed.items()}, ends)


def lags_of(committed: Mapping[str, Mapping[Any, int]], ends: Mapping[Any, int]) -> list[Lag]:
    """What follows from the next offset that each group has committed for a partition, and where the partition ends."""
    stages, left = stage_groups(), dict[tuple[Writer, str], list[int]]()
    for group, offsets in committed.items():
        for place, offset in offsets.items():
            if offset >= 0 and place in ends:  # -1 stands where nothing was committed
                left.setdefault((stages[group], place.topic), []).append(max(0, ends[place] - offset))
    return sorted(
        Lag(stage, topic, sum(each), sum(1 for one in each if one), max(each)) for (stage, topic), each in left.items()
    )
