"""The store's accounts and policies, made by root and brought to what the table of `access.py` says."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from minio import MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException

from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.topics import Writer
from sonovan.storage.access import ACCOUNTS, account_of, policy, policy_name
from sonovan.storage.clocks import asked_clock_hint
from sonovan.storage.minio_store import away_is_transient
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount


def create_accounts(root: ObjectStoreSettings, accounts: Mapping[Writer, StoreAccount]) -> None:
    """Give every account of the table its keys and its policy; running it again changes nothing.

    An access key that named one of these accounts before, and no longer does, is removed.
    Raises Transient when the store is away, Fatal when it refuses root or a key.
    """
    admin = _administering(root)
    with _telling(root):
        there = json.loads(admin.user_list())
        for account in ACCOUNTS:
            keys = accounts[account]
            admin.policy_add(policy_name(account), policy=policy(account))
            admin.user_add(keys.access_key, keys.secret_key.get_secret_value())
            if there.get(keys.access_key, {}).get("policyName") != policy_name(account):
                admin.policy_set(policy_name(account), user=keys.access_key)
        held = {keys.access_key for keys in accounts.values()}
        for key in there.keys() - held:
            if account_of(key) in {account.value for account in ACCOUNTS}:
                admin.user_remove(key)


def accounts_astray(root: ObjectStoreSettings, accounts: Mapping[Writer, StoreAccount]) -> dict[Writer, str]:
    """Where accounts differ from what `create_accounts` makes, in words by account; changes nothing.

    Raises as `create_accounts`.
    """
    admin = _administering(root)
    told = {}
    with _telling(root):
        there = json.loads(admin.user_list())
        policies = json.loads(admin.policy_list())
        for account in ACCOUNTS:
            name = policy_name(account)
            if accounts[account].access_key not in there:
                told[account] = "the store does not know its key"
            elif there[accounts[account].access_key].get("policyName") != name:
                told[account] = "it has another policy than its own"
            elif _statements(policies.get(name)) != _statements(policy(account)):
                told[account] = "its policy is not that of the table"
    return told


def _statements(policy: Any) -> list[str]:
    """A policy's statements, so that the order in which a store writes actions and resources does not matter."""
    found = [] if policy is None else policy["Statement"]
    return sorted(json.dumps([each["Effect"], sorted(each["Action"]), sorted(each["Resource"])]) for each in found)


def _administering(root: ObjectStoreSettings) -> MinioAdmin:
    return MinioAdmin(
        endpoint=root.endpoint,
        credentials=StaticProvider(root.access_key, root.secret_key.get_secret_value()),
        region=root.region,
        secure=root.secure,
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(root.timeout_s), retries=False),
    )


@contextmanager
def _telling(root: ObjectStoreSettings) -> Iterator[None]:
    """Turn the admin API's errors into this project's; their texts may hold keys, so only the code is shown."""
    try:
        with away_is_transient(root.endpoint):
            yield
    except MinioAdminException as error:
        status = int(error._code)
        told = f"the object store at {root.endpoint} (status {status}{_named(error)})"
        if status >= 500:
            raise Transient(f"{told} is not ready to set up its accounts") from None
        raise Fatal(f"{told} refuses to set up its accounts{asked_clock_hint(root)}") from None


def _named(error: MinioAdminException) -> str:
    try:
        return f", {json.loads(error._body)['Code']}"
    except (ValueError, KeyError, TypeError):
        return ""
