"""What every record shares: frozen, valid once constructed, JSON on the wire, tolerant of newer minors."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_FRAMES, MAX_VALUE_BYTES

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""An Ed25519 signature, 64 bytes in hex."""
Fingerprint = Sha256
"""Names the network in results: its files, companions and settings together."""
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,63}$")]
"""A code, never free text: no spaces, so that no name or sentence slips in."""
VanId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
FrameId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/[0-9]{6}$")
]
"""`{sequence_id}/{frame_index:06d}`, see `sonovan.contracts.ids.frame_id`."""
ItemId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}(/[a-z0-9]{1,64}){1,2}$")]
"""What a van's spool and a receipt call a record: a frame's id, or an id, what was said of it and which one."""
ObjectKey = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=512)
]
"""The name of a stored object within its bucket, see `sonovan.storage.keys`."""
Index = Annotated[int, Field(ge=0, lt=MAX_FRAMES)]
"""The index of a frame within its sequence."""
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""What counts upward from 1: a closing, a revision."""
Offset = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Where a message stands in its partition."""
Pixel = Annotated[int, Field(ge=-(2**16), le=2**16)]
"""A column, a row or a length in pixels."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1990, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""A time that every clock, time zone and library can hold."""


def _whole(value: object) -> object:
    if type(value) is not int:
        raise ValueError("it is not a whole number")
    return value


Channels = Annotated[Literal[1, 3], BeforeValidator(_whole)]
"""Samples of a pixel: grey, or red, green and blue. pydantic takes 1.0 for a literal 1, in strict mode too."""
Bits = Annotated[Literal[8, 16], BeforeValidator(_whole)]
"""Of a sample."""
Day = date
"""A day without a time or a zone, as a file gives it."""


class Part(BaseModel):
    """A value inside a record."""

    # Inputs stay out of error messages: an unforeseen one goes into a service log with its traceback.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), hide_input_in_errors=True
    )


class Record(Part):
    """A value that travels on a topic of its own.

    `schema_name` and `schema_version` ("major.minor") go with it on the wire. A new optional field is a new
    minor; anything else a new major, which an older consumer refuses as `schema_from_future`.
    """

    schema_name: ClassVar[str]
    schema_version: ClassVar[str] = "1.0"

    def encode(self) -> bytes:
        """This record as UTF-8 JSON with its schema; the same record gives the same bytes."""
        fields = self.model_dump(mode="json")
        document = {"schema": f"{self.schema_name}/{self.schema_version}", **fields}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The record that `data` holds; fields of newer minors are dropped.

        A value is of the JSON type of its field: `true` is no number, `3.0` no integer, `"3"` neither, and a number no
        time. Whole numbers may stand where a fraction may.
        Raises InvalidRecord `schema_from_future` for a newer major, `record_invalid` for everything else.
        """
        cls._check_schema(_document(data))
        return cls._from_json(data)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The record in a JSON object that is parsed already; as `decode` otherwise."""
        cls._check_schema(document)
        return cls._from_json(json.dumps(document).encode())

    @classmethod
    def _check_schema(cls, document: Mapping[str, Any]) -> None:
        name, _, version = str(document.get("schema", "")).partition("/")
        if name != cls.schema_name:
            raise InvalidRecord("record_invalid", f"expected a {cls.schema_name} record, found {name or 'none'}")
        _check_major(name, version, cls.schema_version)

    @classmethod
    def _from_json(cls, data: bytes) -> Self:
        try:
            # From JSON: given Python objects, pydantic's strict mode takes no list for a tuple and no text for a time.
            return cls.model_validate_json(data, strict=True, extra="ignore")
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "record"
            raise InvalidRecord("record_invalid", f"{cls.schema_name}: {place}: {first['msg']}") from None


def header_document(header: bytes) -> dict[str, Any]:
    """The JSON object in a van's header, parsed once for its claims and its record. Its length is checked already.

    Nothing in it may be read in two ways: no key twice in an object, no NaN or infinity, which JSON does not have.
    Depth is bounded by the parser's own limit of about a thousand.
    Raises InvalidRecord `record_invalid` for what is not such an object.
    """
    try:
        document = json.loads(header, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidRecord("record_invalid", "the record is not JSON, or says one thing twice") from None
    if not isinstance(document, dict):
        raise InvalidRecord("record_invalid", "the record is not a JSON object")
    return document


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key stands twice")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _document(data: bytes) -> dict[str, Any]:
    if data is not None and len(data) > MAX_VALUE_BYTES:
        raise InvalidRecord("record_too_large", f"a record has {len(data)} bytes, at most {MAX_VALUE_BYTES} are read")
    try:
        document = json.loads(data)
    except (ValueError, TypeError, RecursionError):  # TypeError: a message without a value
        raise InvalidRecord("record_invalid", "the record is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRecord("record_invalid", "the record is not a JSON object")
    return document


def _check_major(name: str, version: str, known: str) -> None:
    try:
        major = int(version.split(".")[0])
    except ValueError:
        raise InvalidRecord("record_invalid", f"{name}: schema version {version!r} is not a number") from None
    if major > int(known.split(".")[0]):
        raise InvalidRecord("schema_from_future", f"{name}: schema {version} is newer than {known}, known here")
