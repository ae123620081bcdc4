"""docs/topics.md and docs/schemas hold what the table says."""

import json
from pathlib import Path

from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.transport.asyncapi import FILE, asyncapi
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
    assert schema["properties"]["schema"] == {"const": "rejected.retried/1.1"}


def test_a_schema_holds_json_schema_alone() -> None:
    assert not [name for name, text in schemas().items() if '"discriminator"' in text]


def test_every_topics_record_has_a_schema() -> None:
    assert schemas().keys() == {f"{spec.value.schema_name}.json" for spec in described_topics()}


def test_what_is_written_is_what_is_generated(tmp_path: Path) -> None:
    write_docs(tmp_path)
    assert (tmp_path / "topics.md").read_text(encoding="utf-8") == topics_page()
    assert (tmp_path / FILE).read_text(encoding="utf-8") == asyncapi()
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "schemas").iterdir()} == schemas()


def test_the_asyncapi_document_is_as_generated() -> None:
    assert (DOCS / FILE).read_text(encoding="utf-8") == asyncapi(), MEND


def test_the_asyncapi_document_has_every_topic_and_all_its_references_lead_somewhere() -> None:
    document = json.loads(asyncapi())
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {row.name for row in TOPICS.values()} | {"van.answered.{van_id}.v1"}
    for reference in references(document):
        if reference.startswith("#/"):
            found = document
            for part in reference[2:].split("/"):
                found = found[part]
            assert found
        else:
            assert (DOCS / reference).is_file()


def test_the_asyncapi_document_says_who_reads_and_writes() -> None:
    operations = json.loads(asyncapi())["operations"]
    assert operations["segment.send.frame.segmented.v1"]["action"] == "send"
    assert operations["consumer.receive.lesion.alerted.v1"]["action"] == "receive"
    assert f"consumer.receive.{Topic.SCREENING_OPENED}" not in operations


def references(node: object) -> list[str]:
    """Every `$ref` in a document."""
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []
