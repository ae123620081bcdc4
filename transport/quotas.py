"""How much a van may send to the broker in a second: Kafka's `producer_byte_rate` of its account.

kafka-python 3.0.12 knows the requests for quotas but has no method for them, so they are sent as they are.
"""

from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import for_code
from kafka.protocol.admin.client_quotas import (
    AlterClientQuotasRequest,
    AlterClientQuotasResponse,
    DescribeClientQuotasRequest,
    DescribeClientQuotasResponse,
)

_USER: Final = "user"
_RATE: Final = "producer_byte_rate"
_EXACTLY: Final = 0


def set_byte_rate(client: KafkaAdminClient, account: str, bytes_per_s: int | None) -> None:
    """Let the account send so many bytes a second, None as many as it likes. Raises KafkaError where it is refused.

    Whoever sends more is not refused: the broker answers it later, and reads nothing of it until then (KIP-219).
    """
    kind = AlterClientQuotasRequest.EntryData
    entity = [kind.EntityData(entity_type=_USER, entity_name=account)]
    change = [kind.OpData(key=_RATE, value=float(bytes_per_s or 0), remove=bytes_per_s is None)]
    request = AlterClientQuotasRequest(entries=[kind(entity=entity, ops=change)], validate_only=False)
    response: AlterClientQuotasResponse = client._manager.run(client._manager.send, request)
    for entry in response.entries:
        if entry.error_code:
            raise for_code(entry.error_code)(entry.error_message)


def byte_rate(client: KafkaAdminClient, account: str) -> int | None:
    """How many bytes a second the account may send; None where nothing was set. Raises KafkaError."""
    component = DescribeClientQuotasRequest.ComponentData(entity_type=_USER, match_type=_EXACTLY, match=account)
    request = DescribeClientQuotasRequest(components=[component], strict=True)
    response: DescribeClientQuotasResponse = client._manager.run(client._manager.send, request)
    if response.error_code:
        raise for_code(response.error_code)(response.error_message)
    values = {value.key: value.value for entry in response.entries or () for value in entry.values}
    return int(values[_RATE]) if _RATE in values else None
