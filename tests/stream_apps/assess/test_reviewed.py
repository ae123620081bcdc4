"""What a reader drew on a frame counts in the place of what the machine outlined, until the reader takes it back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.frames import FrameSegmented, PanelRefusal, Region
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.reviewing import MOST_REVIEWS
from sonovan.stream_apps.assess.takeover import reflected
from sonovan.stream_apps.rejecting import Unusable
from tests.stream_apps.assess.scene import EPOCH, WEIGHTS, Desk, Scene
from tests.stream_apps.assess.test_ending import SETTLED, end
from tests.stream_apps.assess.test_promoted import LESION, NEW, again, revisions


def region(scene: Scene, index: int, **other: Any) -> Region:
    """The machine's region of a frame, as a reader has it."""
    result = scene.frame(index)[1]
    assert isinstance(result, FrameSegmented)
    return result.regions[0].model_copy(update={"score_mean": 1.0, "score_max": 1.0, "predicted_dice": 1.0, **other})


def larger(scene: Scene, index: int, **other: Any) -> Region:
    """It, twice as wide."""
    left, top, width, height = region(scene, index).box
    size = {"area_px": 2600, "box": (left, top, 2 * width, height)}
    return region(scene, index, **{**size, **other})


def scored(scene: Scene) -> list[tuple[Topic, Record]]:
    """Everything of the scene, with what a network says of the lesion's look."""
    told = []
    for topic, record in scene.everything():
        if isinstance(record, FrameSegmented) and record.regions:
            look = record.regions[0].model_copy(update={"malignant": 0.9, "predicted_dice": 0.8})
            record = record.model_copy(update={"regions": (look,)})
        told.append((topic, record))
    return told


def test_a_corrected_mask_changes_what_is_measured_and_the_revision_says_whose_outline_it_is() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    before = revisions(desk, *scored(scene))[-1]
    (after,) = revisions(desk, scene.reviewed(6, 1, [larger(scene, 6)]))
    assert (after.revision_number, after.status) == (before.revision_number + 1, "complete")
    assert after.revision_id != before.revision_id
    (sighting,) = after.findings[0].sightings
    assert (sighting.key_frame_id[-6:], sighting.area_px, sighting.mask_key) == ("000006", 2600, "drawn")
    assert (sighting.reader_frames, sighting.predicted_dice) == ((6,), None)
    assert before.findings[0].sightings[0].area_px == 1271
    assert after.findings[0].finding_id == before.findings[0].finding_id
    (told,) = after.reviewed
    assert (told.frame_id[-6:], told.reader, told.verdict, told.regions, told.fingerprint) == (
        "000006", "dr-1", "corrected", 1, WEIGHTS,
    )  # fmt: skip
    assert after.findings[0].malignant == before.findings[0].malignant == 0.9
    assert before.reviewed == ()


def test_what_a_network_read_off_a_bad_outline_goes_with_it() -> None:
    scene = Scene(1, lesion=[0])
    elsewhere = region(scene, 0, box=(130, 125, 41, 31))
    desk = Desk(scene)
    assert revisions(desk, *scored(scene))[-1].findings[0].malignant == 0.9
    assert revisions(desk, scene.reviewed(0, 1, [elsewhere]))[-1].findings[0].malignant is None
    assert revisions(desk, scene.reviewed(0, 2, [larger(scene, 0)]))[-1].findings[0].malignant == 0.9


def test_where_a_reader_outlines_nothing_there_is_nothing_and_where_the_machine_saw_nothing_there_is_a_lesion() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything())
    nothing = [revisions(desk, scene.reviewed(index, index, []))[-1] for index in LESION]
    assert [len(each.findings) for each in nothing] == [1] * (len(LESION) - 1) + [0]
    assert [each.finding_id for each in nothing[-1].withdrawn] == [nothing[0].findings[0].finding_id]
    drawn = region(Scene(20, lesion=[15]), 15)
    found = revisions(desk, scene.reviewed(15, 30, [drawn], verdict="drawn"))[-1]
    assert [each.best.key_frame_id[-6:] for each in found.findings] == ["000015"]
    assert found.findings[0].best.reader_frames == (15,)


