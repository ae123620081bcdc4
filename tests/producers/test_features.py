"""The clinical record as a file."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.clinical_record import LumpPlace, Relative
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.producers.features import FEATURE_FIELDS, features_recorded, read_features


def test_good_fields_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps({"age_years": 44, "sex": "female", "symptoms": ["lump"], "menopause": None}))
    assert read_features(path)["symptoms"] == ["lump"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"age": 44}', "unknown field age"),
        ('{"age_years": 444}', "age_years"),
        ('{"sex": "f", "age_years": -1}', "sex"),
        ('{"screening_id": "x"}', "unknown field screening_id"),
        ('{"symptoms": ["my aunt told me"]}', "symptoms.0"),
        ('{"parity": true}', "parity"),
        ('{"age_years": "47"}', "age_years"),
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_wrong_fields_are_named_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(InvalidRecord) as caught:
        read_features(path)
    assert caught.value.reason == "features_invalid"
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_an_unknown_field_is_told_which_are_known(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"agee": 1}')
    with pytest.raises(InvalidRecord) as caught:
        read_features(tmp_path / "f.json")
    assert all(name in caught.value.message for name in FEATURE_FIELDS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_features(tmp_path / "none.json")
    assert caught.value.reason == "not_found"


TABLE = """field,value
age_years,52
symptoms,lump
symptoms,voice_change
palpable_lump,left
lump_places.1.side,left
lump_places.1.position,10h
lump_places.1.nipple_distance_mm,35
family.1.cancer,breast
family.1.degree,first
family.2.cancer,ovary
family.2.degree,second
family.2.age_years,61
biopsies,none
menopause,
"""


def test_a_table_says_what_the_json_file_says(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(TABLE, encoding="utf-8-sig")
    record = features_recorded(
        read_features(tmp_path / "f.csv"), screening_id=mint_id(), van_id="van", recorded_at=datetime.now(UTC)
    )
    assert (record.age_years, record.symptoms, record.biopsies, record.menopause) == (
        52, ("lump", "voice_change"), (), None
    )  # fmt: skip
    assert record.lump_places == (LumpPlace(side="left", position="10h", nipple_distance_mm=35),)
    assert record.family == (
        Relative(cancer="breast", degree="first"),
        Relative(cancer="ovary", degree="second", age_years=61),
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("age_years,52", "first line"),
        ("field,value\nage_years", "line 2 has 1 columns"),
        ("field,value\nage_years,52\nage_years,53", "age_years is answered twice"),
        ("field,value\nsex.1.x,female", "no `field.number.part`"),
        ("field,value\nfamily,none\nfamily.1.cancer,breast", "family is answered twice"),
        ("field,value\nfamily.1.cancer,my aunt", "family.0.cancer"),
    ],
)
def test_a_wrong_table_is_named_in_one_line(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(table)
    with pytest.raises(InvalidRecord) as caught:
        read_features(tmp_path / "f.csv")
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_lump_has_its_place_on_a_side_that_has_a_lump(tmp_path: Path) -> None:
    fields = {"palpable_lump": "right", "lump_places": [{"side": "left", "position": "2h"}]}
    (tmp_path / "f.json").write_text(json.dumps(fields))
    with pytest.raises(InvalidRecord, match="palpable_lump"):
        read_features(tmp_path / "f.json")
