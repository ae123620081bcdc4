"""Neither a name nor a number of a person fits into any text that a van writes."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.topics import TOPICS
from sonovan.contracts.van import FrameCaptured, ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.contracts.van_reports import VanReported
from sonovan.contracts.words import (
    MANUFACTURERS,
    NOTES,
    CodecName,
    ModelName,
    ProviderName,
    check_sign,
    maker_of,
    slip_number,
)
from sonovan.models.registry import NAME_PATTERN
from sonovan.producers.sources.reasons import SOURCE_WARNINGS
from tests.attacks.test_records import MOMENT, captured, closing

PERSONS = (
    "Wang.Xiaomei",
    "wang-xiaomei",
    "wang_xiaomei",
    "wangxiaomei",
    "WANGXIAOMEI",
    "Xiaomei",
    "110105199003074523",
    "11010519491231002X",
    "13812345678",
    "19900307",
    "Wang-19900307",
)
GIVEN_WHEN_ENROLLED = ("van_id",)
"""The registrar chooses a van's name, once; a record that names another one is not verified."""

PLANNED = {"organ": "breast", "side": "left", "region": "10h"}
VAN = {"screening_id": mint_id(1), "van_id": "van-1"}
WHOLE: dict[type[Record], dict[str, Any]] = {
    ScreeningOpened: VAN
    | {
        "schema": "screening.opened/1.0",
        "subject_key": "ab" * 32,
        "slip_number": slip_number("A", 17),
        "consent_text": "v2026.2",
        "site_code": "site-1",
        "opened_at": MOMENT.isoformat(),
        "planned": [PLANNED],
        "consent": {"screening": True, "ai": True, "research": False, "sharing": False},
    },
    FrameCaptured: captured(
        480,
        640,
        laterality="left",
        view="radial",
        position="10h",
        acquired_on="2026-03-01",
        manufacturer="ge",
        model="LOGIQ-E9",
    ),
    SequenceClosed: closing(
        laterality="left",
        view="radial",
        position="10h",
        set_aside=[{"frame_index": 0, "frames": 1, "reason": "no_contact", "discarded": True}],
        operator="op-7",
    ),
    ScreeningClosed: VAN
    | {
        "schema": "screening.closed/1.0",
        "closing_number": 1,
        "sequence_ids": [mint_id(2)],
        "quality_warnings": ["sequence_cut_short"],
        "covered": [PLANNED],
        "excused": [PLANNED | {"because": "declined"}],
        "left_at": MOMENT.isoformat(),
        "closed_at": MOMENT.isoformat(),
    },
    ScreeningAmended: VAN
    | {
        "schema": "screening.amended/1.0",
        "amendment_number": 1,
        "amendment": {"kind": "woman", "subject_key": "ab" * 32, "slip_number": slip_number("A", 17)},
        "because": "two_slips",
        "by": "op-7",
        "amended_at": MOMENT.isoformat(),
    },
    FeaturesRecorded: VAN
    | {
        "schema": "features.recorded/1.0",
        "features_number": 1,
        "recorded_at": MOMENT.isoformat(),
        "sex": "female",
        "symptoms": ["lump"],
        "palpable_lump": "left",
        "nipple_discharge": "left",
        "lump_places": [{"side": "left", "position": "10h"}],
        "discharge": ["bloody"],
        "skin_or_nipple_change": "left",
        "hormones": ["contraceptive"],
        "biopsies": [{"organ": "breast", "side": "left", "result": "benign"}],
        "family": [{"cancer": "breast", "degree": "first"}],
        "brca": "not_tested",
        "earlier_cancer": [{"cancer": "thyroid", "side": "left"}],
        "neck_radiation": "none",
        "menopause": "pre",
    },
    VanReported: {
        "schema": "van.reported/1.0",
        "van_id": "van-1",
        "reported_at": MOMENT.isoformat(),
        **dict.fromkeys(("waiting", "waiting_bytes", "held", "rejected", "unfinished", "disk_free_bytes"), 1),
        "version": "0.2.0",
        "python": "3.11.7",
    },
}
KINDS = [pytest.param(kind, id=kind.__name__) for kind in WHOLE]


