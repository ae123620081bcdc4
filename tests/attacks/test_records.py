"""No field of any record is without a bound, and what a field may hold breaks nothing further on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.envelope import seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MAX_FRAME_PIXELS, MAX_SET_ASIDE
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import FrameCaptured, Panel, SequenceClosed, VanEnrolled, lie_apart
from sonovan.contracts.words import NOTES
from sonovan.stream_apps.assess.received import receive
from sonovan.stream_apps.rejecting import Coordinates, Unusable, reject
from sonovan.stream_apps.stage import Message
from sonovan.stream_apps.vans import VanRegistry

RECORDS = sorted({spec.value for spec in TOPICS.values()} | {VanAnswered}, key=lambda kind: kind.schema_name)
MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def without_bound(schema: dict[str, Any], place: str) -> Iterator[str]:
    """Where a JSON schema says of nothing how long, how many or how large it may be."""
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for number, part in enumerate(schema.get(name, ())):
            yield from without_bound(part, f"{place}.{name}{number}")
    for name, part in schema.get("properties", {}).items():
        yield from without_bound(part, f"{place}.{name}")
    match schema.get("type"):
        case "string":
            endless = "pattern" not in schema or any(sign in schema["pattern"] for sign in ("*", "+$", "+)", ",}"))
            known = {"const", "enum", "format", "maxLength"} & schema.keys()
            if endless and not known:
                yield f"{place}: a string of any length"
        case "array":
            if "maxItems" not in schema:
                yield f"{place}: a list of any length"
            if isinstance(schema.get("items"), dict):
                yield from without_bound(schema["items"], f"{place}[]")
        case "object":
            others = schema.get("additionalProperties", True)
            if others is not False and "maxProperties" not in schema:
                yield f"{place}: a map of any length"
            if isinstance(others, dict):
                yield from without_bound(others, f"{place}{{}}")
        case "integer":
            if not {"const", "enum"} & schema.keys():
                low = {"minimum", "exclusiveMinimum"} & schema.keys()
                high = {"maximum", "exclusiveMaximum"} & schema.keys()
                if not (low and high):
                    yield f"{place}: a number of any length"


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.schema_name)
def test_every_field_of_every_record_has_a_bound(kind: type[Record]) -> None:
    schema = kind.model_json_schema()
    found = list(without_bound(schema, kind.schema_name))
    for name, part in schema.get("$defs", {}).items():
        found += without_bound(part, name)
    assert found == []


def test_the_search_for_fields_without_a_bound_finds_them() -> None:
    endless = {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}, "c": {"type": "object"}}
    schema = {"type": "object", "properties": endless, "additionalProperties": False}
    assert len(list(without_bound(schema, "x"))) == 4


def closing(**fields: object) -> dict[str, object]:
    return {
        "schema": "sequence.closed/1.0",
        "screening_id": mint_id(1),
        "sequence_id": mint_id(2),
        "van_id": "van-1",
        "closing_number": 1,
        "frame_count": 3,
        "frames_digest": "ab" * 32,
        "organ": "breast",
        "closed_at": MOMENT.isoformat(),
    } | fields


@pytest.mark.parametrize(
    ("enrolled", "reason"), [(False, "van_unknown"), (True, "record_invalid")], ids=["nobody", "its van"]
)
@pytest.mark.parametrize("number", [10**70, 2**31, 0, -1, 1.5, 1.0, True, "1"])
def test_a_closing_number_that_no_receipt_can_name_is_rejected_and_stops_nothing(
    number: object, enrolled: bool, reason: str
) -> None:
    """Nobody need have signed it: it was enough to end `assess` for everybody, again after every restart.

    Signed by its van, it comes to a receipt, which names the item by that number, unless it is refused as a claim.
    """
    private, registry = generate_key(), VanRegistry()
    if enrolled:
        registry.learn(VanEnrolled.first("van-1", public_key(private), MOMENT - timedelta(days=1)))
    document = closing(closing_number=number)
    value = seal_header(json.dumps(document).encode(), private)
    at = Coordinates(Topic.SEQUENCE_CLOSED, 0, 7, MOMENT)
    with pytest.raises(InvalidRecord) as caught:
        receive(Message(at, str(document["screening_id"]).encode(), value), registry.verify)
    assert isinstance(caught.value, Unusable)
    assert caught.value.subject.item_id is None, "it is no name of an item, whoever signed it"
    rejection = reject("assess", caught.value, at, value)
    assert (rejection.record.reason, rejection.record.verified, rejection.receipt) == (reason, enrolled, None)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", 10**18])
def test_a_time_that_a_time_zone_cannot_hold_is_refused(moment: object) -> None:
    with pytest.raises(InvalidRecord) as caught:
        SequenceClosed.from_document(closing(closed_at=moment))
    assert caught.value.reason == "record_invalid"


def captured(rows: int, columns: int, *boxes: tuple[int, int, int, int], **fields: object) -> dict[str, object]:
    panels = [
        {"ordinal": number, "left": left, "top": top, "width": width, "height": height}
        for number, (left, top, width, height) in enumerate(boxes or ((0, 0, columns, rows),))
    ]
    return {
        "schema": "frame.captured/1.0",
        "screening_id": mint_id(1),
        "sequence_id": mint_id(2),
        "frame_index": 0,
        "van_id": "van-1",
        "organ": "breast",
        "consent": {"screening": True, "ai": True},
        "captured_at": MOMENT.isoformat(),
        "rows": rows,
        "columns": columns,
        "channels": 1,
        "bits": 8,
        "codec": "jpegls",
        "pixels_sha256": "ab" * 32,
        "panels": panels,
    } | fields


def test_a_frame_has_at_most_16_megapixels() -> None:
    assert FrameCaptured.from_document(captured(4096, 4096)).rows * 4096 == MAX_FRAME_PIXELS
    with pytest.raises(InvalidRecord, match="pixels"):
        FrameCaptured.from_document(captured(4096, 4097))


OVERLAPPING = {
    "sixteen equal panels": [(0, 0, 640, 480)] * 16,
    "two that share a column": [(0, 0, 321, 480), (320, 0, 320, 480)],
    "one within another": [(0, 0, 640, 480), (10, 10, 200, 200)],
    "a cross": [(0, 200, 640, 80), (280, 0, 80, 480)],
}


@pytest.mark.parametrize("name", OVERLAPPING)
def test_panels_that_overlap_are_refused(name: str) -> None:
    with pytest.raises(InvalidRecord, match="overlap"):
        FrameCaptured.from_document(captured(480, 640, *OVERLAPPING[name]))


def test_panels_side_by_side_are_taken() -> None:
    boxes = [(0, 0, 320, 480), (320, 0, 320, 240), (320, 240, 320, 240)]
    frame = FrameCaptured.from_document(captured(480, 640, *boxes))
    assert lie_apart(frame.panels)
    assert sum(panel.width * panel.height for panel in frame.panels) == 480 * 640


def test_frames_set_aside_are_listed_in_runs_that_fit_a_header() -> None:
    longest = [
        {"frame_index": 200 * number, "frames": 100, "reason": max(NOTES, key=len), "discarded": False}
        for number in range(MAX_SET_ASIDE)
    ]
    whole = SequenceClosed.from_document(closing(frame_count=100_000, set_aside=longest))
    seal_header(whole.encode(), generate_key())
    for wrong in ([*longest, longest[0]], longest[:2][::-1], [{**longest[0], "frames": 100_000, "frame_index": 1}]):
        with pytest.raises(InvalidRecord):
            SequenceClosed.from_document(closing(frame_count=100_000, set_aside=wrong))


def test_the_panel_of_a_far_away_corner_is_refused_without_arithmetic() -> None:
    with pytest.raises(ValueError, match="less than or equal"):
        Panel(ordinal=0, left=10**40, top=0, width=1, height=1)


def test_a_clock_may_be_an_hour_off_but_not_a_century() -> None:
    SequenceClosed.from_document(closing(closed_at=(MOMENT + timedelta(hours=1)).isoformat()))
    with pytest.raises(InvalidRecord):
        SequenceClosed.from_document(closing(closed_at="2260-01-01T00:00:00Z"))
