"""Tables of what people decide: conclusions that readers signed, outcomes, and what was done with alerts."""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Double, Index, Integer, SmallInteger, Table

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import DAY, JSON, MOMENT, key, may, must, table_of

CONCLUSION: Final[Table] = table_of(
    Topic.SCREENING_CONCLUDED, "conclusion", "first", "Every conclusion that a reader signed.",
    key("conclusion_id"),
    must("screening_id"),
    must("conclusion_number", Integer, "upward from 1, whoever signs; the highest of each role counts"),
    must("role", doc="first, second, arbitration"),
    may("amends", doc="the conclusion that this one replaces"),
    may("because", doc="why it was amended; a code"),
    must("van_id"),
    must("revision_id", doc="what was read"),
    must("revision_number", Integer),
    must("rules_version"),
    must("reader", doc="a code of the site, never a name"),
    may("opened_at", MOMENT, "when the reader opened it"),
    must("signed_at", MOMENT),
    may("claim"),
    must("sides", SmallInteger),
    must("frames", Integer, "of its sweeps"),
    must("frames_seen", Integer, "that were on the reader's screen"),
    must("looked_at", JSON, "each sweep with its frames and how many of them were seen"),
    may("bi_rads", doc="the most worrisome of its sides"),
    may("ti_rads"),
    may("c_tirads"),
    must("action", doc="of what is recommended, what presses most"),
    must("calls_back", Boolean, "she is asked to come before her next visit"),
    must("recommends", doc="each side with what is recommended: two readings that differ here must be decided between"),
    must("worry", Integer, "of two readings of one screening the higher one counts until arbitration"),
    must("record", JSON, "the whole record as it was signed"),
    Index("conclusion_by_screening", "screening_id"),
)  # fmt: skip


def _of_conclusion() -> tuple[Any, ...]:
    return key("conclusion_id"), key("ordinal", SmallInteger), must("screening_id"), must("organ"), may("laterality")


CONCLUDED_SIDE: Final[Table] = table_of(
    Topic.SCREENING_CONCLUDED, "concluded_side", "first", "What a conclusion says of an organ and side.",
    *_of_conclusion(),
    may("bi_rads"),
    may("ti_rads"),
    may("c_tirads"),
    must("blocks", JSON, "coded text blocks"),
    must("action"),
    may("months", SmallInteger, "until a follow-up"),
    must("calls_back", Boolean),
    Index("concluded_side_by_screening", "screening_id"),
)  # fmt: skip

FINDING_READ: Final[Table] = table_of(
    Topic.SCREENING_CONCLUDED, "finding_read", "first", "What a conclusion says of a finding.",
    *_of_conclusion(),
    may("finding_id", doc="NULL: the reader's own, which no machine outlined"),
    must("verdict", doc="lesion, no_lesion"),
    may("frame_id"),
    may("position"),
    may("largest_mm", Double, "as the reader measured it"),
    must("words", JSON, "term → verdict, the reader's words, the machine's"),
    must("confirmed", SmallInteger, "words that the machine had suggested"),
    must("changed", SmallInteger),
    must("entered", SmallInteger),
    must("undetermined", SmallInteger),
    may("bi_rads"),
    may("ti_rads"),
    may("ti_rads_points", SmallInteger),
    may("c_tirads"),
    Index("finding_read_by_screening", "screening_id"),
)  # fmt: skip

OUTCOME: Final[Table] = table_of(
    Topic.OUTCOME_RECORDED, "outcome", "first", "What became of her after a screening, as somebody recorded it.",
    key("outcome_id"),
    must("screening_id"),
    must("kind"),
    must("happened_on", DAY, "of the examination, call or appointment"),
    may("organ"),
    may("laterality"),
    may("finding_id"),
    may("result", doc="benign, atypical, malignant, not_diagnostic, not_known"),
    may("bi_rads", doc="of a mammography"),
    may("bethesda", doc="of an aspiration of the thyroid"),
    may("amends", doc="the outcome that this one replaces"),
    may("because"),
    must("operator", doc="a code of the site, never a name"),
    must("recorded_at", MOMENT),
    Index("outcome_by_screening", "screening_id"),
)  # fmt: skip

ALERT_STEP: Final[Table] = table_of(
    Topic.ALERT_HANDLED, "alert_step", "first", "An alert that was handed over or closed; by its place in the topic.",
    key("alert_id"),
    key("message_partition", SmallInteger),
    key("message_offset", BigInteger),
    must("screening_id"),
    must("raised_in", doc="an alert that was raised again since is open again"),
    must("step", doc="handed_over, closed"),
    may("handed_to", doc="a code of the site, never a name"),
    may("because", doc="what came of it; a code"),
    must("operator"),
    must("handled_at", MOMENT),
)  # fmt: skip
