"""On the wire a value has the JSON type of its field: `true` is no number, `3.0` no integer, `"3"` neither of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.depot import ExportedFile, Manifest, read_manifest, seal_manifest
from sonovan.contracts.envelope import open_envelope, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Part, Record
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import TOPICS

CONTRACTS = {spec.value for spec in TOPICS.values()} | {VanAnswered, Manifest}


def models(kinds: set[type[BaseModel]]) -> list[type[BaseModel]]:
    """These and every part that one of their fields may hold, in the order of their names."""
    found, open_ = set[type[BaseModel]](), list(kinds)
    while open_:
        kind = open_.pop()
        if kind not in found:
            found.add(kind)
            open_ += [part for field in kind.model_fields.values() for part in _parts(field.annotation)]
    return sorted(found, key=lambda kind: kind.__name__)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from _parts(each)


class One(Record):
    """A record of one field, which stands for that field of another."""

    schema_name: ClassVar[str] = "one"


def alone(field: FieldInfo) -> type[One]:
    """A record of this field alone, read as every record is."""
    return create_model("Alone", __base__=One, value=(field.rebuild_annotation(), field))


def places(schema: dict[str, Any]) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The alternatives at each place of a field that may hold a single value, and the containers around it."""
    alternatives = schema.get("anyOf", schema.get("oneOf", [schema]))
    plain = [each for each in alternatives if each.get("type") in ("integer", "number", "boolean", "string")]
    if plain:
        yield plain, []
    for each in alternatives:
        if each.get("type") == "array" and isinstance(each.get("items"), dict):
            yield from ((found, [each, *around]) for found, around in places(each["items"]))
        if each.get("type") == "object" and isinstance(inner := _of_map(each), dict):
            yield from ((found, [each, *around]) for found, around in places(inner))


def _of_map(schema: dict[str, Any]) -> Any:
    return next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))


def right(schema: dict[str, Any]) -> Any:
    """A value that this part of a schema takes; None for a text, of which any would do."""
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    match schema.get("type"):
        case "integer":
            return low
        case "number":
            return float(low)
        case "boolean":
            return True
    return None


def wrong(plain: list[dict[str, Any]]) -> Iterator[Any]:
    """Values of other types, each of which pydantic takes for one of these unless it is strict."""
    kinds = {each["type"] for each in plain}
    for schema in plain:
        good = right(schema)
        match schema["type"]:
            case "integer":
                yield from () if "number" in kinds else [float(good)]
                yield from () if "string" in kinds else [str(good)]
                yield True
            case "number":
                yield from () if "string" in kinds else [str(good)]
                yield True
            case "boolean":
                yield from (1, 0, 1.0, "true", "no")
            case "string" if schema.get("format") in ("date-time", "date"):
                yield from (1_772_352_000, 1_772_352_000.0)


def within(value: Any, around: list[dict[str, Any]]) -> Any:
    """The value in its containers, as many times as the innermost ones want at least."""
    for container in reversed(around):
        if container["type"] == "array":
            value = [value] * max(1, container.get("minItems", 1))
        else:
            value = dict.fromkeys(_names(container), value)
    return value


def _names(container: dict[str, Any]) -> list[str]:
    return container.get("propertyNames", {}).get("enum", ["a", "cd" * 32, "frame"])[:1]


def takes(kind: type[One], value: Any) -> bool:
    try:
        kind.decode(json.dumps({"schema": "one/1.0", "value": value}).encode())
    except InvalidRecord:
        return False
    return True


FIELDS = [
    pytest.param(field, id=f"{kind.__name__}.{name}")
    for kind in models(CONTRACTS)
    for name, field in kind.model_fields.items()
]


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_of_another_type_is_refused_wherever_a_number_a_switch_or_a_time_stands(field: FieldInfo) -> None:
    kind = alone(field)
    schema = kind.model_json_schema()["properties"]["value"]
    for plain, around in places(schema):
        for good in (right(each) for each in plain):
            if good is not None:
                assert takes(kind, within(good, around)), f"{good!r} is taken, so that what follows says something"
        for bad in wrong(plain):
            assert not takes(kind, within(bad, around)), f"{bad!r} is taken for {plain}"


def test_fields_are_found_in_parts_and_lists_too() -> None:
    names = {each.id for each in FIELDS}
    assert {"SequenceClosed.closing_number", "Panel.left", "SetAside.discarded", "ExportedFile.size"} <= names
    assert len(FIELDS) > 200


def test_what_is_on_a_disk_is_read_as_strictly() -> None:
    private = generate_key()
    file = ExportedFile(name="ab" * 16, sha256="ab" * 32, size=7, messages=1)
    manifest = Manifest(
        export_id=mint_id(), van_id="van-1", centre_key="ab" * 32, exported_at=datetime.now(UTC), files=(file,)
    )
    header = json.loads(open_envelope(seal_manifest(manifest, private)).header)
    assert read_manifest(seal_header(json.dumps(header).encode(), private)) == manifest
    header["files"][0]["messages"] = True
    with pytest.raises(InvalidRecord) as caught:
        read_manifest(seal_header(json.dumps(header).encode(), private))
    assert caught.value.reason == "export_invalid"
