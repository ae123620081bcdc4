"""A lesion that two sweeps show, on its way through the records of a revision."""

from sonovan.contracts.results import Member
from sonovan.stream_apps.assess.assessment import sequence_records
from sonovan.stream_apps.assess.takeover import published_row
from tests.clinical.records import SWEEP, SWEEP_2, assessed, finding, region, segmented, sighting

TWICE = finding(sightings=(sighting(), sighting(3, SWEEP_2, score_mean=0.95)), best_ordinal=1)


def test_each_sweeps_record_has_the_lesion_with_its_own_sightings_alone() -> None:
    once = finding(
        2, sequence_id=SWEEP_2, members=sighting(sequence_id=SWEEP_2).members, key_frame_id=f"{SWEEP_2}/000012"
    )
    results = [segmented(10, [region()]), segmented(10, [region()], sequence_id=SWEEP_2)]
    first, second = sequence_records(assessed(findings=(TWICE, once)), {each.frame_id: each for each in results})
    assert [each.finding_id for each in first.findings] == [TWICE.finding_id]
    assert first.findings[0].sightings == TWICE.sightings[:1]
    assert [each.finding_id for each in second.findings] == [TWICE.finding_id, once.finding_id]
    assert second.findings[0].sightings == TWICE.sightings[1:]


def test_what_was_published_of_a_lesion_is_all_its_members() -> None:
    row = published_row(assessed(findings=(TWICE,)), None, None)
    assert row.findings() == {TWICE.finding_id: frozenset((each.frame_id, each.ordinal) for each in TWICE.members)}
    assert Member(frame_id=f"{SWEEP}/000010", ordinal=0) in TWICE.members
    assert len(TWICE.members) == 5 + 3
