"""Many frames' descriptors become one word, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.descriptors import over_frames, suspicion
from sonovan.contracts.frames import Descriptor, Region
from tests.clinical.records import region


def seen(value: str | None, probability: float, score: float = 0.8, name: str = "margin") -> Region:
    return region(score_mean=score, descriptors=(Descriptor(name=name, value=value, probability=probability),))


def test_frames_that_agree_give_their_value_with_the_weighted_mean_of_its_probability() -> None:
    (found,) = over_frames([seen("circumscribed", 0.9, score=0.9), seen("circumscribed", 0.6, score=0.3)])
    assert (found.value, found.probability) == ("circumscribed", 0.825)


def test_the_value_with_most_votes_wins_where_it_has_the_majority() -> None:
    (found,) = over_frames([seen("circumscribed", 0.7), seen("not_circumscribed", 0.9), seen("not_circumscribed", 0.7)])
    assert (found.value, found.probability) == ("not_circumscribed", 0.8)


def test_without_a_majority_it_is_not_determined() -> None:
    frames = [seen(None, 0.5), seen(None, 0.5), seen("circumscribed", 0.8)]
    (found,) = over_frames(frames)
    assert (found.value, found.probability) == (None, 0.6)


def test_names_keep_the_order_in_which_they_first_come() -> None:
    frames = [seen("oval", 0.9, name="shape"), seen("no", 0.9, name="halo"), seen("oval", 0.8, name="shape")]
    assert [each.name for each in over_frames(frames)] == ["shape", "halo"]


def test_without_a_head_there_is_nothing() -> None:
    assert over_frames([region(), region()]) == ()
    assert suspicion([region(), region()]) is None


def test_suspicion_is_the_mean_weighted_by_score_over_frames_that_have_one() -> None:
    frames = [region(score_mean=0.9, malignant=0.8), region(score_mean=0.3, malignant=0.4), region(score_mean=1.0)]
    assert suspicion(frames) == 0.7


def test_frames_without_weight_count_alike() -> None:
    assert suspicion([region(score_mean=0.0, malignant=0.2), region(score_mean=0.0, malignant=0.4)]) == pytest.approx(
        0.3
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "a", "b", "c"]), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12
    )
)
def test_the_order_of_frames_does_not_matter(frames: list[tuple[str | None, float, float]]) -> None:
    regions = [seen(value, probability, score) for value, probability, score in frames]
    (one,), (other,) = over_frames(regions), over_frames(regions[::-1])
    assert one == other
    assert 0 <= one.probability <= 1
