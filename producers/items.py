"""What a screening is made of on the van: its names, who signs, what is known of the visit, and the messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, PlannedRegion


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a screening and of its sequences, one for each source, in order."""

    screening_id: str
    sequence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signer:
    """The van that signs. private_key: 32 raw bytes."""

    van_id: str
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """What the van knows of the visit. planned: None plans what is sent. features: fields of `FeaturesRecorded`."""

    subject_key: str
    site_code: str
    consent: Consent = field(default_factory=lambda: Consent(screening=True, ai=True))
    slip_number: str | None = None
    planned: tuple[PlannedRegion, ...] | None = None
    features: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One message on its way to the centre. content_sha256: what the receipt must name.

    value: the sealed envelope. held: why it stays on the van, None where it may go.
    """

    item_id: str
    topic: Topic
    key: bytes
    value: bytes
    content_sha256: str
    screening_id: str
    sequence_id: str | None = None
    frame_index: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    held: str | None = None


Sink: TypeAlias = Callable[[Item], None]


def mint_ids(sources: int) -> Ids:
    """Fresh ids for a screening of so many sequences."""
    return Ids(mint_id(), tuple(mint_id() for _ in range(sources)))
