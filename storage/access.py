"""Who may do what with which bucket: one table, from which the accounts and policies of the object store follow.

Nobody but root may administer anything. The catalogue alone may delete, for it knows what an erased screening has and
what lies in a pack; it deletes what its own list names (`sonovan.storage.catalogue.erasing`) and what it packed
(`sonovan.storage.packs.packing`), nothing else. Among frames and masks it puts packs alone, so that it cannot put
another object under the name of one that it deleted. It and people's accounts may list. Vans, consumers of topics, the
registrar and the operator have no account here.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sonovan.contracts.topics import STAGES, Writer
from sonovan.storage.keys import PACK, REVIEWS, SHADOW, Bucket


class Right(StrEnum):
    """What an account may do in a bucket.

    PUT includes reading: a put whose key is taken compares what is stored with what was to be stored. PUT_BESIDE is
    the same for what lies below `reviews/` (readers' masks) and `shadow/` (those of replays) alone. PACK reads all that
    is there, and puts packs alone.
    """

    GET = "get"
    PUT = "put"
    PUT_BESIDE = "put beside"
    PACK = "pack"
    LIST = "list"
    DELETE = "delete"


_OBJECT_ACTIONS: Final = {
    Right.GET: ("s3:GetObject",),
    Right.PUT: ("s3:GetObject", "s3:PutObject"),
    Right.PACK: ("s3:GetObject",),
    Right.DELETE: ("s3:DeleteObject",),
}
_BESIDE_ACTIONS: Final = {Right.PUT_BESIDE: ("s3:GetObject", "s3:PutObject")}
_BUCKET_ACTIONS: Final = {Right.LIST: ("s3:GetBucketLocation", "s3:ListBucket")}

_TABLE: Final[Mapping[Writer, Mapping[Bucket, frozenset[Right]]]] = MappingProxyType(
    {
        Writer.SEGMENT: {Bucket.FRAMES: frozenset({Right.PUT}), Bucket.MASKS: frozenset({Right.PUT})},
        Writer.ASSESS: {
            Bucket.FRAMES: frozenset({Right.GET}),
            Bucket.REPORTS: frozenset({Right.PUT}),
        },
        Writer.CATALOG: {
            Bucket.FRAMES: frozenset({Right.PACK, Right.LIST, Right.DELETE}),
            Bucket.MASKS: frozenset({Right.PACK, Right.LIST, Right.DELETE}),
            Bucket.REPORTS: frozenset({Right.LIST, Right.DELETE}),
            Bucket.QUARANTINE: frozenset({Right.DELETE}),
        },
        Writer.QUALITY: {Bucket.MASKS: frozenset({Right.GET})},
        Writer.READER: {
            bucket: frozenset({Right.GET, Right.LIST}) for bucket in Bucket if bucket is not Bucket.QUARANTINE
        },
        Writer.RETRIER: {Bucket.QUARANTINE: frozenset({Right.GET, Right.LIST})},
        Writer.CONSOLE: {
            Bucket.FRAMES: frozenset({Right.GET}),
            Bucket.MASKS: frozenset({Right.GET, Right.PUT_BESIDE}),
            Bucket.REPORTS: frozenset({Right.GET}),
        },
    }
)

ACCOUNTS: Final = (*STAGES, Writer.RETRIER, Writer.READER, Writer.CONSOLE)
"""Who has an account at the object store: each stage, the retrier for quarantine, the reader for the rest, and the
console for what readers look at and draw."""


def rights(account: Writer) -> dict[Bucket, frozenset[Right]]:
    """What an account may do, bucket by bucket. Every stage may put what it rejects into quarantine."""
    quarantine = {Bucket.QUARANTINE: frozenset({Right.PUT})} if account in STAGES else {}
    own = _TABLE.get(account, {})
    return {**own, **{bucket: held | own.get(bucket, frozenset()) for bucket, held in quarantine.items()}}


def policy(account: Writer) -> dict[str, Any]:
    """An account's policy as S3 writes it: what is not allowed here is denied."""
    statements = []
    for bucket, held in sorted(rights(account).items()):
        on_objects = sorted({action for right in held for action in _OBJECT_ACTIONS.get(right, ())})
        on_beside = sorted({action for right in held for action in _BESIDE_ACTIONS.get(right, ())})
        on_bucket = sorted({action for right in held for action in _BUCKET_ACTIONS.get(right, ())})
        if on_objects:
            statements.append(_allow(on_objects, f"arn:aws:s3:::{bucket}/*"))
        if on_beside:
            statements += [_allow(on_beside, f"arn:aws:s3:::{bucket}/{folder}/*") for folder in (REVIEWS, SHADOW)]
        if Right.PACK in held:
            statements.append(_allow(["s3:PutObject"], f"arn:aws:s3:::{bucket}/*/{PACK}*"))
        if on_bucket:
            statements.append(_allow(on_bucket, f"arn:aws:s3:::{bucket}"))
    return {"Version": "2012-10-17", "Statement": statements}


def policy_name(account: Writer) -> str:
    """How the store calls an account's policy."""
    return f"sonovan-{account}"


def access_key(account: str, secret: str) -> str:
    """The access key of an account: its name, which messages may show, a dot, and a random part, which they may not.

    The random part matters: a store with a flaw in checking signatures asks an attacker for the access key alone.
    """
    return f"{account}.{secret}"


def account_of(key: str) -> str:
    """The account that an access key names; "unnamed" where somebody else made the key."""
    account, dot, _ = key.partition(".")
    return account if dot else "unnamed"


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource]}
