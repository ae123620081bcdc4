"""Tables of what vans send: openings, clinical records, amendments, closings, and what a van reports of itself."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Double, Index, Integer, Table

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import JSON, MOMENT, key, may, must, table_of

OPENING: Final[Table] = table_of(
    Topic.SCREENING_OPENED, "opening", "first", "The opening of a screening: whose it is, and what she agreed to.",
    key("screening_id"),
    must("van_id"),
    must("subject_key", doc="joins a woman's visits; sensitive"),
    may("slip_number"),
    must("site_code"),
    must("opened_at", MOMENT, "by the van's clock"),
    must("consent_screening", Boolean),
    must("consent_ai", Boolean),
    must("consent_research", Boolean),
    must("consent_sharing", Boolean),
    may("consent_text", doc="edition of the text by which she agreed"),
    must("planned", JSON, "regions of the checklist"),
    Index("opening_by_woman", "subject_key"),
    Index("opening_by_site", "site_code"),
    expires=True,
)  # fmt: skip

CLINICAL_RECORD: Final[Table] = table_of(
    Topic.FEATURES_RECORDED, "clinical_record", "first", "What she was asked and answered; the highest number counts.",
    key("screening_id"),
    key("van_id"),
    key("features_number", Integer),
    must("recorded_at", MOMENT),
    may("age_years", Integer),
    may("sex"),
    may("palpable_lump", doc="left, right, both, none"),
    may("nipple_discharge"),
    may("skin_or_nipple_change"),
    may("menopause"),
    may("brca"),
    may("tsh_miu_per_l", Double),
    must("answers", JSON, "all coded answers; what nobody asked is null"),
    expires=True,
)  # fmt: skip

AMENDMENT: Final[Table] = table_of(
    Topic.SCREENING_AMENDED, "amendment", "first", "What was put right about a screening, or marked in it.",
    key("screening_id"),
    key("van_id"),
    key("amendment_number", Integer),
    must("kind", doc="side, woman, void, consent, taken_back, seen"),
    must("because"),
    may("operator", doc="a code of the site, never a name"),
    must("amended_at", MOMENT),
    may("taken_back_number", Integer, "of the amendment that this one takes back"),
    may("subject_key", doc="of the right woman; sensitive"),
    may("slip_number"),
    may("laterality"),
    may("sequence_ids", JSON),
    must("withdraws_screening", Boolean),
    must("withdraws_ai", Boolean),
    must("withdraws_research", Boolean),
    must("withdraws_sharing", Boolean),
    may("mark", JSON, "where the operator saw something"),
    expires=True,
)  # fmt: skip

SEQUENCE_CLOSING: Final[Table] = table_of(
    Topic.SEQUENCE_CLOSED, "sequence_closing", "first", "The end of a sweep; the highest number counts.",
    key("sequence_id"),
    key("van_id"),
    key("closing_number", Integer),
    must("screening_id"),
    must("frame_count", Integer),
    must("frames_digest"),
    must("organ"),
    may("laterality", doc="as it was closed, before any amendment"),
    may("view"),
    may("position"),
    must("frames_held", Integer, "frames that stay on the van until somebody decides"),
    must("frames_discarded", Integer),
    may("operator", doc="who scanned: a code of the site, never a name; NULL where nobody said so"),
    must("closed_at", MOMENT),
    Index("sequence_closing_by_screening", "screening_id"),
)  # fmt: skip

SCREENING_CLOSING: Final[Table] = table_of(
    Topic.SCREENING_CLOSED, "screening_closing", "first", "The end of a screening; the highest number counts.",
    key("screening_id"),
    key("van_id"),
    key("closing_number", Integer),
    must("sequence_ids", JSON),
    must("quality_warnings", JSON),
    may("covered", JSON, "what the operator ticked off; NULL where nobody worked through the checklist"),
    must("excused", JSON, "what was not scanned, and why"),
    must("stays", Boolean, "she stayed on the couch when it was closed, by the operator's word"),
    may("left_at", MOMENT, "when she left the couch, by the operator's word and the van's clock"),
    must("closed_at", MOMENT),
)  # fmt: skip

VAN_REPORT: Final[Table] = table_of(
    Topic.VAN_REPORTED, "van_report", "newest", "The newest report of each van.",
    key("van_id"),
    must("reported_at", MOMENT, "by the van's clock"),
    must("waiting", Integer, "items of its spool"),
    must("waiting_bytes", BigInteger),
    may("oldest_s", BigInteger),
    must("held", Integer),
    must("rejected", Integer),
    must("unfinished", Integer, "screenings that were not closed"),
    must("disk_free_bytes", BigInteger),
    may("clock_ahead_s", Double),
    may("link_bits_per_s", BigInteger),
    must("metered", Boolean),
    must("version"),
    expires=True,
)  # fmt: skip
