"""Many frames' scores and descriptors become one score and one word, or none: decision 0026; clinical.md, BI-RADS:

"A margin is circumscribed only where all of it is well defined: the most suspicious part classifies; round counts as
not parallel."
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.descriptors import over_frames, suspicion
from sonovan.contracts.frames import Descriptor, Region
from sonovan.contracts.lexicon import DESCRIPTORS, Organ
from tests.clinical.records import region


def seen(value: str | None, probability: float = 0.8, name: str = "margin") -> Region:
    return region(descriptors=(Descriptor(name=name, value=value, probability=probability),))


UNRELIABLE = region(outline_unreliable=True)


def word(organ: Organ, name: str, values: list[str | None], unreliable: int = 0) -> str | None:
    (found,) = over_frames(organ, [*(seen(value, name=name) for value in values), *[UNRELIABLE] * unreliable])
    return found.value


@pytest.mark.parametrize(
    ("values", "unreliable", "said"),
    [
        (["not_circumscribed", "not_circumscribed", *["circumscribed"] * 8], 0, "not_circumscribed"),
        (["not_circumscribed", *["circumscribed"] * 8], 0, "circumscribed"),
        (["not_circumscribed"], 0, "not_circumscribed"),
        (["not_circumscribed"], 5, "not_circumscribed"),
        (["spiculated", "indistinct", *["circumscribed"] * 8], 0, "not_circumscribed"),
        (["spiculated", "spiculated", "indistinct", "indistinct", "indistinct"], 0, "spiculated"),
        (["circumscribed"] * 3 + [None] * 2, 0, "circumscribed"),
        (["circumscribed"] * 2 + [None] * 2, 0, None),
        (["circumscribed"] * 3, 3, None),
        (["circumscribed"] * 4, 3, "circumscribed"),
    ],
)
def test_suspicious_margins_hold_on_two_frames_and_benign_ones_on_most_of_all(
    values: list[str | None], unreliable: int, said: str | None
) -> None:
    assert word("breast", "margin", values, unreliable) == said


@pytest.mark.parametrize(
    ("organ", "name", "suspicious", "benign"),
    [
        ("breast", "shape", "irregular", "oval_or_round"),
        ("breast", "orientation", "not_parallel", "parallel"),
        ("breast", "calcifications", "yes", "no"),
        ("breast", "skin_thickening", "yes", "no"),
        ("breast", "echo_pattern", "complex_cystic_and_solid", "anechoic"),
        ("thyroid", "shape", "taller_than_wide", "wider_than_tall"),
        ("thyroid", "margin", "lobulated_or_irregular", "smooth"),
        ("thyroid", "margin", "ill_defined", "smooth"),
        ("thyroid", "echogenicity", "markedly_hypoechoic", "hypoechoic"),
        ("thyroid", "echogenic_foci", "punctate_echogenic_foci", "large_comet_tail"),
        ("thyroid", "calcifications", "microcalcification", "none"),
    ],
)
def test_every_lexicons_suspicious_words_outvote_benign_ones(
    organ: Organ, name: str, suspicious: str, benign: str
) -> None:
    """ACR BI-RADS Atlas, 5th ed.; ACR TI-RADS 2017 (points); C-TIRADS 2020 (+1 each), as clinical.md has them."""
    assert word(organ, name, [suspicious, suspicious, *[benign] * 7]) == suspicious
    assert word(organ, name, [suspicious, *[benign] * 7]) == benign


@pytest.mark.parametrize(
    ("organ", "name", "said"),
    [("thyroid", "composition", "solid"), ("breast", "posterior_features", "shadowing")],
)
def test_what_a_cut_may_show_by_chance_needs_the_majority(organ: Organ, name: str, said: str) -> None:
    assert word(organ, name, [said, said, None, None]) is None
    assert word(organ, name, [said, said, said, None, None]) == said


def test_suspicious_words_are_words_of_their_term() -> None:
    for terms in DESCRIPTORS.values():
        for term in terms.values():
            assert set(term.suspicious) <= set(term.words)


def test_the_probability_is_the_mean_of_the_frames_that_say_the_word() -> None:
    (found,) = over_frames("breast", [seen("circumscribed", 0.9), seen("circumscribed", 0.6), seen(None, 0.1)])
    assert (found.value, found.probability) == ("circumscribed", 0.75)
    (found,) = over_frames("breast", [seen("spiculated", 0.9), seen("indistinct", 0.7), seen("circumscribed", 0.5)])
    assert (found.value, found.probability) == ("not_circumscribed", 0.8)
    (found,) = over_frames("breast", [seen(None, 0.5), seen(None, 0.4), seen("circumscribed", 0.9)])
    assert (found.value, found.probability) == (None, 0.6)


def test_names_keep_the_order_in_which_they_first_come() -> None:
    frames = [seen("oval", name="shape"), seen("no", name="halo"), seen("oval", name="shape")]
    assert [each.name for each in over_frames("breast", frames)] == ["shape", "halo"]


def test_without_a_head_there_is_nothing() -> None:
    assert over_frames("breast", [region(), region()]) == ()
    assert suspicion([region(), region()]) is None


@pytest.mark.parametrize(
    ("scores", "unreliable", "mean", "low", "high"),
    [
        ([0.82, 0.80, 0.78, 0.02, 0.02, 0.02], 0, 0.8, 0.02, 0.82),
        ([0.4, 0.2], 0, 0.3, 0.2, 0.4),
        ([0.31], 4, 0.31, 0.31, 0.31),
    ],
)
def test_a_lesion_is_as_suspicious_as_its_three_most_suspicious_reliable_frames(
    scores: list[float], unreliable: int, mean: float, low: float, high: float
) -> None:
    """clinical.md, BI-RADS: what decides is the highest likelihood of malignancy."""
    found = suspicion([*(region(malignant=each) for each in scores), *[UNRELIABLE] * unreliable])
    assert found == (pytest.approx(mean), (low, high))


def test_unreliable_frames_alone_say_nothing() -> None:
    assert suspicion([UNRELIABLE, UNRELIABLE]) is None
    assert over_frames("breast", [UNRELIABLE]) == ()


def test_a_region_with_an_unreliable_outline_cannot_carry_a_score_or_a_word() -> None:
    for said in ({"malignant": 0.4}, {"descriptors": seen("circumscribed").descriptors}):
        with pytest.raises(ValueError, match="unreliable"):
            region(outline_unreliable=True, **said)


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "circumscribed", "spiculated", "angular"]), st.floats(0, 1)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_the_order_of_frames_does_not_matter(frames: list[tuple[str | None, float]]) -> None:
    regions = [seen(value, probability) for value, probability in frames]
    (one,), (other,) = over_frames("breast", regions), over_frames("breast", regions[::-1])
    assert one == other
    assert 0 <= one.probability <= 1
