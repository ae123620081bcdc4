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
    """How far a stage is behind one topic that it reads.

    behind: records that it has not processed yet, over all partitions. partitions: how many of these hold such records.
    most: the largest number of them in one partition. waiting: how many of all of them are older than was asked for.
    """

    stage: Writer
    topic: str
    behind: int
    partitions: int
    most: int
    waiting: int = 0


def lags(settings: BrokerSettings, older_than_ms: int | None = None) -> list[Lag]:
    """How far each stage is behind each topic of which it has committed something, by asking the broker.

    A stage that has committed nothing is left out, for unknown is not 0. No message is read. older_than_ms:
    milliseconds since 1970 by the broker's clock; what was appended before it and is left counts as waiting. None:
    nothing does.
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
        asked = {} if older_than_ms is None else dict.fromkeys(sorted(places), older_than_ms)
        young = consumer.offsets_for_times(asked) if asked else {}
    first_young = {place: ends[place] if found is None else found.offset for place, found in young.items()}
    offsets = {group: {place: each.offset for place, each in of.items()} for group, of in committed.items()}
    return lags_of(offsets, ends, first_young)


def lags_of(
    committed: Mapping[str, Mapping[Any, int]], ends: Mapping[Any, int], first_young: Mapping[Any, int] | None = None
) -> list[Lag]:
    """What follows from the next offset that each group has committed for a partition, and where the partition ends.

    first_young: the offset from which on records of a partition are not older than was asked for.
    """
    stages, left = stage_groups(), dict[tuple[Writer, str], list[int]]()
    waiting: dict[tuple[Writer, str], int] = {}
    young = first_young or {}
    for group, offsets in committed.items():
        for place, offset in offsets.items():
            if offset >= 0 and place in ends:  # -1 stands where nothing was committed
                key = (stages[group], place.topic)
                left.setdefault(key, []).append(max(0, ends[place] - offset))
                waiting[key] = waiting.get(key, 0) + max(0, young.get(place, offset) - offset)
    return sorted(
        Lag(*key, sum(each), sum(1 for one in each if one), max(each), waiting[key]) for key, each in left.items()
    )
