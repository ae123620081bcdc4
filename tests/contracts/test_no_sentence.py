"""No sentence travels: a text in a record is a code, an id, a key or one of a few words."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from sonovan.contracts.record import Record
from sonovan.contracts.topics import TOPICS
from sonovan.contracts.van import VanEnrolled

SENTENCES = ("She says that it hurts.", "Wang Xiaomei", "two words", "", "line\nbreak", "囊性")
RECORDS = sorted(
    {spec.value for spec in TOPICS.values()} | set(Record.__subclasses__()), key=lambda each: each.__name__
)
RECORDS = [kind for kind in RECORDS if kind.__module__.startswith("sonovan.contracts")]


def texts(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place of a JSON Schema where any text may stand, with what limits it; names of mappings too."""
    if isinstance(schema, list):
        for number, each in enumerate(schema):
            yield from texts(each, f"{place}[{number}]")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
        yield place, schema
    if schema.get("type") == "object" and "properties" not in schema:
        yield f"{place} (names)", {"pattern": next(iter(schema.get("patternProperties", {})), None)}
    for name, each in schema.items():
        if name != "default":
            yield from texts(each, f"{place}.{name}")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_no_field_of_a_record_can_hold_a_sentence(record: type[BaseModel]) -> None:
    found = list(texts(record.model_json_schema(), record.__name__))
    assert found, "a record without any text is not read rightly"
    for place, limits in found:
        if limits.get("format") in ("date-time", "date"):
            continue
        pattern = limits.get("pattern")
        assert pattern, f"{place}: any text fits"
        for sentence in SENTENCES:
            assert re.search(pattern, sentence) is None, f"{place} takes {sentence!r}"


def test_the_walk_finds_a_text_that_nothing_limits() -> None:
    class Loose(VanEnrolled):
        remark: str | None = None
        notes: dict[str, int] | None = None

    free = [place for place, limits in texts(Loose.model_json_schema(), "Loose") if not (limits.keys() & {"format"})]
    assert any("remark" in place for place in free)
    assert any("notes" in place for place in free)
