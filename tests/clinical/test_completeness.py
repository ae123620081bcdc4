from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.completeness import check_completeness, latest
from sonovan.contracts.ids import frame_id, upload_order
from sonovan.contracts.results import MissingFrames
from sonovan.contracts.van import SequenceClosed
from tests.clinical.records import NOON, SCREENING, SWEEP, SWEEP_2, discarded, held, screening_closed, sequence_closed


def frames(indices: range | list[int], sequence_id: str = SWEEP) -> list[str]:
    return [frame_id(sequence_id, index) for index in indices]


def test_complete_when_every_counted_frame_is_accounted_for() -> None:
    found = check_completeness(
        [screening_closed(SWEEP)],
        [sequence_closed(5, set_aside=(discarded(4),))],
        results=frames([0, 1, 2]),
        rejected=frames([3]),
    )
    assert found.complete
    assert found.missing == ()


def test_a_held_frame_is_missing_until_it_comes() -> None:
    closings = [sequence_closed(3, set_aside=(held(1),))]
    without = check_completeness([screening_closed(SWEEP)], closings, results=frames([0, 2]), rejected=[])
    assert without.missing == (MissingFrames(sequence_id=SWEEP, indices=(1,)),)
    assert not without.complete
    assert check_completeness([screening_closed(SWEEP)], closings, results=frames([0, 1, 2]), rejected=[]).complete


def test_a_named_sequence_without_closing_is_missing_as_a_whole() -> None:
    found = check_completeness(
        [screening_closed(SWEEP, SWEEP_2)], [sequence_closed(1)], results=frames([0]), rejected=[]
    )
    assert found.missing == (MissingFrames(sequence_id=SWEEP_2, indices=None),)


def test_an_open_screening_is_never_complete() -> None:
    assert not check_completeness([], [sequence_closed(1)], results=frames([0]), rejected=[]).complete


def test_a_sequence_that_the_screening_does_not_name_does_not_hold_it_up() -> None:
    found = check_completeness(
        [screening_closed(SWEEP)], [sequence_closed(1)], results=frames([0]) + frames([7], SWEEP_2), rejected=[]
    )
    assert found.complete


def test_a_screening_closed_without_sequences_waits_for_none() -> None:
    assert check_completeness([screening_closed()], [], results=frames([0]), rejected=[]).complete


def test_the_highest_closing_number_wins() -> None:
    closings = [sequence_closed(9, closing_number=2), sequence_closed(10, closing_number=1)]
    assert check_completeness([screening_closed(SWEEP)], closings, results=frames(range(9)), rejected=[]).complete


def test_equal_numbers_with_other_content_conflict_until_a_higher_one_comes() -> None:
    closings = [sequence_closed(2), sequence_closed(3)]
    found = check_completeness([screening_closed(SWEEP)], closings, results=frames(range(3)), rejected=[])
    assert not found.complete
    assert found.conflicts == (SWEEP,)
    assert len(found.sequence_closings) == 2
    settled = [*closings, sequence_closed(3, closing_number=2)]
    assert check_completeness([screening_closed(SWEEP)], settled, results=frames(range(3)), rejected=[]).complete


def test_two_screening_closings_of_one_number_conflict() -> None:
    both = [screening_closed(SWEEP), screening_closed(SWEEP, quality_warnings=("no_gel",))]
    found = check_completeness(both, [sequence_closed(1)], results=frames([0]), rejected=[])
    assert found.conflicts == (SCREENING,)
    assert not found.complete


def test_the_same_closing_sent_again_is_no_conflict() -> None:
    again = sequence_closed(1, closed_at=NOON + timedelta(hours=1), operator="op-7")
    assert len(latest([sequence_closed(1), again])) == 1


def test_whole_levels_are_counted_from_the_coarsest() -> None:
    order = upload_order(40)
    for arrived, whole in ((2, 0), (3, 1), (5, 2), (10, 3), (19, 3), (20, 4), (39, 4), (40, 5)):
        found = check_completeness([], [sequence_closed(40)], results=frames(order[:arrived]), rejected=[])
        assert found.levels_whole == {SWEEP: whole}, arrived


def test_a_sequence_of_no_frames_is_whole() -> None:
    assert check_completeness([screening_closed(SWEEP)], [sequence_closed(0)], results=[], rejected=[]).complete


closings_of_any_kind = st.lists(
    st.builds(
        lambda number, count, minutes: sequence_closed(
            count, closing_number=number, closed_at=NOON + timedelta(minutes=minutes)
        ),
        st.integers(1, 3),
        st.integers(0, 4),
        st.integers(0, 2),
    ),
    max_size=6,
)


@given(closings_of_any_kind, st.sets(st.integers(0, 4)), st.data())
def test_neither_order_nor_forgetting_lower_numbers_changes_anything(
    closings: list[SequenceClosed], present: set[int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(closings))
    folded: tuple[SequenceClosed, ...] = ()
    for closing in shuffled:
        folded = latest((*folded, closing))
    results = frames(sorted(present))
    expected = check_completeness([screening_closed(SWEEP)], closings, results=results, rejected=[])
    assert check_completeness([screening_closed(SWEEP)], shuffled, results=results, rejected=[]) == expected
    assert check_completeness([screening_closed(SWEEP)], folded, results=results, rejected=[]) == expected


def test_a_huge_gap_is_listed_in_part_and_counted_whole() -> None:
    found = check_completeness([screening_closed(SWEEP)], [sequence_closed(100_000)], results=frames([1]), rejected=[])
    (gap,) = found.missing
    assert gap.indices is not None
    assert gap.indices[:2] == (0, 2)
    assert len(gap.indices) + gap.more == 99_999
    assert len(gap.model_dump_json()) < 8_000
