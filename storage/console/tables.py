"""Tables of the console's own database. Moments are whole milliseconds since 1970, UTC."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

META: Final = MetaData()

ACCOUNT: Final = Table(
    "account", META,
    Column("code", Text, primary_key=True, doc="a code of the programme, never a name"),
    Column("roles", Text, nullable=False, doc="with a space between two"),
    Column("sites", Text, nullable=False, doc="site codes with a space between two; * is every site"),
    Column("password_hash", Text, doc="argon2id in its own notation; null where somebody else vouches for the person"),
    Column("must_change", Boolean, nullable=False, doc="the password was given by somebody else"),
    Column("totp_secret", LargeBinary, doc="sealed; null where no second factor was set up"),
    Column("totp_step", BigInteger, nullable=False, doc="of the newest code that was used, so that none is used twice"),
    Column("made_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)  # fmt: skip

RECOVERY: Final = Table(
    "recovery_code", META,
    Column("code_hash", Text, primary_key=True, doc="HMAC-SHA256 of account and code"),
    Column("account", Text, nullable=False),
    Index("recovery_code_by_account", "account"),
)  # fmt: skip

SESSION: Final = Table(
    "session", META,
    Column("token_hash", Text, primary_key=True, doc="SHA-256 of what the browser holds"),
    Column("account", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("proven", Boolean, nullable=False, doc="whether everything was shown that the account must show"),
    Index("session_by_account", "account"),
)  # fmt: skip

ATTEMPT: Final = Table(
    "attempt", META,
    Column("about", Text, primary_key=True, doc="an account, or a network address, hashed"),
    Column("failed", Integer, nullable=False, doc="attempts that failed since the last one that did not"),
    Column("until", BigInteger, nullable=False, doc="none is looked at before"),
)  # fmt: skip

INVITATION: Final = Table(
    "invitation", META,
    Column("token_hash", Text, primary_key=True, doc="SHA-256 of what stands in the link"),
    Column("account", Text, nullable=False, unique=True, doc="whose password may be chosen by it"),
    Column("until", BigInteger, nullable=False),
)  # fmt: skip

CLAIM: Final = Table(
    "claim", META,
    Column("screening_id", Text, primary_key=True),
    Column("claim_id", Text, nullable=False, doc="names this claim in the conclusion that is signed under it"),
    Column("account", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, doc="when it ends unless it is renewed"),
    Column("taken_from", Text, doc="whose claim a lead took over; null where nobody held it"),
    Index("claim_by_end", "until"),
)  # fmt: skip

LOOKED: Final = Table(
    "looked", META,
    Column("reader", Text, primary_key=True),
    Column("sequence_id", Text, primary_key=True),
    Column("screening_id", Text, nullable=False),
    Column("ranges", Text, nullable=False, doc="JSON: pairs of the first and the last frame index that was shown"),
    Column("at", BigInteger, nullable=False),
    Index("looked_by_screening", "screening_id"),
)  # fmt: skip

DRAWING: Final = Table(
    "drawing", META,
    Column("drawing_id", Text, primary_key=True, doc="made by the browser"),
    Column("reader", Text, nullable=False),
    Column("screening_id", Text, nullable=False),
    Column("frame_id", Text, nullable=False),
    Column("blind", Boolean, nullable=False, doc="drawn before the machine's outline was sent"),
    Column("review", Text, nullable=False, doc="the record, as JSON"),
    Column("sent", Boolean, nullable=False, doc="whether Kafka has it"),
    Index("drawing_by_screening", "screening_id"),
)  # fmt: skip

SIGNING: Final = Table(
    "signing", META,
    Column("conclusion_id", Text, primary_key=True),
    Column("screening_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("at", BigInteger, nullable=False, doc="when it was to be published"),
    Column("digest", Text, doc="of what it says; NULL in rows of before version 0006"),
    Index("signing_by_screening", "screening_id"),
)  # fmt: skip
