"""A van that was taken over: valid keys, a valid Kafka account, and whatever may harm the centre, in a seeded order.

`HostileVan.messages` never ends and is the same for the same seed, ids aside. Each kind of message is one method; how
often it comes stands in `WEIGHTS`. Nothing here sends: `benchmarks/hostile.py` does.
"""

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.bombs import BOMBS, bomb
from benchmarks.hostile_records import WHOLE, Made, OwnRecords, document_of, now, side_by_side
from sonovan.contracts.envelope import seal
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import KIB, MAX_FRAMES, MAX_SEQUENCES, MAX_SET_ASIDE, MAX_VALUE_BYTES, MIB
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, PlannedRegion, ScreeningClosed, SetAside
from sonovan.contracts.words import NOTES
from sonovan.producers.items import Signer

CONTROL: Final = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
)
FLOOD: Final = 100
"""Small records in one burst."""

LONGEST_NOTE: Final = max(NOTES, key=len)

WEIGHTS: Final[dict[str, float]] = {
    "random_bytes": 20,
    "mutated": 20,
    "forged": 10,
    "other_vans_sweep": 6,
    "too_large": 0.3,
    "nested": 6,
    "nested_31_mib": 0.3,
    "full_records": 10,
    "fat_closing": 20,
    "revised_again": 20,
    "replayed": 15,
    "frame_at_the_pixel_limit": 0.5,
    "sixteen_panels": 1,
    "panels_that_overlap": 2,
    "no_consent": 6,
    "closing_numbers": 10,
    "unknown_kinds": 8,
    "another_key": 4,
    "flood": 0.5,
    "small_frames": 3,
}
"""How often each kind comes, against the others."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message as Kafka gets it, and which kind of attack it belongs to."""

    kind: str
    topic: Topic
    key: bytes
    value: bytes


