"""Vans of the journeys: sweeps of a phantom, composed and signed as a van does, sent in any order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from sonovan import Analysis, analyse
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.ids import mint_id, upload_order
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent
from sonovan.inputs import sources_of
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers import enrol as enrolment
from sonovan.producers import site
from sonovan.producers.items import Ids, Item, Signer, Visit, mint_ids
from sonovan.producers.screening import compose
from sonovan.producers.sources import Source, capture_options
from sonovan.transport.producer import BoundedProducer
from tests.journeys.world import World
from tests.producers.visits import vault_of

ROWS, COLUMNS = 240, 320
SPACING_MM = 40.0 / ROWS
SENT_WITHIN_S = 120.0


Sweep: TypeAlias = tuple[NDArray[np.uint8], ...]


@cache
def sweep(frames: int = 32) -> Sweep:
    """A sweep over a breast with one large lesion in its middle."""
    return tuple(simulate_sweep("breast", frames=frames, size=(ROWS, COLUMNS), lesions=1).frames)


def write_sweep(folder: Path, pixels: Sweep) -> Path:
    """The sweep as pictures in a folder."""
    folder.mkdir()
    for index, picture in enumerate(pixels):
        (folder / f"frame_{index:03d}.png").write_bytes(imagecodecs.png_encode(picture))
    return folder


def sources_of_sweep(pixels: Sweep, folder: Path) -> Sequence[Source]:
    """The sweep as what a van reads. folder: for what has to be written for it."""
    options = capture_options(organ="breast", side="left", pixel_spacing_mm=SPACING_MM)
    return sources_of(list(pixels), options, folder).sources


@dataclass(frozen=True)
class Screening:
    """One screening of one sweep as the van holds it: every message, signed. pixels: the sweep's frames."""

    ids: Ids
    pixels: Sweep
    items: tuple[Item, ...]

    @property
    def screening_id(self) -> str:
        return self.ids.screening_id

    @property
    def frames(self) -> list[Item]:
        """The frames in the order of their index."""
        return [item for item in self.items if item.topic is Topic.FRAME_CAPTURED]

    @property
    def control(self) -> list[Item]:
        """Opening and closings."""
        return [item for item in self.items if item.topic is not Topic.FRAME_CAPTURED]

    @property
    def coarse_first(self) -> list[Item]:
        """The frames level by level, as a van uploads them."""
        return [self.frames[index] for index in upload_order(len(self.frames))]

    @property
    def frame_ids(self) -> set[str]:
        return {item.item_id for item in self.frames}

    def embedded(self, features: Mapping[str, Any] | None = None) -> Analysis:
        """What the embedded run makes of the same frames under the same names."""
        options: dict[str, Any] = {"organ": "breast", "side": "left", "pixel_spacing_mm": SPACING_MM, "ids": self.ids}
        return analyse(list(self.pixels), features=features, **options)


class Van:
    """A van with its own key, enrolled or not."""

    def __init__(self, world: World, *, enrolled: bool = True) -> None:
        self.world, self.van_id = world, f"van-{mint_id()[-12:]}"
        self.signer = Signer(self.van_id, generate_key())
        self.kafka: BrokerSettings = world.centre.kafka("retrier")
        if enrolled:
            self.enrol()

    def enrol(self) -> None:
        """Put the van into the registry, with the key that it has had all along."""
        folder = self.world.centre.path
        vault = vault_of(folder, self.van_id)
        vault.write("signing_key", self.signer.private_key)
        if site.check(vault) is None:
            site.new_secret(vault)
        self.kafka = self.world.centre.enrol_van(self.van_id)
        enrolment.enrol(vault, self.van_id, self.kafka, self.world.centre.kafka("registrar"))

    def revoke(self) -> None:
        """Take its key out of the registry; its account of Kafka is taken away as well."""
        enrolment.revoke(self.world.centre.path, self.van_id, self.world.centre.kafka("registrar"))
        self.world.centre.revoke_van(self.van_id)

    def screening(self, pixels: Sweep, ids: Ids | None = None, features: Mapping[str, Any] | None = None) -> Screening:
        """Compose a screening of one sweep. features: fields of the clinical record."""
        chosen = ids or mint_ids(1)
        items: list[Item] = []
        sources = sources_of_sweep(pixels, self.world.centre.path)
        consent = Consent(screening=True, ai=True)
        visit = Visit(subject_key="ab" * 32, site_code="site-1", consent=consent, features=features)
        compose(sources, visit, self.signer, items.append, ids=chosen)
        return Screening(chosen, pixels, tuple(items))

    def send(self, items: Iterable[Item]) -> None:
        """Send in this order; returns once the broker has everything."""
        self.send_values([(item.topic, item.key, item.value, item.headers) for item in items])

    def send_values(self, values: Sequence[tuple[str, bytes, bytes, Sequence[tuple[str, bytes]]]]) -> None:
        """Send bytes as they are: (topic, key, value, headers) each."""
        with BoundedProducer(self.kafka, in_flight_bytes=8 * 2**20, delivery_timeout_s=SENT_WITHIN_S) as producer:
            pending = [producer.send(topic, key, value, headers) for topic, key, value, headers in values]
            for one in pending:
                one.result(SENT_WITHIN_S)
