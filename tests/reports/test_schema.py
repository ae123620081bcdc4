"""docs/schemas as another program reads them: by a validator that is not this project's."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from sonovan.contracts.results import IntendedUse
from sonovan.contracts.words import slip_number
from sonovan.reports.document import Visit, report_document
from tests.clinical.records import assessed, finding, screening_closed, segmented, sequence_closed
from tests.reports.test_recorded import LUMP
from tests.reports.test_report import full

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_schema_is_one_of_the_draft_that_it_names(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("use", get_args(IntendedUse))
def test_a_report_fits_the_published_schema(use: IntendedUse) -> None:
    visit = Visit(LUMP, slip_number("A", 17), frozenset({"slip_number", "age", "examined_on"}))
    document = report_document(full(), intended_use=use, visit=visit)
    assert list(validator("report").iter_errors(json.loads(json.dumps(document)))) == []


@pytest.mark.parametrize(
    "damage", [{"signed": True}, {"revision_number": 0}, {"status": "done"}, {"surname": "Li"}, {"notices": None}]
)
def test_what_is_no_report_does_not_fit(damage: dict[str, Any]) -> None:
    document = report_document(full(), intended_use="research")
    assert list(validator("report").iter_errors(json.loads(json.dumps({**document, **damage}))))


@pytest.mark.parametrize(
    "record",
    [assessed(findings=(finding(1, malignant=0.4),)), segmented(0), sequence_closed(4), screening_closed()],
    ids=lambda record: record.schema_name,
)
def test_a_record_fits_its_schema_as_it_travels(record: Any) -> None:
    document = json.loads(record.encode())
    assert list(validator(record.schema_name).iter_errors(document)) == []
    assert list(validator(record.schema_name).iter_errors({**document, "schema": "another/1.0"}))
