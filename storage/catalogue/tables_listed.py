"""The table of the worklist: one row for each screening, made from the other tables whenever one of them changes."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Double, Index, Integer, Table, text

from sonovan.storage.catalogue.columns import META, MOMENT, key, may, must

_WAITING: Final = text("waiting")
_SIGNED: Final = text("signed_at IS NOT NULL")
_SINGLE: Final = text("single_reading IS NOT NULL")
_CHANGED: Final = text("signed_at IS NOT NULL AND revision_number > signed_revision_number")

LISTED: Final[Table] = Table(
    "listed", META,
    key("screening_id"),
    may("van_id"),
    may("site_code", doc="NULL where the opening is not here"),
    may("slip_number", doc="by the newest amendment that says whose it is"),
    may("opened_at", MOMENT, "by the van's clock"),
    may("closed_at", MOMENT, "of the newest closing; NULL while she is scanned"),
    must("stays", Boolean, "she stays on the couch, by the newest closing"),
    may("left_at", MOMENT, "when she left the couch, by the newest closing"),
    must("breast", Boolean, "planned, or in the newest revision"),
    must("thyroid", Boolean, "planned, or in the newest revision"),
    may("status", doc="of the newest revision; NULL where there is none yet"),
    may("revision_number", Integer),
    may("as_of", MOMENT),
    may("frames", Integer),
    may("findings", Integer, "NULL where nothing may be said of the pictures"),
    must("referred", Boolean, "signs of her own call for a referral, whatever the pictures show"),
    must("marked", Boolean, "the operator marked something while she scanned"),
    must("silenced", Boolean, "nothing is said of the pictures"),
    must("unseen", Integer, "organs, sides and regions of the newest revision that were not seen well enough"),
    must("rank", Double, "what is most suspicious has the lowest: -2 for a referral, less the suspicion"),
    may("signed_at", MOMENT, "of the conclusion that counts"),
    may("signed_by", doc="a code of the site, never a name"),
    may("signed_revision_number", Integer, "the revision that was read"),
    must("readings", Integer, "by readers, of whom each role counts once"),
    must("to_arbitrate", Boolean, "two readings differ, and nobody has decided"),
    may("single_reading", doc="called_back or not_called_back, where the first reader alone has signed; NULL else"),
    must("waiting", Boolean, "for a reader: neither signed nor void, and she agrees to be screened"),
    must("changed_ms", BigInteger, "when the row was made, by the database's clock; ms since 1970"),
    Index("listed_waiting", "rank", "screening_id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    Index("listed_signed", "rank", "screening_id", postgresql_where=_SIGNED, sqlite_where=_SIGNED),
    Index("listed_changed", "rank", "screening_id", postgresql_where=_CHANGED, sqlite_where=_CHANGED),
    Index("listed_single", "rank", "screening_id", postgresql_where=_SINGLE, sqlite_where=_SINGLE),
    Index("listed_by_opening", "opened_at"),
    Index("listed_by_van", "van_id", "opened_at"),
    Index("listed_by_site", "site_code", "rank", "screening_id", postgresql_where=_WAITING, sqlite_where=_WAITING),
    Index("listed_by_change", "changed_ms"),
    info={"doc": "What stands in the worklist of each screening; made from the other tables when they change."},
)  # fmt: skip
