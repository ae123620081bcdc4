"""One lexicon: its codes are the standards', and the networks and the clinical record speak its words."""

from typing import get_args

import pytest
from pydicom.sr import _concepts_dict as dicom  # the dictionaries of PS3.16; `codedict` shows them by keyword alone

from sonovan.contracts import lexicon
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.lexicon import CLINICAL, DESCRIPTORS, TERMS, Code, Organ, sides_of
from sonovan.models.heads.lesions import ORIENTATION, WORDS
from sonovan.stream_apps.segment.step import term_name

CODES = sorted({code for term in TERMS for code in (term.code, *term.codes.values()) if code is not None}, key=repr)


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.scheme}-{code.value}")
def test_every_code_is_the_standards_with_its_meaning(code: Code) -> None:
    known = {meanings[code.value][0] for meanings in dicom.concepts[code.scheme].values() if code.value in meanings}
    assert code.meaning in known


def test_a_code_has_one_meaning() -> None:
    assert len({code.value for code in CODES}) == len(CODES)


def test_codes_and_merged_words_are_of_the_terms_own_words() -> None:
    for term in TERMS:
        assert set(term.codes) <= set(term.words), term.name
        assert {word for merged, words in term.covers.items() for word in (merged, *words)} <= set(term.words)
        assert len(set(term.words)) == len(term.words)


@pytest.mark.parametrize("organ", get_args(Organ))
def test_all_that_the_heads_can_give_is_in_the_lexicon(organ: Organ) -> None:
    heads = {**WORDS[organ], "orientation": ORIENTATION[organ]}
    for name, words in heads.items():
        term = DESCRIPTORS[organ][term_name(organ, name)]
        assert set(words) <= set(term.words), f"{organ} {name}"


def test_the_coded_fields_of_the_clinical_record_are_the_lexicons() -> None:
    whole = FeaturesRecorded.model_json_schema()
    parts = [whole, *(whole["$defs"][name] for name in ("LumpPlace", "Relative", "PastCancer", "PastBiopsy"))]
    schema = {name: field for part in reversed(parts) for name, field in part["properties"].items()}
    for term in CLINICAL:
        field = str(schema[term.name])
        assert all(f"'{word}'" in field for word in term.words), term.name
    spoken = {name for name, field in schema.items() if "'enum'" in str(field)}
    assert spoken - {"side", "position", "organ"} == {term.name for term in CLINICAL}


def test_an_organs_sides_are_those_that_have_a_place() -> None:
    for organ in get_args(Organ):
        (term,) = (each for each in lexicon.PLACES if each.name == "side" and each.organ == organ)
        assert term.words == sides_of(organ)
