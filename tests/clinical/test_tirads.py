"""ACR TI-RADS and C-TIRADS against the tables of their papers."""

from itertools import product

import pytest

from sonovan.clinical.c_tirads import c_tirads
from sonovan.clinical.said import Said, said_of
from sonovan.clinical.tirads import POINTS, acr_tirads
from sonovan.contracts.frames import Descriptor
from tests.clinical.records import finding

TABLE = {
    "composition": {"cystic": 0, "spongiform": 0, "mixed": 1, "solid": 2},
    "echogenicity": {"anechoic": 0, "hyperechoic": 1, "isoechoic": 1, "hypoechoic": 2, "very_hypoechoic": 3},
    "shape": {"wider_than_tall": 0, "taller_than_wide": 3},
    "margin": {"smooth": 0, "ill_defined": 0, "lobulated": 2, "irregular": 2, "extrathyroidal_extension": 3},
    "echogenic_foci": {
        "none": 0, "large_comet_tail": 0, "macrocalcifications": 1, "peripheral_calcifications": 2,
        "punctate_echogenic_foci": 3,
    },
}  # fmt: skip
"""Tessler et al. (2017), figure 1."""
BENIGN = {
    "composition": "solid", "echogenicity": "isoechoic", "shape": "wider_than_tall", "margin": "smooth",
    "echogenic_foci": "none",
}  # fmt: skip

BOTH_FOCI = ("punctate_echogenic_foci", "macrocalcifications")


def read(**words: str | tuple[str, ...]) -> dict[str, Said]:
    return {term: Said((word,) if isinstance(word, str) else word, "reader") for term, word in words.items()}


def seen(**words: str) -> dict[str, Said]:
    return {term: Said((word,), "software") for term, word in words.items()}


@pytest.mark.parametrize(("term", "word"), [(term, word) for term, words in TABLE.items() for word in words])
def test_every_word_has_the_points_of_the_table(term: str, word: str) -> None:
    assert POINTS[term][word] == TABLE[term][word]


@pytest.mark.parametrize(
    ("words", "total", "value"),
    [
        ({"composition": "mixed", "echogenicity": "anechoic"}, 1, "TR2"),
        ({"composition": "mixed"}, 2, "TR2"),
        ({}, 3, "TR3"),
        ({"echogenicity": "hypoechoic"}, 4, "TR4"),
        ({"echogenicity": "very_hypoechoic", "echogenic_foci": "macrocalcifications"}, 6, "TR4"),
        ({"echogenicity": "hypoechoic", "shape": "taller_than_wide"}, 7, "TR5"),
        ({"margin": "extrathyroidal_extension", "echogenic_foci": BOTH_FOCI}, 10, "TR5"),
    ],
)  # fmt: skip
def test_points_add_up_to_the_level(words: dict[str, str | tuple[str, ...]], total: int, value: str) -> None:
    found = acr_tirads(read(**{**BENIGN, **words}))
    assert found is not None
    assert (found.total, found.value, found.at_least, found.not_read) == (total, value, False, ())
    assert sum(each.points for each in found.points) == total


def test_a_total_of_one_is_flagged() -> None:
    found = acr_tirads(read(**{**BENIGN, "composition": "mixed", "echogenicity": "anechoic"}))
    assert found is not None
    assert [each.code for each in found.because] == ["total_of_one_not_defined"]


@pytest.mark.parametrize("composition", ["cystic", "spongiform"])
def test_a_cystic_or_spongiform_nodule_has_no_further_points_and_tr1_is_not_derived(composition: str) -> None:
    worst = {"echogenicity": "very_hypoechoic", "shape": "taller_than_wide", "margin": "irregular"}
    assert acr_tirads(read(composition=composition, **worst)) is None


def test_what_is_not_determined_adds_nothing_and_is_named() -> None:
    found = acr_tirads(seen(composition="solid", echogenicity="hyper_or_isoechoic", shape="wider_than_tall"))
    assert found is not None
    assert (found.value, found.total, found.at_least) == ("TR3", 3, True)
    assert found.not_read == ("margin", "echogenic_foci")


