from typing import Any

import pytest
from pydantic import ValidationError

from sonovan.clinical.findings import name_findings
from sonovan.clinical.key_frame import sequence_ends
from sonovan.clinical.lesions import Lesion, best_of, cut_to, finding_of
from sonovan.clinical.track import link
from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor, FrameSegmented, Place
from sonovan.contracts.results import Finding, Member
from tests.clinical.records import SCREENING, SWEEP, SWEEP_2, finding, region, segmented, sighting


def found(*frames: FrameSegmented) -> Finding:
    """The finding of all tracks in these frames, as one lesion."""
    results = {frame.frame_id: frame for frame in frames}
    return finding_of(Lesion(tuple(link(frames))), results, "a" * 64, sequence_ends(frames))


def test_a_sighting_takes_its_sizes_and_place_from_its_key_frame_and_says_why_they_are_lower_bounds() -> None:
    place = Place(origin="probe", depth_share=0.2, lateral_share=-0.1)
    frames = [
        segmented(3, [region(size=40, score_mean=0.5)]),
        segmented(4, [region(size=42, score_mean=0.9, score_max=0.91, predicted_dice=0.95, place=place)]),
        segmented(6, [region(size=42, score_mean=0.9, score_max=0.95, predicted_dice=0.81)]),
        segmented(7, [region(size=44, score_mean=0.4)]),
    ]
    best = found(*frames).best
    assert best.key_frame_id == frames[1].frame_id
    assert (best.area_px, best.long_axis_px, best.short_axis_px) == (42 * 42, 42, 42)
    assert (best.predicted_dice, best.unconfirmed, best.place) == (0.95, False, place)
    assert best.at_least == (Because(code="sweep_ends_on_it"),)
    assert best.image_key == frames[1].image_key
    assert best.frame_span == (3, 7)
    assert best.duration_ms == 160.0
    assert best.score_mean == pytest.approx((0.9 + 0.9 + 0.5) / 3, abs=1e-4)
    assert best.score_max == 0.95
    assert found(*frames).categories == ()


def test_a_finding_is_unconfirmed_where_all_its_members_are() -> None:
    for second, expected in ((True, True), (False, False)):
        assert found(
            segmented(3, [region(unconfirmed=True)]), segmented(4, [region(unconfirmed=second)])
        ).unconfirmed is (expected)


def test_a_finding_is_unreliable_where_all_its_outlines_are_and_a_sighting_where_its_key_frames_is() -> None:
    low, good = region(outline_unreliable=True, predicted_dice=0.4), region(predicted_dice=0.9, malignant=0.3)
    alone = found(segmented(3, [low]), segmented(4, [low]))
    assert (alone.outline_unreliable, alone.best.outline_unreliable, alone.malignant) == (True, True, None)
    helped = found(segmented(3, [low]), segmented(4, [good]))
    assert (helped.outline_unreliable, helped.best.outline_unreliable, helped.malignant) == (False, False, 0.3)


def test_a_sighting_without_times_has_no_duration_rather_than_zero() -> None:
    assert found(segmented(0, [region()], time_ms=None)).best.duration_ms is None


def two_sweeps() -> list[FrameSegmented]:
    look = {"descriptors": (Descriptor(name="margin", value="circumscribed", probability=0.8),), "malignant": 0.2}
    other = {"descriptors": (Descriptor(name="margin", value="not_circumscribed", probability=0.9),), "malignant": 0.8}
    return [
        segmented(0, [region(score_mean=0.6, **look)], view="transverse"),
        *(
            segmented(index, [region(score_mean=0.9, **other)], sequence_id=SWEEP_2, view="longitudinal")
            for index in (4, 5)
        ),
    ]


def test_a_lesion_of_two_sweeps_has_a_sighting_in_each_and_shows_the_better_one() -> None:
    both = found(*two_sweeps())
    assert [(each.sequence_id, each.view, each.frame_span) for each in both.sightings] == [
        (SWEEP, "transverse", (0, 0)),
        (SWEEP_2, "longitudinal", (4, 5)),
    ]
    assert both.best is both.sightings[1]
    assert [each.sequence_id for each in both.in_order] == [SWEEP_2, SWEEP]
    assert both.frame_count == 3


def test_what_belongs_to_the_lesion_is_taken_over_all_its_sightings() -> None:
    both = found(*two_sweeps())
    assert (both.malignant, both.malignant_range) == (0.6, (0.2, 0.8))
    assert [each.value for each in both.descriptors] == ["not_circumscribed"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"score_mean": 0.7}, {"score_mean": 0.8}, 1),
        ({"score_mean": 0.7}, {"score_mean": 0.8, "unconfirmed": True}, 0),
        ({"score_mean": 0.7, "frames": 2}, {"score_mean": 0.7, "frames": 3}, 1),
        ({"score_mean": 0.7}, {"score_mean": 0.7}, 0),
    ],
)
def test_the_best_sighting_is_confirmed_then_scored_highest_then_longest(
    first: dict[str, Any], second: dict[str, Any], expected: int
) -> None:
    assert best_of((sighting(**first), sighting(sequence_id=SWEEP_2, **second))) == expected


def test_a_lesion_keeps_its_name_whichever_of_its_sweeps_is_still_there() -> None:
    first, second = (Lesion((track,)) for track in link(two_sweeps()))
    joined = Lesion((*second.tracks, *first.tracks))
    ((name, _),), _ = name_findings(SCREENING, [joined], {})
    assert name == name_findings(SCREENING, [first], {})[0][0][0], "named after its lowest member"
    published = {name: frozenset(joined.members)}
    assert name_findings(SCREENING, [second], published)[0][0][0] == name
    named, withdrawn = name_findings(SCREENING, [first, second], published)
    assert (named[1][0], withdrawn) == (name, ()), "the part with most members keeps the name"


def test_a_cut_to_one_sequence_keeps_its_sightings_alone() -> None:
    both = found(*two_sweeps())
    cut = cut_to(both, SWEEP)
    assert cut is not None
    assert (cut.finding_id, cut.sightings, cut.best) == (both.finding_id, both.sightings[:1], both.sightings[0])
    assert cut.malignant == both.malignant
    assert cut_to(both, SCREENING) is None


def test_a_finding_is_valid_once_constructed() -> None:
    with pytest.raises(ValidationError, match="same sequence and panel"):
        finding(sightings=(sighting(), sighting()))
    with pytest.raises(ValidationError, match="none of the sightings"):
        finding(best_ordinal=1)
    with pytest.raises(ValidationError, match="its own sequence"):
        sighting(members=(Member(frame_id=f"{SWEEP_2}/000012", ordinal=0), *sighting().members))
    with pytest.raises(ValidationError, match="one of its members"):
        sighting(key_ordinal=1)
