"""Derive from the topic table alone what each Kafka account may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sonovan.contracts.broker import INSIDE_MECHANISM, VANS_MECHANISM
from sonovan.contracts.topics import APP_IDS, PEOPLE, STAGES, TOPICS, Topic, Writer, deferred_group, van_answered_topic
from sonovan.transport.plan import answers_prefix


class Operation(StrEnum):
    """What a grant allows. READ and WRITE imply DESCRIBE, WRITE implies the idempotent one (Kafka ≥ 3.0, KIP-679)."""

    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    DESCRIBE = "DESCRIBE"


class Resource(StrEnum):
    """The kind of thing to which a grant applies."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """`account` may do `operation` on the resource called `name`, or if `prefixed` on all whose names begin with it."""

    account: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False


def van_account(van_id: str) -> str:
    """The Kafka account of a van."""
    return f"van-{van_id}"


def mechanism_of(account: str) -> str:
    """The SASL mechanism of an account: that of vans' accounts is taken by their listener alone, which is TLS."""
    return VANS_MECHANISM if account.startswith(van_account("")) else INSIDE_MECHANISM


def consumer_account(name: str) -> str:
    """The Kafka account of a consumer: an analyst, or another system that reads."""
    return f"consumer-{name}"


def is_consumer(account: str) -> bool:
    """Whether this is a consumer's account."""
    return account.startswith(consumer_account(""))


def is_project_account(account: str) -> bool:
    """Whether the table speaks of this account; others are a site's own business."""
    return account in {*STAGES, *PEOPLE} or account.startswith(van_account("")) or is_consumer(account)


def stage_grants(stage: Writer) -> set[Grant]:
    """A Faust app's grants: its rows of the table, vans' answers, its own changelogs (`{app_id}-…`) and its groups."""
    app_id = APP_IDS[stage]
    kinds = (Operation.READ, Operation.WRITE, Operation.CREATE)
    own = {Grant(stage, Resource.TOPIC, f"{app_id}-", operation, prefixed=True) for operation in kinds}
    groups = {Grant(stage, Resource.GROUP, group, Operation.READ) for group in _groups_of(stage)}
    return _rows(stage, stage) | _answers(stage, stage) | own | groups


def stage_groups() -> dict[str, Writer]:
    """Every consumer group of a stage, and which stage's it is."""
    return {group: stage for stage in STAGES for group in _groups_of(stage)}


def _groups_of(stage: Writer) -> list[str]:
    defers = stage in TOPICS[Topic.FRAME_DEFERRED].readers
    return [APP_IDS[stage], *([deferred_group(stage)] if defers else [])]


def person_grants(person: Writer) -> set[Grant]:
    """The grants of one of PEOPLE: its rows of the table and groups of its own, `<person>` and `<person>.…`.

    The operator also sees where the topics end from which a stage may pass a message, and reads alerts alone. The
    console sees that as well, and how far each stage has come there.
    """
    account = person.value
    seen = {
        Grant(account, Resource.TOPIC, row.name, Operation.DESCRIBE)
        for row in TOPICS.values()
        if row.readers.intersection(STAGES)
    }
    own = _rows(account, person) | _answers(account, person) | _groups(account)
    groups = {Grant(account, Resource.GROUP, group, Operation.DESCRIBE) for group in stage_groups()}
    return own | {Writer.OPERATOR: seen, Writer.CONSOLE: seen | groups}.get(person, set())


def van_grants(van_id: str) -> set[Grant]:
    """A van's grants: writes its rows of the table, reads its own answers and nothing else."""
    account = van_account(van_id)
    answers = Grant(account, Resource.TOPIC, van_answered_topic(van_id).name, Operation.READ)
    return _rows(account, Writer.VAN) | {answers} | _groups(account)


def consumer_topics() -> list[str]:
    """What a consumer reads where nobody named topics: all of the table but pixels and what is personal."""
    kept_back = {row.name for row in TOPICS.values() if row.personal} | {
        Topic.FRAME_CAPTURED.value,
        Topic.FRAME_DEFERRED.value,
    }
    return [str(row.name) for row in TOPICS.values() if row.name not in kept_back]


def consumer_grants(name: str, topics: Iterable[str]) -> set[Grant]:
    """A consumer's grants: reads these topics in groups of its own, `consumer-<name>` and `consumer-<name>.…`."""
    account = consumer_account(name)
    return {Grant(account, Resource.TOPIC, topic, Operation.READ) for topic in topics} | _groups(account)


def may_be_consumers(grant: Grant) -> bool:
    """Whether a consumer may hold this grant at all; which topics it reads is chosen when it is enrolled."""
    readable = {Grant(grant.account, Resource.TOPIC, str(row.name), Operation.READ) for row in TOPICS.values()}
    return is_consumer(grant.account) and grant in readable | _groups(grant.account)


def all_grants(van_ids: set[str]) -> set[Grant]:
    """Every grant that a broker with these vans shall hold."""
    stages = set[Grant]().union(*(stage_grants(stage) for stage in STAGES))
    people = (person_grants(person) for person in PEOPLE)
    return stages.union(*people, *(van_grants(van_id) for van_id in van_ids))


def _rows(account: str, role: Writer) -> set[Grant]:
    written = {
        Grant(account, Resource.TOPIC, row.name, Operation.WRITE) for row in TOPICS.values() if role in row.writers
    }
    read = {Grant(account, Resource.TOPIC, row.name, Operation.READ) for row in TOPICS.values() if role in row.readers}
    return written | read


def _answers(account: str, role: Writer) -> set[Grant]:
    row = van_answered_topic("any")
    roles = {Operation.WRITE: row.writers, Operation.READ: row.readers}
    return {
        Grant(account, Resource.TOPIC, answers_prefix(), operation, prefixed=True)
        for operation, members in roles.items()
        if role in members
    }


def _groups(account: str) -> set[Grant]:
    # A van's id holds no dot, so `van-1.` is the prefix of no other van's groups, as `van-1` would be of `van-10`.
    own = Grant(account, Resource.GROUP, account, Operation.READ)
    return {own, Grant(account, Resource.GROUP, f"{account}.", Operation.READ, prefixed=True)}
