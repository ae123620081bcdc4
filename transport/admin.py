"""Bring a broker to what the topic table says (topics, accounts, grants), and list where it differs."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Final, Self

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ConfigResource,
    ConfigResourceType,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.limits import VAN_BYTES_PER_S
from sonovan.contracts.topics import APP_IDS
from sonovan.transport.acls import account_of, describe, entry, every_entry, exact_filter, grant_of
from sonovan.transport.client import client_options
from sonovan.transport.failures import translating
from sonovan.transport.grants import (
    Grant,
    Resource,
    all_grants,
    consumer_account,
    consumer_grants,
    is_consumer,
    is_project_account,
    may_be_consumers,
    mechanism_of,
    van_account,
    van_grants,
)
from sonovan.transport.plan import (
    PlannedTopic,
    answered_van,
    changed_configs,
    differences,
    planned_topics,
    refuse_fewer_brokers,
)
from sonovan.transport.quotas import byte_rate, set_byte_rate

_VANS_KEYSTORE: Final = "listener.name.vans.ssl.keystore.location"
_ITERATIONS: Final = 8192
_READY_WITHIN_S: Final = 60.0
_POLL_S: Final = 0.1


class Administrator:
    """What the admin account does to the cluster; a context manager.

    Every method raises Transient where no broker answers and Fatal where it refuses the account.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        with translating(f"connecting to {settings.bootstrap}"):
            self._client = KafkaAdminClient(**client_options(settings))

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def topic_names(self) -> set[str]:
        """Every topic on the broker except Kafka's internal ones."""
        with translating("listing topics"):
            return {name for name in self._client.list_topics() if not name.startswith("__")}

    def van_ids(self) -> set[str]:
        """The vans that have an answers topic."""
        return {van_id for name in self.topic_names() if (van_id := answered_van(name)) is not None}

    def plan(self, van_ids: Iterable[str] = ()) -> dict[str, PlannedTopic]:
        """The topics that this cluster must have, for the vans that it knows and for `van_ids`."""
        vans = self.van_ids() | set(van_ids)
        return planned_topics(self._brokers(), vans, max_message_bytes=self._settings.max_message_bytes)

    def _brokers(self) -> int:
        """How many brokers are there now; one that is away is not counted."""
        with translating("describing the cluster"):
            return len(self._client.describe_cluster()["brokers"])

    def create_topics(self, van_ids: Iterable[str] = (), brokers: int = 1) -> list[str]:
        """Create the topics that are missing and set the configuration that differs; returns the names created.

        brokers: so many must be there. Raises Transient where fewer are, or fewer than topics have copies: what is made
        then would lack a copy for good. Raises Fatal if a topic has another number of partitions: no command changes
        that without losing the order.
        """
        plan, names = self.plan(van_ids), self.topic_names()
        refuse_fewer_brokers(self._brokers(), self._found(plan.keys() & names).values(), brokers)
        missing = {name: plan[name] for name in plan.keys() - names}
        with translating("creating topics"):
            if missing:
                self._client.create_topics({name: _creation(topic) for name, topic in missing.items()})
                self._client.wait_for_topics(list(missing), timeout_ms=_READY_WITHIN_S * 1000)
        found = self._found(plan)
        _refuse_other_partitions(plan, found)
        self._mend_configs(plan, found)
        return sorted(missing)

    def prepare_groups(self) -> None:
        """Wait until the apps' groups have their coordinator: the first to ask makes the broker create its topic."""
        self._await(self._coordinated, "finding the groups' coordinator")

    def check(self) -> list[str]:
        """Where topics and grants differ from the table, one line each; empty where they do not."""
        return [*self.topics_astray(), *(line for lines in self.access_astray().values() for line in lines)]

    def topics_astray(self) -> list[str]:
        """Where topics differ from the table, one line each; empty where they do not."""
        plan, names = self.plan(), self.topic_names()
        missing = [f"{name}: missing" for name in sorted(plan.keys() - names)]
        unknown = [f"{name}: not in the table" for name in sorted(names - plan.keys())]
        found = self._found(plan.keys() & names)
        return missing + unknown + [line for name in sorted(found) for line in differences(plan[name], found[name])]

    def access_astray(self) -> dict[str, list[str]]:
        """Where grants differ from the table, by account, one line each; accounts with none are left out."""
        lacking, surplus = self._grants_astray()
        told: dict[str, list[str]] = {}
        for grant in sorted(lacking):
            told.setdefault(grant.account, []).append(f"access missing: {describe(entry(grant))}")
        for acl in surplus:
            told.setdefault(account_of(acl), []).append(f"access not in the table: {describe(acl)}")
        return told

    def accounts(self) -> set[str]:
        """Everybody who has a password at the broker."""
        with translating("listing accounts"):
            return set(self._client.describe_user_scram_credentials())

    def set_accounts(self, passwords: Mapping[str, str]) -> None:
        """Create the accounts, or give them these passwords, all in one request."""
        upsertions = [
            UserScramCredentialUpsertion(account, mechanism_of(account), password, iterations=_ITERATIONS)
            for account, password in passwords.items()
        ]
        with translating(f"setting the passwords of {', '.join(passwords)}"):
            answers = self._client.alter_user_scram_credentials(upsertions)
        refused = [f"account {account}: {why}" for account, why in answers.items() if why is not None]
        if refused:
            raise Fatal("; ".join(refused))

    def align_grants(self) -> None:
        """Bring the grants of the project's accounts to what the table says: add what is missing, remove what is more.

        Other accounts (a site's own readers) are left alone.
        """
        missing, surplus = self._grants_astray()
        self._grant(missing)
        self._remove(surplus)
        self._await(lambda: not any(self._grants_astray()), "granting access")

    def enrol_van(self, van_id: str, password: str, bytes_per_s: int | None = VAN_BYTES_PER_S) -> None:
        """Give a van its account, its answers topic, its grants and its quota; harmless when it has them.

        bytes_per_s: what it may send to the broker, None as much as it likes.
        """
        account, wanted = van_account(van_id), van_grants(van_id)
        self.create_topics([van_id])
        # The quota first: there is no moment in which the van may send without one.
        with translating(f"setting the quota of {van_id}"):
            set_byte_rate(self._client, account, bytes_per_s)
        self.set_accounts({account: password})
        self._grant(wanted)
        self._await(lambda: wanted <= self._held(account) and account in self.accounts(), f"granting {van_id} access")

    def van_quota(self, van_id: str) -> int | None:
        """How many bytes a second a van may send; None where it has no quota."""
        with translating(f"reading the quota of {van_id}"):
            return byte_rate(self._client, van_account(van_id))

    def revoke_van(self, van_id: str) -> None:
        """Take a van's grants, account and quota away; what it sent and its answers stay. Harmless when it has none."""
        self._revoke(van_account(van_id))
        with translating(f"taking the quota of {van_id} away"):
            set_byte_rate(self._client, van_account(van_id), None)

    def reload_certificate(self) -> None:
        """Have every broker read the certificate of its listener for vans again; connections that are open stay.

        Setting where it lies once more makes a broker read the file (Kafka's documentation, "Updating SSL Keystore of
        an Existing Listener").
        """
        with translating("reloading the certificate of the listener for vans"):
            ids = [str(broker["broker_id"]) for broker in self._client.describe_cluster()["brokers"]]
            asked = [ConfigResource(ConfigResourceType.BROKER, each) for each in ids]
            told = self._client.describe_configs(asked, config_filter="all")["broker"]
            again = {each: {_VANS_KEYSTORE: told[each][_VANS_KEYSTORE]["value"]} for each in ids}
            answers = self._client.alter_configs(
                [ConfigResource(ConfigResourceType.BROKER, each, again[each]) for each in ids],
                raise_on_unknown=False,  # kafka-python knows no settings of one listener
                incremental=True,
            )["broker"]
        refused = [f"broker {name}: {answer}" for name, answer in answers.items() if answer != "OK"]
        if refused:
            raise Fatal(f"the certificate was not taken: {'; '.join(refused)}")

    def enrol_consumer(self, name: str, password: str, topics: Iterable[str]) -> None:
        """Give a consumer its account and exactly the grants to read `topics`; harmless when it has them."""
        account, wanted = consumer_account(name), consumer_grants(name, topics)
        self.set_accounts({account: password})
        with translating(f"listing the grants of {account}"):
            found = self._client.describe_acls(every_entry(account))[0]
        self._grant(wanted - {grant_of(acl) for acl in found})
        self._remove([acl for acl in found if grant_of(acl) not in wanted])
        self._await(lambda: self._held(account) == wanted and account in self.accounts(), f"granting {account} access")

    def revoke_consumer(self, name: str) -> None:
        """Take a consumer's grants and account away, for connections that are open too. Harmless when it has none."""
        self._revoke(consumer_account(name))

    def consumers(self) -> dict[str, list[str]]:
        """The topics that each enrolled consumer reads, by its name."""
        names = {
            account: account.removeprefix(consumer_account("")) for account in self.accounts() if is_consumer(account)
        }
        return {
            name: sorted(grant.name for grant in self._held(account) if grant and grant.resource is Resource.TOPIC)
            for account, name in sorted(names.items())
        }

    def _revoke(self, account: str) -> None:
        # Grants first: they are asked for with every request, the password only when a connection is made.
        with translating(f"revoking {account}"):
            self._client.delete_acls([every_entry(account)])
            known = self._client.describe_user_scram_credentials([account])[account]["credential_infos"]
            if known:
                mechanism = mechanism_of(account)
                self._client.alter_user_scram_credentials([UserScramCredentialDeletion(account, mechanism)])
        self._await(lambda: not self._held(account) and account not in self.accounts(), f"revoking {account}")

    def _coordinated(self) -> bool:
        try:
            self._client.describe_groups(sorted(APP_IDS.values()))
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            return False
        return True

    def _await(self, applied: Callable[[], bool], doing: str) -> None:
        # The controller answers before the brokers know: right after many topics were made, seconds before. Accounts
        # precede grants in the metadata log, so whoever waits for the grants has waited for both.
        give_up_at = time.monotonic() + _READY_WITHIN_S
        with translating(doing):
            while not applied():
                if time.monotonic() > give_up_at:
                    raise Transient(f"{doing}: the broker did not apply it within {_READY_WITHIN_S:g} s")
                time.sleep(_POLL_S)

    def _grant(self, grants: Iterable[Grant]) -> None:
        entries = [entry(grant) for grant in sorted(grants)]
        if not entries:
            return
        with translating("granting access"):
            failed = self._client.create_acls(entries)["failed"]
        if failed:
            raise Fatal(f"{len(failed)} grants were refused: {failed[0].__name__}")

    def _remove(self, surplus: Sequence[ACL]) -> None:
        if surplus:
            with translating("removing grants"):
                self._client.delete_acls([exact_filter(acl) for acl in surplus])

    def _held(self, account: str) -> set[Grant | None]:
        """The grants of one account; None stands for entries of a kind that this project never makes."""
        with translating(f"listing the grants of {account}"):
            return {grant_of(acl) for acl in self._client.describe_acls(every_entry(account))[0]}

    def _grants_astray(self) -> tuple[set[Grant], list[ACL]]:
        """(grants that the broker lacks, entries of the project's accounts that the table does not ask for)."""
        wanted = all_grants(self._enrolled_vans())
        with translating("listing grants"):
            found, _ = self._client.describe_acls(every_entry())
        ours = [acl for acl in found if is_project_account(account_of(acl))]
        held = {grant_of(acl) for acl in ours}
        # Which topics a consumer reads stands in its grants alone: those that it may have are as they should be.
        wanted |= {grant for grant in held if grant is not None and may_be_consumers(grant)}
        return wanted - held, [acl for acl in ours if grant_of(acl) not in wanted]

    def _enrolled_vans(self) -> set[str]:
        """The vans that have both an account and an answers topic: a revoked one keeps only the topic."""
        vans = self.van_ids()
        if not vans:
            return vans
        accounts = self.accounts()
        return {van_id for van_id in vans if van_account(van_id) in accounts}

    def _found(self, names: Iterable[str]) -> dict[str, PlannedTopic]:
        """The named topics as they stand on the broker."""
        wanted = sorted(names)
        if not wanted:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
        with translating("describing topics"):
            described = self._client.describe_topics(wanted)
            configs = self._client.describe_configs(resources, config_filter="modified")["topic"]
        return {
            topic["name"]: PlannedTopic(
                topic["name"],
                partitions=len(topic["partitions"]),
                replication_factor=min(len(partition["replica_nodes"]) for partition in topic["partitions"]),
                configs=MappingProxyType({name: entry["value"] for name, entry in configs[topic["name"]].items()}),
            )
            for topic in described
        }

    def _mend_configs(self, plan: dict[str, PlannedTopic], found: dict[str, PlannedTopic]) -> None:
        changes = {name: changed_configs(plan[name], topic) for name, topic in found.items()}
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, name, change) for name, change in changes.items() if change
        ]
        if not resources:
            return
        with translating("configuring topics"):
            answers = self._client.alter_configs(resources)["topic"]
        refused = [f"{name}: {answer}" for name, answer in answers.items() if answer != "OK"]
        if refused:
            raise Fatal("; ".join(refused))


def _creation(topic: PlannedTopic) -> dict[str, object]:
    return {
        "num_partitions": topic.partitions,
        "replication_factor": topic.replication_factor,
        "configs": dict(topic.configs),
    }


def _refuse_other_partitions(plan: dict[str, PlannedTopic], found: dict[str, PlannedTopic]) -> None:
    other = [
        f"{name} has {topic.partitions}" for name, topic in found.items() if topic.partitions != plan[name].partitions
    ]
    if other:
        raise Fatal(f"{', '.join(other)} partitions instead of those of the table: keys would change partition, so "
                    "move the records to a new version of the topic")  # fmt: skip
