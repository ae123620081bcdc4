"""What a screening is made of on the van: its ids, the signing key, what is known of the visit, and the messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sonovan.contracts.envelope import open_envelope, seal_header
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, PlannedRegion


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a screening and of its sequences, one sequence for each source, in the order of the sources."""

    screening_id: str
    sequence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signer:
    """The van that signs. private_key: 32 raw bytes."""

    van_id: str
    private_key: bytes = field(repr=False)

    def sign_again(self, value: bytes) -> bytes:
        """The same header and payload as in this envelope, with this van's signature of now."""
        envelope = open_envelope(value)
        return seal_header(envelope.header, self.private_key, envelope.payload)


@dataclass(frozen=True, slots=True)
class Visit:
    """What the van knows about the visit beside the pictures.

    planned: the checklist of organs, sides and regions; None means both sides of each organ that is sent.
    features: the clinical record as fields of `FeaturesRecorded`; None if there is none. consent: what she agreed to.
    consent_text: the edition of the text by which she did.
    """

    subject_key: str
    site_code: str
    consent: Consent
    slip_number: str | None = None
    planned: tuple[PlannedRegion, ...] | None = None
    features: Mapping[str, Any] | None = None
    consent_text: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One message for the centre.

    topic, key, value, headers: as Kafka gets them; `value` is the sealed envelope. content_sha256: the hash that the
    centre's receipt must name. held: the reason for which the message stays on the van, or None if it may be sent.
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
    """New ids for a screening with one sequence per source."""
    return Ids(mint_id(), tuple(mint_id() for _ in range(sources)))