def test_a_frame_that_the_machine_refused_counts_where_a_reader_outlines_a_lesion() -> None:
    scene = Scene(1, lesion=[0])
    topic, result = scene.frame(0)
    assert isinstance(result, FrameSegmented)
    refused = result.model_copy(
        update={
            "regions": (),
            "mask_key": None,
            "mask_sha256": None,
            "assessable": False,
            "not_assessable_reason": "too_dark",
            "refusals": (PanelRefusal(panel=0, reason="too_dark"),),
        }
    )
    desk = Desk(scene)
    told = [(topic, refused) if each[0] == topic else each for each in scene.everything()]
    before = revisions(desk, *told)[-1]
    (after,) = revisions(desk, scene.reviewed(0, 1, [region(scene, 0)], verdict="drawn"))
    assert (before.adequacy[0].assessable_share, len(before.findings)) == (0.0, 0)
    assert (after.adequacy[0].assessable_share, len(after.findings)) == (1.0, 1)


def test_a_reader_takes_back_by_agreeing_and_takes_back_nobody_elses() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    before = revisions(desk, *scene.everything())[-1]
    mine, hers = (
        scene.reviewed(6, 1, [larger(scene, 6)]),
        scene.reviewed(6, 2, [larger(scene, 6, area_px=3000)], reader="dr-2"),
    )
    assert [each.reviewed[0].reader for each in revisions(desk, mine, hers)] == ["dr-1", "dr-2"]
    (back,) = revisions(desk, scene.reviewed(6, 3, None, verdict="agreed", reader="dr-2"))
    assert [(each.reader, each.regions) for each in back.reviewed] == [("dr-1", 1)]
    (gone,) = revisions(desk, scene.reviewed(6, 4, None, verdict="agreed"))
    assert (gone.reviewed, gone.findings) == ((), before.findings)
    assert gone.revision_id == before.revision_id, "it rests on what the first one rests on"
    assert gone.revision_number == before.revision_number + 4
    assert revisions(desk, mine, hers) == [], "an older review that comes again changes nothing"


def test_a_blind_review_and_one_that_nobody_measured_change_nothing() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything())
    rows = dict(desk.rows)
    blind = scene.reviewed(6, 1, [larger(scene, 6)], verdict="drawn", blind=True)
    assert revisions(desk, blind, scene.reviewed(6, 2)) == []
    assert desk.rows == rows


def test_a_review_of_another_picture_than_the_stored_one_changes_nothing() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    before = revisions(desk, *scene.everything())[-1]
    other = revisions(desk, scene.reviewed(6, 1, [larger(scene, 6)], image_sha256="9" * 64))
    assert other == []
    assert revisions(desk, scene.reviewed(7, 2, [larger(scene, 7)]))[-1].reviewed[0].frame_id[-6:] == "000007"
    assert before.reviewed == ()


@given(order=st.permutations(range(18)), repeated=st.lists(st.integers(0, 17), max_size=10))
@settings(max_examples=40, deadline=None)
def test_any_order_and_repetition_ends_in_the_same_revision(order: list[int], repeated: list[int]) -> None:
    scene = Scene(10, lesion=LESION)
    said = [
        *scene.everything(),
        scene.reviewed(6, 1, [larger(scene, 6)]),
        scene.reviewed(6, 2, [larger(scene, 6, area_px=3000)], reader="dr-2"),
        scene.reviewed(6, 3, None, verdict="agreed", reader="dr-2"),
        scene.reviewed(7, 4, []),
        scene.reviewed(2, 5, [region(Scene(10, lesion=[2]), 2)], verdict="drawn"),
    ]
    straight = revisions(Desk(scene), *said)[-1]
    mixed = revisions(Desk(scene), *(said[index] for index in [*order, *repeated]))
    assert mixed[-1].revision_id == straight.revision_id
    assert [(each.frame_id[-6:], each.regions) for each in mixed[-1].reviewed] == [
        ("000002", 1), ("000006", 1), ("000007", 0),
    ]  # fmt: skip
    assert [each.revision_number for each in mixed] == list(range(1, len(mixed) + 1))


