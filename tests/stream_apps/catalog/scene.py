"""Everything that is said of one woman's screening, twice where something may be said twice, as the broker holds it."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from sonovan.contracts.alerts import AlertAcknowledged, AlertHandled, Closed, HandedOver
from sonovan.contracts.amendments import (
    ConsentAmended,
    ScreeningAmended,
    SideAmended,
    TakenBack,
    WomanAmended,
)
from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import seal
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.faults import FaultAlerted, fault_id
from sonovan.contracts.ids import mint_id, rejection_id
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.quality import Agreement, Flagged, QualityMeasured, Stratum
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed, WithdrawnFinding
from sonovan.contracts.reviews import Compared, FrameReviewed, ReadWord
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import Consent, PlannedRegion, ScreeningOpened
from sonovan.contracts.van_reports import VanReported
from sonovan.storage.catalogue.changes import Change, Place
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.catalog.reading import change_of
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.stage import Message
from tests.clinical.records import (
    NOON,
    REPORT,
    SCREENING,
    SWEEP,
    SWEEP_2,
    VAN,
    adequacy,
    assessed,
    finding,
    region,
    screening_closed,
    segmented,
    sequence_closed,
    sha,
)
from tests.contracts.conclusions import FIRST, SECOND, THIRD, concluded, contact, outcome
from tests.stream_apps.alert.scene import Stage as Alerts

KEY: Final = generate_key()
HER: Final = "a" * 64
ANOTHER: Final = "b" * 64
FIRST_REVIEW: Final = mint_id(1_000, bytes)
SECOND_REVIEW: Final = mint_id(2_000, bytes)
FIRST_PROMOTION: Final = mint_id(4_000, bytes)
SECOND_PROMOTION: Final = mint_id(5_000, bytes)
ANOTHER_SCREENING: Final = mint_id(3_000, bytes)
REJECTION: Final = rejection_id("segment", Topic.FRAME_CAPTURED, 3, 7)
"""What segment could not use of her."""


def opened(**other: Any) -> ScreeningOpened:
    fields: dict[str, Any] = {
        "screening_id": SCREENING,
        "van_id": VAN,
        "subject_key": HER,
        "site_code": "site-1",
        "opened_at": NOON,
        "planned": (PlannedRegion(organ="breast", side="left"), PlannedRegion(organ="thyroid", side="left")),
        "consent": Consent(screening=True, ai=True, research=True),
    }
    return ScreeningOpened(**{**fields, **other})


def recorded(number: int, **answers: Any) -> FeaturesRecorded:
    return FeaturesRecorded(
        screening_id=SCREENING, van_id=VAN, features_number=number, recorded_at=NOON, **answers
    )  # fmt: skip


def amended(number: int, amendment: Any, because: str, van_id: str = VAN) -> ScreeningAmended:
    return ScreeningAmended.model_validate(
        {
            "screening_id": SCREENING,
            "van_id": van_id,
            "amendment_number": number,
            "amendment": amendment,
            "because": because,
            "by": "op-7",
            "amended_at": NOON,
        }
    )


def reviewed(review_id: str, **other: Any) -> FrameReviewed:
    fields: dict[str, Any] = {
        "review_id": review_id,
        "screening_id": SCREENING,
        "sequence_id": SWEEP,
        "frame_index": 12,
        "van_id": VAN,
        "organ": "breast",
        "image_key": "image.png",
        "image_sha256": sha("image"),
        "reader": "dr-1",
        "blind": True,
        "verdict": "drawn",
        "mask_key": None,
        "mask_sha256": None,
        "compared": Compared(
            model_id="lesion-1", weights_sha256=sha("weights"), fingerprint=sha("network with companions"),
            mask_key="mask.png", mask_sha256=sha("mask"), predicted_dice=0.8, assessable=True,
        ),
        "words": (ReadWord(term="margin", word="spiculated"),),
        "origin": "file",
        "reviewed_at": NOON,
    }  # fmt: skip
    return FrameReviewed(**{**fields, **other})


def handled(decision: str, number: int = 1, rejection_id: str = REJECTION, **other: Any) -> RejectedHandled:
    fields: dict[str, Any] = {
        "handling_id": mint_id(4_000 + number, bytes), "rejection_id": rejection_id, "decision": decision,
        "because": "trial" if decision == "discard" else None, "by": "en-1", "handled_at": NOON,
    }  # fmt: skip
    return RejectedHandled(**{**fields, **other})


def resent(outcome: str = "sent", rejection_id: str = REJECTION, **other: Any) -> RejectedRetried:
    fields: dict[str, Any] = {"rejection_id": rejection_id, "retried_at": NOON, "outcome": outcome}
    return RejectedRetried(**{**fields, **other})


def promoted(promotion_id: str, fingerprint: str) -> ScreeningPromoted:
    return ScreeningPromoted(
        promotion_id=promotion_id, screening_id=SCREENING, van_id=VAN, model_id="lesion-1", weights_sha256=sha("w"),
        fingerprint=fingerprint, because="network_replaced", by="op-7", promoted_at=NOON,
    )  # fmt: skip


def erased(screening_id: str) -> ScreeningErased:
    return ScreeningErased(screening_id=screening_id, because="she_asked", by="op-7", erased_at=NOON)


def revisions() -> list[ScreeningAssessed]:
    """Three revisions: two findings, of which one vanishes; a thyroid lobe without any."""
    nodule = finding(3, organ="thyroid", laterality="left", sequence_id=SWEEP_2)
    sides = (adequacy(), adequacy(organ="thyroid", level="usable"), adequacy(laterality="right", level="not_examined"))
    return [
        assessed(revision_number=1, revision_id=sha("one"), status="preliminary", findings=(finding(1),)),
        assessed(
            revision_number=2, revision_id=sha("two"), findings=(finding(2, malignant=0.9), finding(1)), adequacy=sides
        ),
        assessed(
            revision_number=3, revision_id=sha("three"), findings=(finding(1, malignant=0.7), nodule), adequacy=sides,
            **REPORT,
        ),
    ]  # fmt: skip


def alerts() -> list[Record]:
    """Alerts that are raised; one is answered and vanishes, the others are withdrawn."""
    desk, told = Alerts(), list[Record]()
    told += desk.take(assessed(revision_number=1, revision_id=sha("one"), findings=(finding(1, malignant=0.95),)))
    raised = next(iter(desk.known.values()))
    answer = AlertAcknowledged(
        alert_id=raised.alert_id, screening_id=SCREENING, raised_in=raised.raised_in, by="nurse-1"
    )
    desk.answer(answer)
    told += [answer, desk.known[raised.alert_id]]
    of = {"alert_id": raised.alert_id, "screening_id": SCREENING, "raised_in": raised.raised_in, "by": "op-7"}
    told += [
        AlertHandled(step=HandedOver(to="dr-2"), handled_at=NOON, **of),
        AlertHandled(step=Closed(because="attended"), handled_at=NOON + timedelta(days=9), **of),
    ]
    gone = (WithdrawnFinding(finding_id=finding(1).finding_id),)
    told += desk.take(assessed(revision_number=2, revision_id=sha("two"), findings=(), withdrawn=gone))
    return told


Said = Record | tuple[Topic, Record]
"""A record, with its topic where several have records of its kind."""


def said() -> list[Said]:
    """Every record, in an order in which they may come; openings and amendments of another van among them."""
    worker, reports = mint_id(3, bytes), {"waiting": 3, "waiting_bytes": 9, "held": 0, "rejected": 0, "unfinished": 1}
    of_van = {"van_id": VAN, "disk_free_bytes": 10**10, "version": "0.1.0", "python": "3.11.7"}
    sweeps = [
        SequenceAssessed(
            screening_id=SCREENING, sequence_id=sweep, revision_id=sha(name), organ="breast", laterality="left",
            frames=5, assessable_frames=4, findings=(),
        )
        for name in ("one", "two", "three")
        for sweep in (SWEEP, SWEEP_2)
    ]  # fmt: skip
    lag = {"stage": "assess", "instance": 1, "worker": worker, "fault": "lag", "fault_id": fault_id(worker, "lag")}
    return [
        opened(),
        opened(van_id="van-2", subject_key=ANOTHER),
        recorded(1, age_years=51),
        recorded(2, age_years=52, palpable_lump="left"),
        *(segmented(index, (region(predicted_dice=0.8),) if index % 2 else ()) for index in range(5)),
        segmented(0, pixels_sha256=sha("another"), quality=0.1),
        segmented(1, (region(),), fingerprint=sha("a newer network")),
        segmented(0, sequence_id=SWEEP_2, organ="thyroid"),
        sequence_closed(5),
        sequence_closed(6, closing_number=2, operator="op-7"),
        sequence_closed(1, sequence_id=SWEEP_2, operator="op-7"),
        screening_closed(SWEEP, SWEEP_2, stays=True),
        screening_closed(SWEEP, SWEEP_2, closing_number=2, left_at=NOON + timedelta(minutes=9)),
        *revisions(),
        *sweeps,
        amended(1, SideAmended(sequence_ids=(SWEEP,), laterality="right"), "side_entered_wrong"),
        amended(2, TakenBack(amendment_number=1), "amended_by_mistake"),
        amended(3, WomanAmended(subject_key=ANOTHER), "two_slips"),
        amended(4, ConsentAmended(withdrawn=("research",)), "she_withdrew"),
        amended(1, WomanAmended(subject_key="c" * 64), "two_slips", van_id="van-2"),
        *alerts(),
        FaultAlerted(state="raised", as_of=NOON, **lag),
        FaultAlerted(state="ended", as_of=NOON + timedelta(minutes=1), **lag),
        VanReported(reported_at=NOON, **reports, **of_van),
        VanReported(reported_at=NOON + timedelta(minutes=5), **{**reports, "waiting": 1}, **of_van),
        RecordRejected(
            rejection_id=REJECTION, stage="segment", reason="pixels_corrupt",
            retryable=False, verified=True, topic=Topic.FRAME_CAPTURED, partition=3, offset=7,
            content_sha256=sha("bytes"), quarantine_key="ab/cd", rejected_at=NOON, screening_id=SCREENING,
            frame_id=f"{SWEEP}/000009", van_id=VAN,
        ),
        QualityMeasured(
            stratum=Stratum(
                level="van", model_id="lesion-1", fingerprint=sha("network"), organ="breast", van_id=VAN
            ),
            as_of=NOON,
            agreement=Agreement(
                screenings=3, frames=9, dice=0.81, dice_low=0.7, dice_high=0.9, iou=0.7, iou_low=0.6, iou_high=0.8,
                needed=30, verdict="too_few",
            ),
            flagged=(
                Flagged(
                    screening_id=SCREENING, sequence_id=SWEEP, frame_index=3, because="predicted_low",
                    feature="predicted", value=0.3,
                ),
            ),
        ),
        reviewed(FIRST_REVIEW),
        reviewed(SECOND_REVIEW),
        concluded(),
        concluded(SECOND, conclusion_number=2, amends=FIRST, because="overlooked", by="dr-2"),
        contact(FIRST, "called", date(2025, 3, 5)),
        outcome(SECOND, result="benign"),
        outcome(THIRD, amends=SECOND, because="result_revised"),
        handled("retry", rejection_id=sha("another rejection"), screening_id=SCREENING),
        resent(rejection_id=sha("another rejection"), screening_id=SCREENING),
        promoted(FIRST_PROMOTION, fingerprint=sha("network with companions")),
        promoted(SECOND_PROMOTION, fingerprint=sha("a candidate")),
        erased(ANOTHER_SCREENING),
        (Topic.FRAME_REPLAYED, segmented(1, (region(),), fingerprint=sha("a candidate"), mask_key="shadow/mask.png")),
    ]  # fmt: skip


_SHARED: Final = (Topic.FRAME_DEFERRED, Topic.FRAME_REPLAYED)
_TOPIC_OF: Final = {row.value.schema_name: name for name, row in TOPICS.items() if name not in _SHARED}


def messages(records: Iterable[Said] | None = None) -> list[Message]:
    """The records as the broker holds them: a second apart, each at the next offset of its topic."""
    ends: dict[Topic, int] = {}
    found = []
    for number, each in enumerate(said() if records is None else records):
        topic, record = each if isinstance(each, tuple) else (_TOPIC_OF[each.schema_name], each)
        offset = ends.get(topic, -1) + 1
        ends[topic] = offset
        value = seal(record, KEY) if TOPICS[topic].signed else record.encode()
        key = getattr(record, "screening_id", None) or getattr(record, "van_id", None) or ""
        at = Coordinates(topic, 0, offset, NOON + timedelta(seconds=number))
        found.append(Message(at, key.encode(), value))
    return found


def change(message: Message, store: ObjectStore | None = None) -> Change:
    """What a message changes; every signature holds. store: where masks of reviews are; by default none is stored."""
    at = message.at
    place = Place.of(at.topic, at.partition, at.offset, at.appended_at)
    return change_of(place, message.key, message.value, at.appended_at, lambda *_: None, store or NoMasks())


def changes(records: Iterable[Said] | None = None) -> list[Change]:
    """What all of it changes, in its order."""
    return [change(each) for each in messages(records)]


class NoMasks:
    """A store in which nothing is."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        raise AssertionError("nothing is put")

    def get(self, bucket: str, key: str) -> bytes:
        raise KeyError(key)

    def exists(self, bucket: str, key: str) -> bool:
        return False

    def delete(self, bucket: str, key: str) -> None:
        raise AssertionError("nothing is deleted")

    def below(self, bucket: str, folder: str) -> list[str]:
        return []
