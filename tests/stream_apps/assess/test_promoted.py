"""A screening that was segmented again whole by another network takes its results, and nothing before that."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.takeover import reflected
from sonovan.stream_apps.rejecting import Unusable
from tests.stream_apps.alert.scene import Stage as Alerts
from tests.stream_apps.assess.scene import EPOCH, WEIGHTS, Desk, Scene
from tests.stream_apps.cases import CASES, records_sent
from tests.stream_apps.memory import Died, Run, World

NEW, NEWER = "cd" * 32, "ef" * 32
LESION = range(4, 12)


def revisions(desk: Desk, *said: tuple[Topic, Record]) -> list[ScreeningAssessed]:
    taken = [desk.take(each) for each in said]
    return [each.revision.assessed for each in taken if each.revision is not None]


def again(scene: Scene, network: str = NEW, *, beside: bool = False) -> list[tuple[Topic, Record]]:
    """Every frame by another network. beside: it outlines another lesion first, so that ordinals are others."""
    found = []
    for index in range(scene.frames):
        topic, result = scene.frame(index, weights=network, score=0.8)
        assert isinstance(result, FrameSegmented)
        if beside and result.regions:
            (region,) = result.regions
            left, top, width, height = region.box
            other = region.model_copy(
                update={"box": (left, top + 200, width, height), "centroid": (left + 20.0, 315.0)}
            )
            regions = (other, region.model_copy(update={"ordinal": 1}))
            result = result.model_copy(update={"regions": regions})
        found.append((topic, result.model_copy(update={"model_id": "model-2"})))
    return found


def test_it_takes_the_new_results_once_all_frames_have_one_and_says_why() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    first = revisions(desk, *scene.everything())[-1]
    *most, last = again(scene)
    assert revisions(desk, scene.promoted(NEW), *most) == [], "until then nothing changes"
    (taken,) = revisions(desk, last)
    assert (taken.revision_number, taken.status) == (first.revision_number + 1, "complete")
    assert (taken.fingerprint, taken.weights_sha256, taken.model_id) == (NEW, NEW, "model-2")
    assert taken.promoted is not None
    assert (taken.promoted.by, taken.promoted.because, taken.promoted.instead_of) == (
        "op-7",
        "network_replaced",
        WEIGHTS,
    )
    assert (first.promoted, first.fingerprint) == (None, WEIGHTS)
    assert taken.revision_id != first.revision_id
    assert [each.finding_id for each in taken.findings] == [each.finding_id for each in first.findings]
    assert taken.findings[0].best.score_max == first.findings[0].best.score_max


def test_results_without_a_promotion_change_nothing_and_a_promotion_without_results_neither() -> None:
    scene = Scene(20, lesion=LESION)
    for said in (again(scene), [scene.promoted(NEW)]):
        desk = Desk(scene)
        revisions(desk, *scene.everything())
        assert revisions(desk, *said) == []


@given(order=st.permutations(range(24)), repeated=st.lists(st.integers(0, 23), max_size=10))
@settings(max_examples=40, deadline=None)
def test_any_order_and_repetition_ends_in_the_same_revision(order: list[int], repeated: list[int]) -> None:
    scene = Scene(10, lesion=LESION)
    said = [*scene.everything(), scene.promoted(NEW), *again(scene)]
    straight = revisions(Desk(scene), *said)[-1]
    # Which network came first in the topic of results stays: of one topic, one partition keeps its order.
    first = next(place for place, index in enumerate(order) if said[index][0] == Topic.FRAME_SEGMENTED)
    base = next(place for place, index in enumerate(order) if 1 <= index <= 10)
    order = list(order)
    order[first], order[base] = order[base], order[first]
    mixed = revisions(Desk(scene), *(said[index] for index in [*order, *repeated]))
    assert mixed[-1].revision_id == straight.revision_id
    assert (mixed[-1].fingerprint, mixed[-1].status) == (NEW, "complete")
    assert [each.revision_number for each in mixed] == list(range(1, len(mixed) + 1))
    assert all(one.revision_id != other.revision_id for one, other in pairwise(mixed))


def test_the_same_promotion_again_changes_nothing_and_taking_back_is_a_revision_of_its_own() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    said = revisions(desk, *scene.everything(), scene.promoted(NEW), *again(scene))
    assert revisions(desk, scene.promoted(NEW), scene.promoted(NEW, 2, because="reader_asked")) == []
    (back,) = revisions(desk, scene.promoted(WEIGHTS, 3, model_id="model-1", because="promoted_by_mistake"))
    assert (back.fingerprint, back.model_id, back.revision_number) == (WEIGHTS, "model-1", 1 + said[-1].revision_number)
    assert back.revision_id not in {each.revision_id for each in said}, "an earlier revision is never overwritten"
    assert back.findings == said[-2].findings


def test_a_newer_promotion_that_is_not_whole_leaves_the_one_before_it() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything(), scene.promoted(NEW), *again(scene))
    *most, last = again(scene, NEWER)
    assert revisions(desk, scene.promoted(NEWER, 2), *most) == []
    assert [each.fingerprint for each in revisions(desk, last)] == [NEWER]


def test_a_late_frame_of_the_earlier_network_has_it_count_again_until_the_frame_was_segmented_again() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    late, late_again = scene.frame(7), again(scene)[7]
    told = [each for each in scene.everything() if each != late]
    revisions(desk, *told)
    desk.tick(EPOCH + timedelta(hours=1))
    (promoted,) = revisions(desk, scene.promoted(NEW), *(each for each in again(scene) if each != late_again))
    assert (promoted.fingerprint, promoted.status) == (NEW, "incomplete")
    (complete,) = revisions(desk, late)
    assert (complete.fingerprint, complete.status, complete.frames) == (WEIGHTS, "complete", 20)
    (whole,) = revisions(desk, late_again)
    assert (whole.fingerprint, whole.status, whole.frames) == (NEW, "complete", 20)
    assert {each.findings[0].finding_id for each in (promoted, complete, whole)} == {promoted.findings[0].finding_id}


def test_lesions_keep_their_names_although_the_other_network_numbers_its_regions_otherwise() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    first = revisions(desk, *scene.everything())[-1]
    (taken,) = revisions(desk, scene.promoted(NEW), *again(scene, beside=True))[-1:]
    by_name = {each.finding_id: each for each in taken.findings}
    assert len(by_name) == 2
    same = by_name[first.findings[0].finding_id]
    assert {member.ordinal for member in same.members} == {1}
    assert taken.withdrawn == ()
    back = revisions(desk, scene.promoted(WEIGHTS, 2))[-1]
    assert [each.finding_id for each in back.findings] == [first.findings[0].finding_id]
    (gone,) = back.withdrawn
    assert gone.finding_id in by_name, "the other one is gone, and is not taken for the lesion that is left"
    assert gone.merged_into is None
    once_more = revisions(desk, scene.promoted(NEW, 3))[-1]
    assert {each.finding_id for each in once_more.findings} == set(by_name)


def test_an_alert_follows_its_lesion_over_a_promotion() -> None:
    scene = Scene(20, lesion=LESION)
    desk, alerts = Desk(scene), Alerts()
    first = revisions(desk, *scene.everything())[-1]
    raised = alerts.take(first)
    taken = revisions(desk, scene.promoted(NEW), *again(scene, beside=True))[-1]
    told = {each.alert_id: each.state for each in alerts.take(taken)}
    assert raised
    assert not [each for each in raised if told.get(each.alert_id) == "withdrawn"]


def test_whoever_takes_over_after_a_crash_says_nothing_older_again() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    said = revisions(desk, *scene.everything(), scene.promoted(NEW))
    *most, last = again(scene, beside=True)
    revisions(desk, *most)
    lost = desk.take(last, write="received").revision
    assert lost is not None
    desk.keep(reflected(desk.row, [*said, lost.assessed], 9))
    assert revisions(desk, last, scene.promoted(NEW)) == []
    back = revisions(desk, scene.promoted(WEIGHTS, 2))[-1]
    assert back.revision_number == lost.assessed.revision_number + 1
    assert [each.finding_id for each in back.findings] == [each.finding_id for each in said[-1].findings]


def test_a_result_whose_row_was_torn_off_is_waited_for_and_the_earlier_network_counts_meanwhile() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything(), scene.promoted(NEW))
    *most, last = again(scene)
    revisions(desk, *most)
    torn = next(
        place for place in desk.rows if place[0] == "results" and f"/000003@{scene.van_id}@{NEW[:16]}" in place[1]
    )
    del desk.rows[torn]
    assert revisions(desk, last) == []
    (taken,) = revisions(desk, most[3])
    assert taken.fingerprint == NEW


def test_what_does_not_fit_is_refused_by_name() -> None:
    scene = Scene(4)
    desk = Desk(scene)
    revisions(desk, *scene.everything(), scene.promoted(NEW))
    refused = [
        (scene.promoted(NEW, because="reader_asked"), "record_contradicts_stored"),
        (scene.promoted(NEW, 2, van_id="van-2"), "van_not_opener"),
    ]
    for number in range(2, 33):
        desk.take(scene.promoted(NEW, number))
    refused.append((scene.promoted(NEW, 33), "screening_too_large"))
    for number in range(8):
        desk.take(scene.frame(0, fingerprint=f"{number:064x}"))
    refused.append((scene.frame(0, fingerprint="9" * 64), "screening_too_large"))
    for said, reason in refused:
        with pytest.raises(Unusable) as caught:
            desk.take(said)
        assert caught.value.reason == reason


def test_a_worker_that_dies_anywhere_ends_in_what_one_that_lives_does(tmp_path: Path) -> None:
    case = CASES["assess"](tmp_path)
    world = case.world
    results = [each for each in world.arrived if each.at.topic == Topic.FRAME_SEGMENTED and each.value != b"{"]
    first = FrameSegmented.decode(results[0].value)
    scene = Scene(1)
    scene.screening_id = first.screening_id
    _, promotion = scene.promoted(NEW, van_id=first.van_id)
    world.append(Topic.SCREENING_PROMOTED, promotion.encode(), results[0].key)
    for each in results:
        result = FrameSegmented.decode(each.value)
        named = {"fingerprint": NEW, "weights_sha256": NEW, "model_id": "model-2"}
        world.append(Topic.FRAME_SEGMENTED, result.model_copy(update=named).encode(), each.key)

    async def live(world: World) -> None:
        worker = Run(world, case.open)
        try:
            await worker.take(world.open_messages())
        finally:
            await worker.end()

    asyncio.run(live(world))
    lived = ({each for each in records_sent(world) if each[0] == Topic.SCREENING_ASSESSED}, dict(world.changelog))
    newest = max((ScreeningAssessed.decode(value) for _, _, value in lived[0]), key=lambda each: each.revision_number)
    assert newest.fingerprint == NEW
    effects = len(world.effects)
    for die_at in range(effects * 2 // 3, effects):
        world.changelog.clear()
        world.acknowledged.clear()
        for kept in (world.sent, world.effects, world.order):
            kept.clear()
        world.die_at = die_at
        with pytest.raises(Died):
            asyncio.run(live(world))
        world.die_at = None
        asyncio.run(live(world))
        sent = {each for each in records_sent(world) if each[0] == Topic.SCREENING_ASSESSED}
        assert (sent, dict(world.changelog)) == lived
