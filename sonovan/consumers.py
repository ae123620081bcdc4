"""Read-only accounts for whoever takes results out of Kafka: an analyst, another system.

`<state>/consumers/<name>/client.properties` (0600) holds an account's password; the grants themselves stand in Kafka.
"""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.topics import TOPICS
from sonovan.deploy.files import write_private
from sonovan.transport.admin import Administrator
from sonovan.transport.grants import consumer_account, consumer_topics

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PASSWORD: Final = re.compile(r"^sasl\.password=(\S+)$", re.MULTILINE)

_PROPERTIES: Final = """\
# A read-only Kafka account. Keep this file to yourself: it holds the password.
bootstrap.servers={bootstrap}
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-512
sasl.username={account}
sasl.password={password}
group.id={account}
"""


def credentials_path(state: Path, name: str) -> Path:
    """Where a consumer's credentials lie. Raises InvalidRecord `option_invalid` for an impossible name."""
    if not _NAME.fullmatch(name):
        message = f"consumer name {name!r}: at most 32 small letters, digits and hyphens, a letter or digit first"
        raise InvalidRecord("option_invalid", message)
    return state / "consumers" / name / "client.properties"


def chosen_topics(named: Sequence[str], *, personal: bool) -> list[str]:
    """The topics that a consumer shall read: those named, or else all but pixels and personal records.

    named: full names of the table. personal: whether topics with a subject key or her clinical record may be among
    them. Raises InvalidRecord `option_invalid` where such a topic is named and `personal` is not, and for a van's
    answers.
    """
    foreign = [topic for topic in named if topic not in {str(row.name) for row in TOPICS.values()}]
    if foreign:  # nobody but the van and the operator reads them; `align_grants` would take the grant away again
        raise InvalidRecord("option_invalid", f"{', '.join(foreign)}: a van's answers are for that van alone")
    marked = {str(row.name) for row in TOPICS.values() if row.personal}
    refused = [] if personal else [topic for topic in named if topic in marked]
    if refused:
        message = f"{', '.join(refused)} can be traced to a woman: say --personal too if this consumer may read that"
        raise InvalidRecord("option_invalid", message)
    everything = [*consumer_topics(), *(sorted(marked) if personal else ())]
    return sorted(set(named or everything))


def enrol(state: Path, name: str, topics: Sequence[str], admin: BrokerSettings) -> Path:
    """Give a consumer its account and exactly these topics; where its credentials lie.

    Again with the same topics changes nothing, with others replaces them; the password stays until it is revoked.
    Raises InvalidRecord for an impossible name, Transient and Fatal as Kafka does, Transient for a folder that cannot
    be written.
    """
    path, account = credentials_path(state, name), consumer_account(name)
    try:
        known = _PASSWORD.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        password = known[1] if known else secrets.token_urlsafe(32)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = _PROPERTIES.format(bootstrap=admin.bootstrap, account=account, password=password)
        write_private(path, text)
    except OSError as error:
        raise Transient(f"cannot write {path}: {error.strerror}; make room or name another --state") from error
    with Administrator(admin) as administrator:
        administrator.enrol_consumer(name, password, topics)
    return path


def revoke(state: Path, name: str, admin: BrokerSettings) -> bool:
    """Take a consumer's account away, connections that are open included; whether there was one.

    Raises as `enrol`.
    """
    path = credentials_path(state, name)
    with Administrator(admin) as administrator:
        known = name in administrator.consumers()
        administrator.revoke_consumer(name)
    path.unlink(missing_ok=True)
    return known