def texts(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a document holds a text."""
    if isinstance(value, str):
        yield place
    for name, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from texts(each, (*place, name))


def with_text(document: dict[str, Any], place: tuple[Any, ...], text: str) -> dict[str, Any]:
    changed = deepcopy(document)
    inside: Any = changed
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = text
    return changed


def test_every_record_of_vans_is_tried() -> None:
    assert set(WHOLE) == {row.value for row in TOPICS.values() if row.signed}


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_the_record_is_tried(kind: type[Record]) -> None:
    """A field that is left out, or is null, would be tried by nobody."""
    written = json.loads(kind.from_document(WHOLE[kind]).encode())
    may_hold_text = {
        name
        for name, schema in kind.model_json_schema()["properties"].items()
        if '"string"' in json.dumps(schema) or "$ref" in json.dumps(schema)
    }
    tried = {place[0] for place in texts(written)}
    assert may_hold_text - tried <= {"panels", "consent"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("person", PERSONS)
def test_no_text_of_a_van_takes_a_person(kind: type[Record], person: str) -> None:
    for place in texts(WHOLE[kind]):
        if place[-1] in ("schema", *GIVEN_WHEN_ENROLLED):
            continue
        try:
            record = kind.from_document(with_text(WHOLE[kind], place, person))
        except InvalidRecord:
            continue
        assert person.lower() not in record.encode().decode().lower(), place


@pytest.mark.parametrize("person", PERSONS)
@pytest.mark.parametrize("name", [ModelName, CodecName, ProviderName])
def test_no_name_of_a_network_a_codec_or_a_runtime_takes_a_person(name: Any, person: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(name).validate_python(person)


@pytest.mark.parametrize("name", ["lite2-unet-3", "lite2-unet-3-prompt", "lesions-1", "sam-x0a1b2c3d", "tiny-heads-1"])
def test_a_network_has_a_short_name_with_a_number_in_the_registry_as_in_results(name: str) -> None:
    assert TypeAdapter(ModelName).validate_python(name) == name
    assert re.fullmatch(NAME_PATTERN, name)
    assert f"^none$|{NAME_PATTERN}" in json.dumps(TypeAdapter(ModelName).json_schema())


def test_a_slip_number_with_one_wrong_sign_is_refused() -> None:
    right = slip_number("A", 1234567)
    assert right[:-1] == "A1234567"
    assert right[-1] == check_sign("A1234567")
    for place in range(1, len(right)):
        for sign in "0123456789":
            if sign == right[place]:
                continue
            with pytest.raises(InvalidRecord):
                ScreeningOpened.from_document(
                    WHOLE[ScreeningOpened] | {"slip_number": right[:place] + sign + right[place + 1 :]}
                )


@pytest.mark.parametrize(("series", "number"), [("", 1), ("ABC", 1), ("a", 1), ("A", 10_000_000), ("A", -1)])
def test_a_slip_number_has_a_series_and_at_most_seven_digits(series: str, number: int) -> None:
    with pytest.raises(ValueError, match=r"pattern|substring"):
        slip_number(series, number)


def test_check_signs_are_those_of_the_standard() -> None:
    assert check_sign("A12425GABC1234002") == "M"  # the example that the Global Release Identifier's handbook prints


def test_a_word_that_is_not_known_here_is_read_as_none_in_particular() -> None:
    closed = ScreeningClosed.from_document(WHOLE[ScreeningClosed] | {"quality_warnings": ["of_a_newer_van"]})
    assert closed.quality_warnings == ("unnamed",)


def test_every_warning_of_a_van_is_known_to_the_contract() -> None:
    assert set(SOURCE_WARNINGS) <= NOTES | {"dicomdir"}


@pytest.mark.parametrize(
    ("text", "maker"),
    [("GE Healthcare", "ge"), ("SAMSUNG MEDISON CO., LTD.", "samsung"), ("Wang Xiaomei", "other"), ("", None)],
)
def test_a_maker_is_one_of_a_list(text: str, maker: str | None) -> None:
    assert maker_of(text) == maker
    assert all(maker_of(each.upper()) == each for each in MANUFACTURERS)
