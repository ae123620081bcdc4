"""Correct the clinical record of a screening that this van sent: a whole record with the next number."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sonovan.contracts.topics import Topic
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Item, Signer
from sonovan.producers.signed_items import control_item
from sonovan.producers.spool import Spool


def spool_correction(
    spool: Spool,
    signer: Signer,
    screening_id: str,
    fields: Mapping[str, Any],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Item:
    """Put the record of these fields into the spool; it takes the place of all that were sent before.

    fields: all of the clinical record, as `features.read_features` gives them; what is left out counts as not asked.
    The same fields again make another correction.
    Raises InvalidRecord `option_invalid` for a screening that this van never sent.
    """

    def make(number: int) -> Item:
        record = features_recorded(
            fields, screening_id=screening_id, van_id=signer.van_id, recorded_at=now(), features_number=number
        )
        return control_item(Topic.FEATURES_RECORDED, record, signer)

    return spool.put_next(screening_id, Topic.FEATURES_RECORDED, make)
