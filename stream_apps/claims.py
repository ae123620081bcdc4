"""Read what a record claims about itself (its van, its screening, its own id) before anything of it is verified.

Claims are read from any JSON header, even of a schema version that is not known here. So a record that cannot be used
is rejected under its own ids, its van gets a receipt, and it can be run again later under its own key.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.ids import amendment_item, closing_item, features_item, frame_id, opened_item
from sonovan.contracts.record import Id, Index, Number, Sha256, VanId
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.rejecting import Subject

_T = TypeVar("_T")

_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)
_VAN: Final[TypeAdapter[str]] = TypeAdapter(VanId)
_SHA256: Final[TypeAdapter[str]] = TypeAdapter(Sha256)
_INDEX: Final[TypeAdapter[int]] = TypeAdapter(Index)
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Number)


def frame_claims(document: Mapping[str, Any]) -> Subject:
    """The claims of a frame's header; None for each that is absent or malformed. None of them is verified."""
    sequence, index = _said(document, "sequence_id", _ID), _said(document, "frame_index", _INDEX)
    frame = None if sequence is None or index is None else frame_id(sequence, index)
    return Subject(
        van_id=_said(document, "van_id", _VAN),
        screening_id=_said(document, "screening_id", _ID),
        frame_id=frame,
        item_id=frame,
        content_sha256=_said(document, "pixels_sha256", _SHA256),
    )


def control_claims(topic: str, document: Mapping[str, Any], header_sha256: str) -> Subject:
    """The claims of an opening, a closing, a clinical record or an amendment; None for each absent or malformed one.

    header_sha256: the hash by which the van's spool knows a control record. None of the claims is verified.
    """
    name = _ITEMS[Topic(topic)]
    return Subject(
        van_id=_said(document, "van_id", _VAN),
        screening_id=_said(document, "screening_id", _ID),
        item_id=name(document),
        content_sha256=header_sha256,
    )


def _of_screening(spell: Callable[[str], str]) -> Callable[[Mapping[str, Any]], str | None]:
    def name(document: Mapping[str, Any]) -> str | None:
        screening = _said(document, "screening_id", _ID)
        return None if screening is None else spell(screening)

    return name


def _numbered(field: str, counted: str, spell: Callable[[str, int], str]) -> Callable[[Mapping[str, Any]], str | None]:
    def name(document: Mapping[str, Any]) -> str | None:
        about, number = _said(document, field, _ID), _said(document, counted, _NUMBER)
        return None if about is None or number is None else spell(about, number)

    return name


_ITEMS: Final[dict[Topic, Callable[[Mapping[str, Any]], str | None]]] = {
    Topic.SCREENING_OPENED: _of_screening(opened_item),
    Topic.FEATURES_RECORDED: _numbered("screening_id", "features_number", features_item),
    Topic.SCREENING_AMENDED: _numbered("screening_id", "amendment_number", amendment_item),
    Topic.SEQUENCE_CLOSED: _numbered("sequence_id", "closing_number", closing_item),
    Topic.SCREENING_CLOSED: _numbered("screening_id", "closing_number", closing_item),
}


def _said(document: Mapping[str, Any], name: str, kind: TypeAdapter[_T]) -> _T | None:
    try:
        return kind.validate_python(document.get(name), strict=True)
    except ValidationError:
        return None
