"""What she did not agree to happens nowhere: not on the van, not in `segment`, not in `assess`."""

import asyncio

import pytest

from sonovan.cli.van_send import consent_given
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent
from sonovan.producers.items import Item, Visit
from sonovan.producers.screening import compose
from sonovan.stream_apps.rejecting import reject
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import segment_stage
from tests.producers.visits import SIGNER
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.stream_apps.memory import Run, World
from tests.stream_apps.segment.frames import TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter

REFUSALS = [Consent(screening=True, ai=False), Consent(screening=False, ai=True, research=True, sharing=True)]


def features(scene: Scene) -> tuple[Topic, Record]:
    record = FeaturesRecorded(
        screening_id=scene.screening_id, van_id=scene.van_id, features_number=1, recorded_at=EPOCH, age_years=47
    )
    return Topic.FEATURES_RECORDED, record


@pytest.mark.parametrize("consent", REFUSALS, ids=["no machine", "no screening"])
def test_a_frame_that_she_did_not_agree_to_is_not_looked_at_nor_kept(consent: Consent) -> None:
    van, world = TestVan(), World()
    world.registry.learn(van.enrolled())
    world.append(Topic.FRAME_CAPTURED, van.frame(0, consent=consent), van.sequence_id.encode())

    async def live() -> None:
        stage = segment_stage(ThresholdSegmenter(), world.registry, world.store, SegmentSettings())
        worker = Run(world, lambda world, tables: stage)
        await worker.take(world.open_messages())
        await worker.end()

    asyncio.run(live())
    assert world.store.objects == {}
    (rejection,) = (RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED)
    assert (rejection.reason, rejection.retryable, rejection.verified) == ("consent_refused", False, True)
    (answer,) = (VanAnswered.decode(value) for topic, _, value in world.sent if topic.startswith("van.answered"))
    assert (answer.kind, answer.reason, answer.retryable) == ("rejected", "consent_refused", False)


@pytest.mark.parametrize("consent", REFUSALS, ids=["no machine", "no screening"])
def test_a_screening_that_she_did_not_agree_to_gets_no_revision_whatever_its_frames_say(consent: Consent) -> None:
    scene = Scene(2, lesion=(0, 1))
    desk = Desk(scene)
    desk.take(scene.frame(0))
    desk.take(features(scene))
    assert b"age_years" in desk.rows["screenings", scene.screening_id]
    assert desk.take(scene.opened(consent=consent)).revision is None
    for said in (scene.frame(1), features(scene), scene.sequence_closed(), scene.screening_closed()):
        message = desk.message_of(said)
        with pytest.raises(InvalidRecord) as caught:
            desk.arrive(message)
        rejection = reject("assess", caught.value, message.at, message.value)
        assert (rejection.record.reason, rejection.record.kept) == ("consent_refused", False)
    assert desk.tick(EPOCH.replace(year=2027)).revision is None
    assert not any(table in ("waiting", "published") for table, _ in desk.rows)
    assert b"age_years" not in desk.rows["screenings", scene.screening_id]


@pytest.mark.parametrize("consent", REFUSALS, ids=["no machine", "no screening"])
def test_a_van_composes_nothing_that_she_did_not_agree_to(consent: Consent) -> None:
    put: list[Item] = []
    with pytest.raises(InvalidRecord) as caught:
        compose([], Visit("ab" * 32, "site-1", consent), SIGNER, put.append)
    assert (caught.value.reason, put) == ("consent_refused", [])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, "option_invalid"),
        ("", "consent_refused"),
        ("screening", "consent_refused"),
        ("ai,research", "consent_refused"),
        ("screening,ai,everything", "option_invalid"),
    ],
)
def test_the_command_line_assumes_no_consent(said: str | None, reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        consent_given(said)
    assert caught.value.reason == reason
    assert consent_given("screening,ai,research") == Consent(screening=True, ai=True, research=True)
