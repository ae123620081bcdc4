"""The object store: buckets, accounts and policies, and its clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sonovan.contracts.topics import Writer
from sonovan.doctor.line import Line, Lines
from sonovan.storage.accounts import accounts_astray
from sonovan.storage.buckets import buckets_astray
from sonovan.storage.clocks import store_time
from sonovan.storage.keys import Bucket
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount

CLOCKS_APART_S: Final = 5.0
"""A header tells whole seconds; S3 refuses requests from 900 s on."""

_MEND: Final = "sonovan topics create --buckets"


def buckets(root: ObjectStoreSettings) -> Lines:
    """A line for the buckets."""
    astray = buckets_astray(root)
    found = "; ".join(astray) or f"{len(Bucket)} buckets, as the table has them"
    yield Line("buckets", "", found, _MEND if astray else "")


def accounts(root: ObjectStoreSettings, keys: Mapping[Writer, StoreAccount]) -> Lines:
    """A line for each account of the object store."""
    astray = accounts_astray(root, keys)
    for account in keys:
        found = astray.get(account, "has its key and the policy of the table")
        yield Line("account of the store", str(account), found, _MEND if account in astray else "")


def clock(root: ObjectStoreSettings, now: datetime) -> Lines:
    """The line of the object store's clock. now: of this machine, with a zone."""
    theirs = store_time(root)
    if theirs is None:
        yield Line("clock", "object store", "it does not answer", "sonovan up")
    else:
        yield clock_line("object store", (now - theirs).total_seconds())


def clock_line(whose: str, ahead_s: float) -> Line:
    """The line of a clock. ahead_s: seconds by which this machine's is ahead of it."""
    if abs(ahead_s) < CLOCKS_APART_S:
        return Line("clock", whose, "agrees with this machine's")
    word = "ahead of" if ahead_s > 0 else "behind"
    return Line(
        "clock", whose, f"this machine's is {abs(ahead_s):.0f} s {word} it",
        "set both by one time server (chrony), and look whether it runs",
    )  # fmt: skip
