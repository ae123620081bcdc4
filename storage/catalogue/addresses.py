"""Addresses of images and masks that name nobody and nothing of where objects lie, resolved where that is allowed.

`sonovan://frames/<sequence>/<index>`, `sonovan://masks/<sequence>/<index>/<beginning of the network's fingerprint>`,
`sonovan://reviews/<review>`. An address stays the same for ever; whether it may be followed is decided each time.
"""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.catalogue.database import Database
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FRAME: Final = re.compile(rf"sonovan://(frames|masks)/({_ID})/(\d{{6}})(?:/([0-9a-f]{{16}}))?")
_REVIEW: Final = re.compile(rf"sonovan://reviews/({_ID})")


@dataclass(frozen=True, slots=True)
class Named:
    """An object and the sha256 of its bytes."""

    bucket: Bucket
    key: str
    sha256: str


def is_address(address: str) -> bool:
    """Whether this is written as an address is; what it names, if anything, is not asked."""
    return _REVIEW.fullmatch(address) is not None or _FRAME.fullmatch(address) is not None


def fetch(database: Database, store: ObjectStore, address: str) -> bytes:
    """The bytes that an address names.

    Raises InvalidRecord `address_unknown` for one that names nothing, `consent_refused` where the screening is void or
    she does not agree to be screened or read by a machine, `object_contradicts_record` where other bytes stand there;
    KeyError where the object is gone; Transient and Fatal as database and store do.
    """
    with database.writing() as connection:
        named = resolve(connection, address)
    try:
        return get_named(store, named.bucket, named.key, named.sha256)
    except KeyError:
        raise InvalidRecord("address_unknown", f"{address}: its object is not kept any more") from None


def resolve(connection: Connection, address: str) -> Named:
    """Which object an address names, where it may be followed. Raises InvalidRecord as `fetch`."""
    if found := _REVIEW.fullmatch(address):
        query = "SELECT screening_id, mask_key AS key, mask_sha256 AS sha256 FROM review WHERE review_id = :review"
        return _named(connection, address, Bucket.MASKS, query, {"review": found[1]})
    found = _FRAME.fullmatch(address)
    if found is None or (found[1] == "masks") != (found[4] is not None):
        raise InvalidRecord("address_unknown", f"{address!r} is no address of the catalogue")
    kind = "image" if found[1] == "frames" else "mask"
    query = (
        f"SELECT f.screening_id, f.{kind}_key AS key, f.{kind}_sha256 AS sha256 FROM frame f "
        "JOIN opening o ON o.screening_id = f.screening_id AND o.van_id = f.van_id "
        "WHERE f.sequence_id = :sequence AND f.frame_index = :number AND f.fingerprint LIKE :network "
        "ORDER BY f.at_ms, f.at_offset LIMIT 1"
    )
    asked = {"sequence": found[2], "number": int(found[3]), "network": f"{found[4] or ''}%"}
    return _named(connection, address, Bucket.FRAMES if kind == "image" else Bucket.MASKS, query, asked)


def _named(connection: Connection, address: str, bucket: Bucket, query: str, asked: dict[str, object]) -> Named:
    row = connection.execute(text(query), asked).one_or_none()
    if row is None or row.key is None:
        raise InvalidRecord("address_unknown", f"{address} names nothing in the catalogue")
    check_shown(connection, row.screening_id, address)
    return Named(bucket, row.key, row.sha256)


def check_shown(connection: Connection, screening_id: str, named: str) -> None:
    """Whether pictures of a screening may be shown now. named: what was asked for, for the message.

    Raises InvalidRecord `consent_refused` where the screening is void, or she does not agree to be screened or read by
    a machine.
    """
    allowed = text(
        "SELECT 1 FROM screenings WHERE screening_id = :name AND NOT void AND consent_screening AND consent_ai"
    )
    if connection.execute(allowed, {"name": screening_id}).scalar() is None:
        raise InvalidRecord("consent_refused", f"{named}: the screening is void, or she does not agree to it any more")
