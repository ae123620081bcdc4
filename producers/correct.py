"""Correct the clinical record of a screening that this van sent: a whole record with the next number."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sonovan.contracts.envelope import header_sha256, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.producers.features import features_recorded
from sonovan.producers.items import Item, Signer
from sonovan.producers.spool import Spool


def spool_correction(
    spool: Spool,
    signer: Signer,
    screening_id: str,
    fields: Mapping[str, Any],
    *,
    waiting: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Item:
    """Put the record of these fields into the spool; it takes the place of all that were sent before.

    fields: all of the clinical record, as `features.read_features` gives them; what is left out counts as not asked.
    waiting: called when another command composes into this spool. The same fields again make another correction.
    Raises InvalidRecord `option_invalid` for a screening that this van never sent.
    """
    with spool.screening(waiting) as put:
        number = spool.features_number(screening_id)
        if number is None:
            raise InvalidRecord("option_invalid", f"{signer.van_id} never sent a screening {screening_id}")
        record = features_recorded(
            fields,
            screening_id=screening_id,
            van_id=signer.van_id,
            recorded_at=now(),
            features_number=number + 1,
        )
        header = record.encode()
        value, key = seal_header(header, signer.private_key), screening_id.encode()
        item = Item(record.item_id, Topic.FEATURES_RECORDED, key, value, header_sha256(header), screening_id)
        put(item)
    return item
