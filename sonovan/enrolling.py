"""Where vans are enrolled and revoked: at the centre of a state folder, or at one that settings alone name."""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from sonovan.centre import attach
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.depot import centre_public_key
from sonovan.contracts.errors import Fatal
from sonovan.contracts.limits import VAN_BYTES_PER_S
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Writer
from sonovan.depot import centre_key
from sonovan.producers.vault import Vault
from sonovan.settings import EnrolmentAccounts, EnrolmentSettings
from sonovan.transport.admin import Administrator
from sonovan.transport.grants import van_account
from sonovan.transport.tls import authorities

_PASSWORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A centre, as whoever enrols a van needs it.

    admin makes accounts, topics and access; registrar publishes vans' keys. account_of: how a van whose vault is open
    will reach the broker, the same again where it was enrolled before. receipt_keys: public, in hex. depot_key: public,
    32 bytes; None where the centre's is not told.
    """

    admin: BrokerSettings
    registrar: BrokerSettings
    account_of: Callable[[str, Vault], BrokerSettings]
    receipt_keys: tuple[str, ...]
    depot_key: bytes | None

    def enrol_van(self, van_id: str, vault: Vault, bytes_per_s: int | None = VAN_BYTES_PER_S) -> BrokerSettings:
        """Give a van its Kafka account, answers topic, access and quota; how it reaches Kafka. Again is harmless."""
        settings = self.account_of(van_id, vault)
        with Administrator(self.admin) as administrator:
            administrator.enrol_van(van_id, settings.password.get_secret_value(), bytes_per_s)
        return settings

    def revoke_van(self, van_id: str) -> None:
        """Take a van's Kafka account and access away."""
        with Administrator(self.admin) as administrator:
            administrator.revoke_van(van_id)


def enrolling(state: Path) -> Enrolling:
    """The centre that SONOVAN_ENROL_* name where they are set, else the one of the state folder.

    Raises Transient where neither is there, Fatal that names a setting which is missing or wrong.
    """
    return _of_settings() if "SONOVAN_ENROL_BROKER" in os.environ else _of_state(state)


def _of_state(state: Path) -> Enrolling:
    centre = attach(state)
    return Enrolling(
        admin=centre.kafka(),
        registrar=centre.kafka(Writer.REGISTRAR),
        account_of=lambda van_id, _vault: centre.kafka(van_account(van_id)),
        receipt_keys=centre.receipt_keys().public,
        depot_key=centre_public_key(centre_key(state)),
    )


def _of_settings() -> Enrolling:
    told, accounts = read_settings(EnrolmentSettings), read_settings(EnrolmentAccounts)
    try:
        trusted = "".join(authorities(told.ca.read_text(encoding="utf-8", errors="replace")).values())
    except OSError as error:
        raise Fatal(f"SONOVAN_ENROL_CA: cannot read {told.ca} ({error.strerror})") from None

    def account_of(van_id: str, vault: Vault) -> BrokerSettings:
        kept = vault.read("kafka")
        password = secrets.token_urlsafe(_PASSWORD_BYTES) if kept is None else json.loads(kept)["password"]
        return BrokerSettings(
            bootstrap=told.vans, username=van_account(van_id), password=SecretStr(password), ca=trusted
        )

    def inside(account: str, password: SecretStr) -> BrokerSettings:
        return BrokerSettings(bootstrap=told.broker, username=account, password=password, ca=None, proxy=None)

    return Enrolling(
        admin=inside("admin", accounts.admin_password),
        registrar=inside(Writer.REGISTRAR, accounts.registrar_password),
        account_of=account_of,
        receipt_keys=tuple(told.receipts.split(",")),
        depot_key=None if told.depot_key is None else bytes.fromhex(told.depot_key),
    )
