"""A screening takes the results of another network: who decided it, and why."""

from typing import ClassVar, Final, Literal

from sonovan.contracts.record import Fingerprint, Id, Moment, Part, Record, Sha256, VanId
from sonovan.contracts.words import ModelName, OperatorCode

PromotionReason = Literal["network_replaced", "network_was_wrong", "promoted_by_mistake", "reader_asked"]
"""Why a screening takes another network's results. A code, so that nothing in it can name her."""

MAX_PROMOTIONS: Final = 32
"""Promotions of one screening, so that no row grows for ever."""

MAX_NETWORKS: Final = 8
"""Networks of whose results of one screening rows are kept."""


class ScreeningPromoted(Record):
    """The results of this network shall count for the screening, once every frame that counts has one of them.

    Until then nothing changes. Of several promotions each replaces the one with the next lower `promotion_id`: ids are
    minted in the order of time. The network whose result came first may be promoted, too: it then counts again.
    van_id: of the van that opened the screening. by: the code of whoever decided it, never a name.
    """

    schema_name: ClassVar[str] = "screening.promoted"

    promotion_id: Id
    screening_id: Id
    van_id: VanId
    model_id: ModelName
    weights_sha256: Sha256
    fingerprint: Fingerprint
    because: PromotionReason
    by: OperatorCode
    promoted_at: Moment


class PromotionInForce(Part):
    """The promotion by which a revision's network counts. instead_of: the fingerprint of the network before it."""

    promotion_id: Id
    because: PromotionReason
    by: OperatorCode
    promoted_at: Moment
    instead_of: Fingerprint