def test_whoever_takes_over_after_a_crash_says_the_same_and_nothing_again() -> None:
    scene = Scene(20, lesion=LESION)
    for write in ("none", "received"):
        desk = Desk(scene)
        said = revisions(desk, *scene.everything())
        review = scene.reviewed(6, 1, [larger(scene, 6)])
        lost = desk.take(review, write=write).revision  # type: ignore[arg-type]
        assert lost is not None
        desk.keep(reflected(desk.row, [*said, lost.assessed], 9))
        assert revisions(desk, review) == []
        (next_one,) = revisions(desk, scene.reviewed(6, 2, [larger(scene, 6, area_px=3000)]))
        assert next_one.revision_number == lost.assessed.revision_number + 1


def test_a_review_whose_row_was_torn_off_is_waited_for() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything()[:-1])
    review = scene.reviewed(6, 1, [larger(scene, 6)])
    desk.take(review)
    del desk.rows["results", f"{scene.sequence_id}/000006@{scene.van_id}@reviews"]
    (without,) = revisions(desk, scene.screening_closed())
    assert without.reviewed == ()
    assert [len(each.reviewed) for each in revisions(desk, review)] == [1]


def test_a_correction_stays_when_another_network_is_promoted_and_the_lesion_keeps_its_name() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    first = revisions(desk, *scene.everything())[-1]
    corrected = revisions(desk, scene.reviewed(6, 1, [larger(scene, 6)]))[-1]
    promoted = revisions(desk, scene.promoted(NEW), *again(scene, beside=True))[-1]
    back = revisions(desk, scene.promoted(WEIGHTS, 2))[-1]
    for each in (corrected, promoted, back):
        assert [told.frame_id[-6:] for told in each.reviewed] == ["000006"]
        named = {finding.finding_id: finding for finding in each.findings}
        assert named[first.findings[0].finding_id].best.reader_frames == (6,)
    assert promoted.fingerprint == NEW


def test_only_the_newest_reviews_of_a_frame_are_kept_and_they_end_with_the_screening() -> None:
    scene = Scene(20, lesion=LESION)
    desk = Desk(scene)
    revisions(desk, *scene.everything())
    for number in range(MOST_REVIEWS + 3):
        desk.take(scene.reviewed(6, number, [larger(scene, 6, area_px=2000 + number)]))
    desk.take(scene.reviewed(7, 40, None, verdict="agreed"))
    assert len([key for table, key in desk.rows if table == "results" and key.endswith("@reviews")]) == 2
    end(desk, desk.now + SETTLED)
    assert [table for table, _ in desk.rows] == ["screenings"]
    assert revisions(desk, scene.reviewed(6, 50, [larger(scene, 6)])) == []
    assert [table for table, _ in desk.rows] == ["screenings"]


def test_what_does_not_fit_is_refused_by_name_and_an_erased_screening_is_not_revised() -> None:
    scene = Scene(4, lesion=range(4))
    desk = Desk(scene)
    revisions(desk, *scene.everything(), scene.reviewed(1, 1, [larger(scene, 1)]))
    for said, reason in (
        (scene.reviewed(1, 1, [larger(scene, 1, area_px=5)]), "record_contradicts_stored"),
        (scene.reviewed(1, 2, [larger(scene, 1)], van_id="van-2"), "van_not_opener"),
    ):
        with pytest.raises(Unusable) as caught:
            desk.take(said)
        assert caught.value.reason == reason
    erased = ScreeningErased(screening_id=scene.screening_id, because="she_asked", by="op-7", erased_at=EPOCH)
    desk.take((Topic.SCREENING_ERASED, erased))
    assert desk.take(scene.reviewed(2, 3, [larger(scene, 2)])).revision is None