def test_the_defaults_of_the_undeterminable_belong_to_a_reader() -> None:
    vague = {"composition": "undeterminable", "echogenicity": "undeterminable", "margin": "undeterminable"}
    by_reader = acr_tirads(read(**{**BENIGN, **vague}))
    assert by_reader is not None
    assert (by_reader.value, by_reader.total, by_reader.at_least) == ("TR3", 3, False)
    assert acr_tirads(seen(**vague)) is None


def test_a_word_for_several_counts_as_the_least_of_them_and_its_term_as_not_read() -> None:
    found = acr_tirads(seen(composition="cystic_or_mixed", echogenicity="hypoechoic"))
    assert found is not None
    assert (found.value, found.total) == ("TR2", 2)
    assert "composition" in found.not_read
    assert [each.code for each in found.because] == ["composition_may_end_the_count"]


def test_no_words_at_all_make_tr1() -> None:
    for words in product(*(POINTS[term] for term in POINTS)):
        for by in (read, seen):
            found = acr_tirads(by(**dict(zip(POINTS, words, strict=True))))
            assert found is None or found.value != "TR1"
    assert acr_tirads({}) is None


def test_a_readers_word_comes_before_that_of_software() -> None:
    nodule = finding(
        organ="thyroid",
        descriptors=(
            Descriptor(name="composition", value="solid", probability=0.8),
            Descriptor(name="echogenicity", value=None, probability=0.4),
        ),
    )
    said = said_of(nodule, {"composition": ("mixed",), "echogenic_foci": ("macrocalcifications",)})
    assert said == read(composition="mixed", echogenic_foci="macrocalcifications")


SUSPICIOUS = {
    "composition": "solid", "echogenicity": "markedly_hypoechoic", "shape": "taller_than_wide", "margin": "irregular",
    "echogenic_foci": "punctate_echogenic_foci",
}  # fmt: skip
HARMLESS = {
    "composition": "mixed", "echogenicity": "isoechoic", "shape": "wider_than_tall", "margin": "smooth",
    "echogenic_foci": "none",
}  # fmt: skip


@pytest.mark.parametrize(("points", "value"), [(0, "3"), (1, "4A"), (2, "4B"), (3, "4C"), (4, "4C"), (5, "5")])
def test_c_tirads_counts_suspicious_features(points: int, value: str) -> None:
    terms = list(SUSPICIOUS)[:points]
    found = c_tirads(read(**{term: (SUSPICIOUS if term in terms else HARMLESS)[term] for term in SUSPICIOUS}))
    assert found is not None
    assert (found.total, found.value, found.at_least) == (points, value, False)


def test_c_tirads_takes_one_for_a_comet_tail() -> None:
    found = c_tirads(read(**{**HARMLESS, "echogenic_foci": "large_comet_tail"}))
    assert found is not None
    assert (found.total, found.value) == (-1, "2")


def test_c_tirads_of_what_was_not_read_is_at_least_and_never_harmless() -> None:
    found = c_tirads(seen(composition="solid", echogenicity="markedly_hypoechoic"))
    assert found is not None
    assert (found.value, found.at_least, found.not_read) == (
        "4B", True, ("shape", "margin", "calcifications", "echogenic_foci")
    )  # fmt: skip
    assert c_tirads(seen(composition="cystic_or_mixed", shape="wider_than_tall")) is None
    assert c_tirads({}) is None


def test_foci_that_a_reader_entered_stand_in_place_of_what_software_read() -> None:
    software = seen(composition="solid", calcifications="none")
    found = c_tirads(software | read(echogenic_foci="punctate_echogenic_foci"))
    assert found is not None
    assert (found.total, [each.word for each in found.points]) == (2, ["solid", "punctate_echogenic_foci"])
    overruled = c_tirads(seen(composition="solid", calcifications="microcalcification") | read(echogenic_foci="none"))
    assert overruled is not None
    assert overruled.total == 1
    twice = c_tirads(read(calcifications="microcalcification", echogenic_foci="punctate_echogenic_foci"))
    assert twice is not None
    assert twice.total == 1
