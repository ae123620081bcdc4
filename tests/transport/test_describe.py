"""docs/topics.md and docs/schemas hold what the table says."""

import json
from pathlib import Path

from sonovan.contracts.answers import RejectedRetried
from sonovan.transport.describe import described_topics, schemas, topics_page, write_docs

DOCS = Path(__file__).resolve().parents[2] / "docs"
MEND = "run: sonovan topics describe --out docs"


def test_the_page_is_as_generated() -> None:
    assert (DOCS / "topics.md").read_text(encoding="utf-8") == topics_page(), MEND


def test_the_schemas_are_as_generated() -> None:
    for name, text in schemas().items():
        assert (DOCS / "schemas" / name).read_text(encoding="utf-8") == text, MEND


def test_a_schema_knows_every_field_on_the_wire() -> None:
    record = RejectedRetried(rejection_id="0" * 64, retried_at="2026-01-01T00:00:00Z")  # type: ignore[arg-type]
    schema = json.loads(schemas()["rejected.retried.json"])
    assert json.loads(record.encode()).keys() == schema["properties"].keys()
    assert schema["properties"]["schema"] == {"const": "rejected.retried/1.0"}


def test_every_topics_record_has_a_schema() -> None:
    assert schemas().keys() == {f"{spec.value.schema_name}.json" for spec in described_topics()}


def test_what_is_written_is_what_is_generated(tmp_path: Path) -> None:
    write_docs(tmp_path)
    assert (tmp_path / "topics.md").read_text(encoding="utf-8") == topics_page()
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "schemas").iterdir()} == schemas()
