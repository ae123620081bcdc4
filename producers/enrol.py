"""Enrol and revoke vans: make a van's signing key, keep its Kafka account, publish its public key in the registry.

`<state>/vans/<van_id>/` is the van's folder: its vault, the signing key and the account sealed by it, and the spool,
readable by their owner alone.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import VanId
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.producers.items import Signer
from sonovan.producers.vault import Vault
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from sonovan.transport.tls import authorities

_SENT_WITHIN_S: Final = 30.0
_KEY: Final = "signing_key"
_ACCOUNT: Final = "kafka"
_CENTRE: Final = "centre_key"
_VAN_ID: Final = TypeAdapter(VanId)

Clock = Callable[[], datetime]


def van_folder(state: Path, van_id: str) -> Path:
    """The folder of a van's files. Raises InvalidRecord `option_invalid` for a name that no van can have."""
    try:
        return state / "vans" / str(_VAN_ID.validate_python(van_id))
    except ValidationError:
        message = f"van name {van_id!r}: say at most 32 small letters, digits and hyphens, a letter or digit first"
        raise InvalidRecord("option_invalid", message) from None


def enrolled_vans(state: Path) -> list[str]:
    """The names of the vans whose signing keys are in this state folder, sorted."""
    return sorted(path.parent.name for path in state.glob(f"vans/*/{_KEY}.sealed"))


def not_enrolled(van_id: str) -> InvalidRecord:
    """The refusal to act as a van that has no key here."""
    return InvalidRecord("van_not_enrolled", f"van {van_id} is not enrolled here; run: sonovan van enrol {van_id}")


def enrol(
    vault: Vault, van_id: str, kafka: BrokerSettings, registrar: BrokerSettings, now: Clock = lambda: datetime.now(UTC)
) -> VanEnrolled:
    """Make a van's signing key and publish its public half. Doing it again is harmless.

    A van that is enrolled keeps its key. One that was revoked, or whose key's file is gone, gets a new key; the record
    keeps the earlier ones, by which what was sent until then is still verified.

    vault: of the van's folder. kafka: the van's own account, which must exist. registrar: an account that may write
    `van.enrolled`.
    Raises Transient and Fatal as Kafka does, Fatal where the key's file is damaged.
    """
    known = registered(registrar, van_id)
    key = vault.read(_KEY)
    had = {each.public_key for each in known.keys if each.revoked_at is not None} if known is not None else set()
    if key is None or public_key(key) in had:
        key = generate_key()
        vault.write(_KEY, key)
    _keep_kafka(vault, kafka)
    if known is not None and known.newest.public_key == public_key(key):
        return known
    own = public_key(key)
    record = VanEnrolled.first(van_id, own, now()) if known is None else known.renewed(own, now())
    _publish(registrar, record)
    return record


def revoke(
    state: Path, van_id: str, registrar: BrokerSettings, now: Clock = lambda: datetime.now(UTC)
) -> VanEnrolled | None:
    """Publish that a van's key is no longer valid, and delete the key and the account from the state folder.

    Returns the record that is published for the van now; None if it was never enrolled.
    """
    folder = van_folder(state, van_id)
    known = registered(registrar, van_id)
    if known is not None and known.newest.revoked_at is None:
        known = known.revoked(now())
        _publish(registrar, known)
    for name in (_KEY, _ACCOUNT, _CENTRE):
        (folder / f"{name}.sealed").unlink(missing_ok=True)
    return known


def registered(registrar: BrokerSettings, van_id: str) -> VanEnrolled | None:
    """The newest record of a van in the registry; None if it was never enrolled."""
    mine = [
        message
        for message in read_all(registrar, Topic.VAN_ENROLLED)
        if message.key == van_id.encode() and message.value
    ]
    return VanEnrolled.decode(mine[-1].value) if mine and mine[-1].value else None


def is_alone(registrar: BrokerSettings, van_id: str) -> bool:
    """Whether no other van was ever enrolled at this centre."""
    return {message.key for message in read_all(registrar, Topic.VAN_ENROLLED)} <= {van_id.encode()}


def load_signer(vault: Vault, van_id: str) -> Signer:
    """The van's signing key. Raises InvalidRecord `van_not_enrolled`, Fatal where the file is damaged."""
    key = vault.read(_KEY)
    if key is None:
        raise not_enrolled(van_id)
    return Signer(van_id, key)


def keep_centre_key(vault: Vault, public_key: bytes) -> None:
    """Keep the key for which exports to a disk are encrypted. public_key: 32 bytes, of the centre."""
    vault.write(_CENTRE, public_key)


def load_centre_key(vault: Vault, van_id: str) -> bytes:
    """The key for which exports to a disk are encrypted. Raises InvalidRecord `van_not_enrolled`, Fatal."""
    key = vault.read(_CENTRE)
    if key is None:
        raise not_enrolled(van_id)
    return key


def load_kafka(vault: Vault, van_id: str) -> BrokerSettings:
    """The van's Kafka account. Raises InvalidRecord `van_not_enrolled`, Fatal where the file is damaged."""
    account = vault.read(_ACCOUNT)
    if account is None:
        raise not_enrolled(van_id)
    return BrokerSettings(**json.loads(account))


def trust(vault: Vault, van_id: str, trusted: str) -> list[str]:
    """Let the van trust these authorities (PEM) for the centre from now on, and no others; their sha256 in hex.

    Raises InvalidRecord `option_invalid` for what holds no certificates, else as `load_kafka`.
    """
    found = authorities(trusted)
    _keep_kafka(vault, load_kafka(vault, van_id).model_copy(update={"ca": "".join(found.values())}))
    return list(found)


def _keep_kafka(vault: Vault, kafka: BrokerSettings) -> None:
    password = kafka.password.get_secret_value()
    account = {"bootstrap": kafka.bootstrap, "username": kafka.username, "password": password, "ca": kafka.ca}
    vault.write(_ACCOUNT, json.dumps(account).encode())


def _publish(registrar: BrokerSettings, record: VanEnrolled) -> None:
    with BoundedProducer(registrar) as producer:
        producer.send(Topic.VAN_ENROLLED, record.van_id.encode(), record.encode()).result(_SENT_WITHIN_S)
