"""Two networks on the same frames: the difference of their means, with an interval over screenings."""

import math

from sonovan.clinical.quality.paired import paired


def test_the_difference_is_that_of_the_means_over_all_frames() -> None:
    found = paired([[(0.5, 0.7), (0.5, 0.9)], [(1.0, 1.0)], []])
    assert found is not None
    assert (found.screenings, found.frames) == (2, 3)
    assert math.isclose(found.running, 2 / 3, abs_tol=1e-4)
    assert math.isclose(found.difference, 0.2, abs_tol=1e-4)
    assert paired([[], []]) is None


def test_one_screening_has_no_interval_and_many_alike_have_a_narrow_one_that_leaves_zero_out() -> None:
    alone = paired([[(0.5, 0.6)] * 9])
    assert alone is not None
    assert (alone.low, alone.differs) == (None, False)
    alike = paired([[(0.5, 0.6 + 0.01 * (number % 3))] * 3 for number in range(30)])
    assert alike is not None
    assert alike.low is not None
    assert alike.low > 0.1
    assert alike.differs


def test_frames_of_one_screening_do_not_count_as_if_they_were_of_many() -> None:
    """Two screenings that say opposite things: however many frames each has, nothing is known."""
    found = paired([[(0.5, 0.6)] * 500, [(0.5, 0.4)] * 500])
    assert found is not None
    assert not found.differs
