"""The clinical record as a file."""

import json
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.features import FEATURE_FIELDS, read_features


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