class HostileVan:
    """Makes the messages of one taken-over van.

    signer: its key, which is valid. others: names of vans that it knows. sweeps: ids of screenings and sequences of
    other vans, as (screening_id, sequence_id); the list may grow while messages are made. kinds: of attacks.
    """

    def __init__(
        self,
        signer: Signer,
        others: list[str],
        sweeps: list[tuple[str, str]],
        seed: int,
        kinds: Collection[str] = WEIGHTS,
    ) -> None:
        self._signer, self._others, self._sweeps = signer, others, sweeps
        self._own = OwnRecords(signer)
        self._weights = {kind: WEIGHTS[kind] for kind in kinds}
        self._chance = random.Random(seed)
        self._stranger = generate_key()
        self._sent: list[Hostile] = []
        self._filled, self._revised = mint_id(), mint_id()
        self._revised_sequence = mint_id()
        self._closings = self._revisions = self._frames = 0

    def messages(self) -> Iterator[Hostile]:
        """All that it ever sends, one after another, without end."""
        kinds, weights = list(self._weights), list(self._weights.values())
        while True:
            yield from self.attack(self._chance.choices(kinds, weights)[0])

    def attack(self, kind: str) -> Iterator[Hostile]:
        """The messages of one attack of this kind."""
        make: Callable[[], list[Made]] = getattr(self, f"_{kind}")
        for topic, key, value in make():
            made = Hostile(kind, topic, key.encode(), value)
            if kind != "replayed" and len(value) < 256 * KIB:
                self._sent = [*self._sent[-199:], made]
            yield made

    # What nobody can read

    def _random_bytes(self) -> list[Made]:
        size = int(2 ** self._chance.uniform(0, 16))
        return [(self._any_topic(), self._any_id(), self._chance.randbytes(size))]

    def _mutated(self) -> list[Made]:
        topic, key, value = self._chance.choice(
            (self._own.opening(mint_id()), self._own.closing(mint_id()), self._own.frame())
        )
        data = bytearray(value)
        match self._chance.randrange(4):
            case 0:
                del data[self._chance.randrange(len(data)) :]
            case 1:
                place = self._chance.randrange(len(data))
                data[place:place] = self._chance.randbytes(self._chance.randrange(1, 64))
            case 2:
                data += self._chance.randbytes(16)
            case _:
                for _ in range(self._chance.randrange(1, 8)):
                    data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        return [(topic, key, bytes(data))]

    def _too_large(self) -> list[Made]:
        return [(self._any_topic(), mint_id(), self._chance.randbytes(8 * KIB) * (MAX_VALUE_BYTES // (8 * KIB) - 1))]

    def _nested(self) -> list[Made]:
        return [(self._any_topic(), mint_id(), self._bomb(200 * KIB))]

    def _nested_31_mib(self) -> list[Made]:
        return [(self._any_topic(), mint_id(), self._bomb(31 * MIB))]

    def _bomb(self, size: int) -> bytes:
        return bomb(self._chance.choice(BOMBS), size)

    # What others should have signed

    def _forged(self) -> list[Made]:
        victim = self._chance.choice([*self._others, "van-nobody"])
        record = self._own.opening_record(mint_id(), victim)
        if self._chance.random() < 0.5:
            return [(Topic.SCREENING_OPENED, record.screening_id, seal(record, self._signer.private_key))]
        topic, key, value = self._own.frame(van_id=victim, private=self._chance.choice((self._stranger, None)))
        return [(topic, key, value)]

    def _other_vans_sweep(self) -> list[Made]:
        """Under ids of another van, signed as itself: frames, a closing, an opening."""
        screening_id, sequence_id = self._chance.choice(self._sweeps or [(mint_id(), mint_id())])
        return [
            self._own.frame(screening_id=screening_id, sequence_id=sequence_id, frame_index=self._chance.randrange(8)),
            self._own.closing(screening_id, sequence_id),
            self._own.opening(screening_id),
        ]

    # What fits every limit, or is just above it

    def _full_records(self) -> list[Made]:
        screening_id = mint_id()
        planned = tuple(PlannedRegion(organ="breast", side="left") for _ in range(64))
        opening = self._own.opening_record(screening_id).model_copy(update={"planned": planned})
        closing = ScreeningClosed(
            screening_id=screening_id,
            van_id=self._signer.van_id,
            closing_number=1,
            sequence_ids=tuple(mint_id() for _ in range(MAX_SEQUENCES)),
            quality_warnings=(LONGEST_NOTE,) * 64,
            closed_at=now(),
        )
        return [
            (Topic.SCREENING_OPENED, screening_id, self._own.sealed(opening)),
            self._own.features(screening_id, 1),
            (Topic.SCREENING_CLOSED, screening_id, self._own.sealed(closing)),
        ]

    def _fat_closing(self) -> list[Made]:
        """Fill the rows of one screening with the largest closings there are, then the next one's."""
        self._closings += 1
        opened = []
        if self._closings % 30 == 1:
            self._filled = mint_id()
            opened = [self._own.opening(self._filled)]
        aside = tuple(
            SetAside(frame_index=200 * place, frames=1 + self._closings % 100, reason=LONGEST_NOTE, discarded=True)
            for place in range(MAX_SET_ASIDE)
        )
        fat = self._own.closing_record(self._filled, mint_id()).model_copy(
            update={"frame_count": MAX_FRAMES, "set_aside": aside}
        )
        return [*opened, (Topic.SEQUENCE_CLOSED, self._filled, self._own.sealed(fat))]

    def _revised_again(self) -> list[Made]:
        """Have one screening revised with every clinical record, and let it grow by a frame now and then."""
        self._revisions += 1
        made = []
        if self._revisions == 1:
            made = [
                self._own.opening(self._revised),
                self._own.closing(self._revised, self._revised_sequence, frame_count=MAX_FRAMES),
                (
                    Topic.SCREENING_CLOSED,
                    self._revised,
                    self._own.sealed(
                        ScreeningClosed(
                            screening_id=self._revised,
                            van_id=self._signer.van_id,
                            closing_number=1,
                            sequence_ids=(self._revised_sequence,),
                            closed_at=now(),
                        )
                    ),
                ),
            ]
        if self._revisions % 3 == 0:
            sequence_id, index = self._revised_sequence, self._frames % MAX_FRAMES
            made.append(self._own.frame(screening_id=self._revised, sequence_id=sequence_id, frame_index=index))
            self._frames += 1
        return [*made, self._own.features(self._revised, self._revisions)]

    def _frame_at_the_pixel_limit(self) -> list[Made]:
        boxes = [(1024 * (number % 4), 1024 * (number // 4), 1024, 1024) for number in range(16)]
        return [self._own.frame(self._own.widest, panels=side_by_side(boxes) if self._chance.random() < 0.5 else WHOLE)]

    def _sixteen_panels(self) -> list[Made]:
        """Sixteen panels side by side: each is a picture of its own for the network."""
        return [self._own.frame(panels=side_by_side([(40 * number, 0, 40, 64) for number in range(16)]))]

    def _panels_that_overlap(self) -> list[Made]:
        box = {"left": 0, "top": 0, "width": 640, "height": 64}
        return [self._own.frame(changes={"panels": [{"ordinal": number, **box} for number in range(16)]})]

    # What may not be

    def _no_consent(self) -> list[Made]:
        screening_id = mint_id()
        refused = Consent(screening=True, ai=False)
        opening = self._own.opening_record(screening_id).model_copy(update={"consent": refused})
        return [
            self._own.frame(screening_id=screening_id, consent=refused),
            self._own.frame(screening_id=screening_id),
            (Topic.SCREENING_OPENED, screening_id, self._own.sealed(opening)),
        ]

    def _closing_numbers(self) -> list[Made]:
        screening_id, sequence_id = mint_id(), mint_id()
        numbers = [10**70, -1, 0, 2**31 - 1, 2**31, 1.5, True, 3, 2]
        number = self._chance.choice(numbers)
        document = document_of(self._own.closing_record(screening_id, sequence_id)) | {"closing_number": number}
        return [(Topic.SEQUENCE_CLOSED, screening_id, self._own.sealed_document(document))]

    def _unknown_kinds(self) -> list[Made]:
        screening_id = mint_id()
        schema = self._chance.choice(("sequence.closed/9.0", "nonsense/1.0", "frame.segmented/1.0", "", "x/y/z"))
        document = document_of(self._own.closing_record(screening_id, mint_id())) | {"schema": schema}
        return [(self._any_topic(), screening_id, self._own.sealed_document(document))]

    def _another_key(self) -> list[Made]:
        topic, _, value = self._chance.choice((self._own.closing(mint_id()), self._own.frame()))
        return [(topic, self._any_id(), value)]

    # Again and again

    def _replayed(self) -> list[Made]:
        if not self._sent:
            return []
        again = self._chance.choice(self._sent)
        return [(again.topic, again.key.decode(errors="replace"), again.value)]

    def _flood(self) -> list[Made]:
        screening_id = mint_id()
        return [self._own.closing(screening_id, mint_id()) for _ in range(FLOOD)]

    def _small_frames(self) -> list[Made]:
        """Frames of a kilobyte, valid and each of another sequence: every partition has some, each costs a forward pass
        of the network.
        """
        return [self._own.frame(self._own.smallest) for _ in range(FLOOD)]

    # Parts

    def _any_topic(self) -> Topic:
        return self._chance.choice((Topic.FRAME_CAPTURED, *CONTROL))

    def _any_id(self) -> str:
        return self._chance.choice((mint_id(), "", "x" * 200))
