"""Enrol and revoke vans: make a van's signing key, keep its Kafka account, publish its public key in the registry.

`<state>/vans/<van_id>/` holds `private_key` (hex), `kafka.json` and the spool, readable by their owner alone.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.record import VanId
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.producers.items import Signer
from sonovan.producers.private_files import write_private
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all

_SENT_WITHIN_S: Final = 30.0
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
    return sorted(path.parent.name for path in state.glob("vans/*/private_key"))


def enrol(
    state: Path, van_id: str, kafka: BrokerSettings, registrar: BrokerSettings, now: Clock = lambda: datetime.now(UTC)
) -> VanEnrolled:
    """Make a van's signing key and publish its public half. Doing it again is harmless.

    A van that is enrolled keeps its key. One that was revoked, or whose key's file is gone, gets a new key; the record
    keeps the earlier ones, by which what was sent until then is still verified.

    kafka: the van's own account, which must exist. registrar: an account that may write `van.enrolled`.
    Raises Transient and Fatal as Kafka does, Fatal where the key's file is damaged.
    """
    folder = van_folder(state, van_id)
    key_file = folder / "private_key"
    known = registered(registrar, van_id)
    key = _read_key(key_file) if key_file.exists() else None
    had = {each.public_key for each in known.keys if each.revoked_at is not None} if known is not None else set()
    if key is None or public_key(key) in had:
        key = generate_key()
        write_private(key_file, key.hex())
    account = {"bootstrap": kafka.bootstrap, "username": kafka.username, "password": kafka.password.get_secret_value()}
    write_private(folder / "kafka.json", json.dumps(account))
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
    for name in ("private_key", "kafka.json"):
        (folder / name).unlink(missing_ok=True)
    return known


def registered(registrar: BrokerSettings, van_id: str) -> VanEnrolled | None:
    """The newest record of a van in the registry; None if it was never enrolled."""
    mine = [
        message
        for message in read_all(registrar, Topic.VAN_ENROLLED)
        if message.key == van_id.encode() and message.value
    ]
    return VanEnrolled.decode(mine[-1].value) if mine and mine[-1].value else None


def load_signer(state: Path, van_id: str) -> Signer:
    """The van's signing key. Raises InvalidRecord `van_not_enrolled`, Fatal where the file is damaged."""
    key_file = van_folder(state, van_id) / "private_key"
    if not key_file.exists():
        raise InvalidRecord("van_not_enrolled", f"van {van_id} is not enrolled here; run: sonovan van enrol {van_id}")
    return Signer(van_id, _read_key(key_file))


def load_kafka(state: Path, van_id: str) -> BrokerSettings:
    """The van's Kafka account. Raises InvalidRecord `van_not_enrolled`, Fatal where the file is damaged."""
    path = van_folder(state, van_id) / "kafka.json"
    if not path.exists():
        raise InvalidRecord("van_not_enrolled", f"van {van_id} is not enrolled here; run: sonovan van enrol {van_id}")
    try:
        return BrokerSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, OSError) as error:
        raise Fatal(f"{path} is damaged; run: sonovan van enrol {van_id}") from error


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="utf-8").strip())
    except (ValueError, OSError) as error:
        raise Fatal(f"{path} is not a signing key; revoke the van and enrol it again") from error
    if len(key) != 32:
        raise Fatal(f"{path} is not a signing key; revoke the van and enrol it again")
    return key


def _publish(registrar: BrokerSettings, record: VanEnrolled) -> None:
    with BoundedProducer(registrar) as producer:
        producer.send(Topic.VAN_ENROLLED, record.van_id.encode(), record.encode()).result(_SENT_WITHIN_S)
