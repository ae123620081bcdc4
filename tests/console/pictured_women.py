"""Women of three months for pictures of the console: screened by three vans, most of them signed, some called back.

Every code, slip and moment is invented, and there are no pictures of them: only `tests.console.pictured` has a sweep.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sonovan.clinical.referral import referrals
from sonovan.contracts.conclusions import Action, CategoryRead, Recommended, ScreeningConcluded, SideConcluded
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.results import Adequacy, Level, ScreeningAssessed
from sonovan.contracts.van import PlannedRegion
from sonovan.contracts.words import slip_number
from tests.clinical.records import (
    NOON,
    adequacy,
    assessed,
    finding,
    region,
    screening_closed,
    segmented,
    sequence_closed,
    sha,
)
from tests.contracts.conclusions import concluded, contact, left_breast, left_lobe, outcome
from tests.stream_apps.catalog.scene import Said, opened, recorded

NOW: Final = NOON + timedelta(days=1, hours=2, minutes=13)
"""The afternoon after the day of the small records."""
SITES: Final = {"van-1": "site-1", "van-2": "site-2", "van-3": "site-1"}
OPERATORS: Final = {"van-1": "op-7", "van-2": "op-8", "van-3": "op-9"}
SIDES: Final[dict[Organ, tuple[Side, Side]]] = {"breast": ("left", "right"), "thyroid": ("left", "right")}
SWEEP_FRAMES: Final = 6


def minted(kind: str, number: int, at: datetime) -> str:
    """An id of this moment, always the same for the same number of a kind."""
    return mint_id(
        round(at.timestamp() * 1000), lambda size: hashlib.sha256(f"{kind} {number}".encode()).digest()[:size]
    )


@dataclass(frozen=True)
class Woman:
    """One screening. suspicion: of each of her findings. levels: how well both sides were seen. lump: one is felt, and
    on which side. closed: she has left the couch."""

    number: int
    at: datetime
    van: str = "van-1"
    organ: Organ = "breast"
    suspicion: tuple[float, ...] = ()
    levels: tuple[Level, Level] = ("adequate", "adequate")
    lump: Side | None = None
    closed: bool = True
    age: int = 52

    @property
    def screening_id(self) -> str:
        return minted("screening", self.number, self.at)

    @property
    def of(self) -> dict[str, Any]:
        """What every record of her names."""
        return {"screening_id": self.screening_id, "van_id": self.van}

    def sweep(self, side: Side) -> str:
        """The id of her sweep of a side."""
        return minted(f"sweep {side}", self.number, self.at)

    @property
    def revision(self) -> ScreeningAssessed:
        """What the centre says of her."""
        words = recorded(1, palpable_lump=self.lump or "none")
        found = tuple(
            finding(
                at + 1, finding_id=sha(f"finding {self.number} {at}"), organ=self.organ, laterality="left",
                malignant=value, sequence_id=self.sweep("left"),
            )
            for at, value in enumerate(self.suspicion)
        )  # fmt: skip
        rows = tuple(self._adequacy(side, level) for side, level in zip(SIDES[self.organ], self.levels, strict=True))
        status = "preliminary" if not self.closed else "complete" if "not_examined" not in self.levels else "incomplete"
        return assessed(
            **self.of, revision_id=sha(f"revision of {self.number}"), status=status, findings=found, adequacy=rows,
            as_of=self.at + timedelta(minutes=16), frames=2 * SWEEP_FRAMES, advice=referrals(words),
        )  # fmt: skip

    def _adequacy(self, side: Side, level: Level) -> Adequacy:
        share = {"adequate": 0.97, "usable": 0.9, "limited": 0.7}.get(level, 0.2)
        return adequacy(organ=self.organ, laterality=side, level=level, assessable_share=share, frames=SWEEP_FRAMES)

    def records(self) -> Iterator[Said]:
        """All that is said of her before a reader signs."""
        slip = slip_number("A", 300 + self.number)
        her = sha(f"woman {self.number}")
        planned = tuple(PlannedRegion(organ=self.organ, side=side) for side in SIDES[self.organ])
        yield opened(
            **self.of, subject_key=her, slip_number=slip, site_code=SITES[self.van], opened_at=self.at, planned=planned
        )
        yield recorded(1, age_years=self.age, palpable_lump=self.lump or "none").model_copy(update=self.of)
        for side in SIDES[self.organ]:
            yield from self._swept(side)
        if self.closed:
            sweeps = [self.sweep(side) for side in SIDES[self.organ]]
            yield screening_closed(*sweeps, **self.of, closed_at=self.at + timedelta(minutes=14))
        yield self.revision

    def _swept(self, side: Side) -> Iterator[Said]:
        of = {**self.of, "sequence_id": self.sweep(side), "organ": self.organ, "laterality": side}
        pace_ms = 6_000 + 700 * (self.number % 5)
        for index in range(SWEEP_FRAMES):
            bad = index == 0 and self.number % 4 == 1
            seen = {"assessable": not bad, "not_assessable_reason": "no_contact" if bad else None}
            outlined = (region(predicted_dice=0.8),) if self.suspicion and side == "left" else ()
            yield segmented(index, outlined, **of, time_ms=float(index * pace_ms), captured_at=self.at, **seen)
        yield sequence_closed(
            SWEEP_FRAMES, **of, operator=OPERATORS[self.van], closed_at=self.at + timedelta(minutes=9)
        )

    def signed(
        self, *sides: SideConcluded, role: str = "first", by: str = "dr-1", after_h: float = 5
    ) -> ScreeningConcluded:
        """A conclusion about her."""
        at = self.at + timedelta(hours=after_h)
        number = {"first": 1, "second": 2}[role]
        return concluded(
            minted(f"conclusion {role}", self.number, at), **self.of, conclusion_number=number, role=role,
            revision_id=self.revision.revision_id, revision_number=2, sides=sides, findings=(), looked_at=(), by=by,
            opened_at=at - timedelta(minutes=3), signed_at=at,
        )  # fmt: skip

    def became(self, kind: str, day: date, number: int = 0, **other: Any) -> OutcomeRecorded:
        """What happened to her afterwards. other: `result` of an examination."""
        name = minted(f"outcome {number}", self.number, self.at + timedelta(days=1 + number))
        made = outcome if "result" in other else contact
        if made is contact:
            return contact(name, kind, day, screening_id=self.screening_id, **other)
        return outcome(name, kind=kind, happened_on=day, screening_id=self.screening_id, organ=self.organ, **other)


def breast(
    side: Side, value: str, action: Action, block: str = "no_suspicious_finding", months: int | None = None
) -> SideConcluded:
    """A side of the breast as a reader concludes it."""
    recommended = Recommended(action=action, months=months)
    return left_breast(value, action, laterality=side, blocks=(block,), recommended=recommended)


def lobe(side: Side, value: str, action: Action, block: str, months: int | None = None) -> SideConcluded:
    """A lobe of the thyroid as a reader concludes it."""
    read = (CategoryRead(scheme="TI-RADS", value=value, edition="2017"),) if value else ()
    recommended = Recommended(action=action, months=months)
    return left_lobe(laterality=side, categories=read, blocks=(block,), recommended=recommended)


BENIGN: Final = (breast("left", "2", "routine_screening", "simple_cysts"), breast("right", "1", "routine_screening"))
NEGATIVE: Final = (breast("left", "1", "routine_screening"), breast("right", "1", "routine_screening"))
RECALLED: Final = (
    breast("left", "4B", "tissue_diagnosis", "solid_suspicious"),
    breast("right", "1", "routine_screening"),
)
MORE: Final = (breast("left", "0", "mammography", "dense_tissue_limits"), breast("right", "1", "routine_screening"))
NODULE: Final = (
    lobe("left", "TR3", "follow_up", "nodule_to_follow", 6),
    lobe("right", "", "routine_screening", "no_nodule"),
)
NO_NODULE: Final = tuple(lobe(side, "", "routine_screening", "no_nodule") for side in SIDES["thyroid"])


def waiting() -> list[Woman]:
    """Those of this morning, whom nobody has signed: one on the couch, suspicious ones, one not seen well enough."""
    hours = [timedelta(hours=each) for each in (6.5, 6, 5.4, 5.1, 4.2, 3.3, 2.4)]
    van = ("van-1", "van-2", "van-1", "van-3", "van-2", "van-1", "van-2")
    kinds: list[dict[str, Any]] = [
        {"suspicion": (0.86, 0.3), "age": 61}, {"organ": "thyroid", "suspicion": (0.55,)},
        {"lump": "right", "age": 44}, {"levels": ("adequate", "inadequate")}, {}, {"organ": "thyroid"},
        {"levels": ("usable", "not_examined")},
    ]  # fmt: skip
    made = [
        Woman(100 + at, NOW - ago, of_van, **kind)
        for at, (ago, of_van, kind) in enumerate(zip(hours, van, kinds, strict=True))
    ]
    return [
        *made,
        Woman(120, NOW - timedelta(minutes=12), closed=False),
        Woman(121, NOW - timedelta(days=4), suspicion=(0.4,)),
    ]


def yesterdays() -> list[tuple[Woman, Sequence[Said]]]:
    """Those of yesterday with what was signed of them."""
    day = NOW.replace(hour=8, minute=5) - timedelta(days=1)
    first, second, third, fourth, fifth, sixth = (
        Woman(
            80 + at, day + timedelta(minutes=55 * at), ("van-1", "van-2")[at % 2], suspicion=(0.6,) if at == 1 else ()
        )
        for at in range(6)
    )
    again = (breast("left", "1", "routine_screening"), breast("right", "1", "scan_again", "not_fully_seen"))
    return [
        (first, [first.signed(*NEGATIVE)]), (second, [second.signed(*RECALLED, by="dr-2")]),
        (third, [third.signed(*BENIGN)]), (fourth, [fourth.signed(*again)]),
        (fifth, [fifth.signed(*RECALLED), fifth.signed(*BENIGN, role="second", by="dr-2", after_h=7)]), (sixth, []),
    ]  # fmt: skip


def months() -> list[tuple[Woman, Sequence[Said]]]:
    """Those of the last three months, and what became of whom was called back."""
    told: list[tuple[Woman, Sequence[Said]]] = []
    for number in range(40):
        at = NOW - timedelta(days=4 + 2 * number, hours=number % 6)
        organ: Organ = "thyroid" if number % 5 == 4 else "breast"
        van = ("van-1", "van-2", "van-1", "van-3")[number % 4]
        levels: tuple[Level, Level] = ("adequate", "limited") if number % 7 == 3 else ("adequate", "adequate")
        woman = Woman(number, at, van, organ, levels=levels, suspicion=(0.7,) if number % 9 == 2 else ())
        reader = ("dr-1", "dr-2")[number % 2]
        if organ == "thyroid":
            sides: Sequence[SideConcluded] = NODULE if number % 10 == 9 else NO_NODULE
        else:
            sides = RECALLED if number % 9 == 2 else MORE if number in (8, 21) else BENIGN if number % 3 else NEGATIVE
        told.append((woman, [woman.signed(*sides, by=reader), *_after(woman)]))
    return told


def _after(woman: Woman) -> list[Said]:
    """What happened since to those whom `months` calls back."""
    days = [woman.at.date() + timedelta(days=each) for each in (3, 6, 12, 16)]
    match woman.number:
        case 2:
            return [woman.became("not_reached", days[0]), woman.became("not_reached", days[1], 1)]
        case 8:
            return [
                woman.became("called", days[0]),
                woman.became("appointment_made", NOW.date() + timedelta(days=6), 1),
            ]
        case 11:
            return [woman.became("called", days[0]), woman.became("appointment_made", days[2], 1)]
        case 20:
            return [woman.became("attended", days[2]), _biopsy(woman, days[3], "malignant")]
        case 21:
            return [woman.became("called", days[0]), woman.became("declined", days[1], 1)]
        case 29 | 38:
            return [woman.became("attended", days[2]), _biopsy(woman, days[3], "benign")]
    return []


def _biopsy(woman: Woman, day: date, result: str) -> OutcomeRecorded:
    return woman.became("core_biopsy", day, 3, result=result, laterality="left")


def last_year() -> list[tuple[Woman, Sequence[Said]]]:
    """Those who are due again: as usual, or as a reader asked."""
    told: list[tuple[Woman, Sequence[Said]]] = []
    for number in range(6):
        organ: Organ = "thyroid" if number % 2 else "breast"
        ago = timedelta(days=395 - 9 * number) if organ == "breast" else timedelta(days=215 - 9 * number)
        woman = Woman(200 + number, NOW - ago, ("van-1", "van-2")[number % 2], organ)
        told.append((woman, [woman.signed(*(NODULE if organ == "thyroid" else NEGATIVE))]))
    return told
