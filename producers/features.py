"""Read the clinical record of a visit: a JSON file or table of coded fields, checked before anything is sent."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.producers.features_csv import fields_of
from sonovan.producers.sources import refusal

_SET_BY_VAN: Final = {"screening_id", "van_id", "recorded_at", "features_number"}
FEATURE_FIELDS: Final = tuple(sorted(FeaturesRecorded.model_fields.keys() - _SET_BY_VAN))
_MAX_BYTES: Final = 1 << 20


def read_features(path: Path) -> dict[str, Any]:
    """The fields in a JSON file, or in a table that ends in .csv, valid for `FeaturesRecorded`.

    Raises InvalidRecord `features_invalid` (every wrong or unknown field named), `not_found` or `no_permission`.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
        table = path.suffix.lower() == ".csv"
        fields = fields_of(text[:_MAX_BYTES].decode()) if table else json.loads(text[:_MAX_BYTES])
    except FileNotFoundError as error:
        raise refusal("not_found", path, "there is no such file") from error
    except PermissionError as error:
        raise refusal("no_permission", path, "this account may not read it") from error
    except OSError as error:
        raise refusal("features_invalid", path, f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        told = f"it is no table of fields ({error})" if path.suffix.lower() == ".csv" else "it is not JSON"
        raise refusal("features_invalid", path, told) from error
    if not isinstance(fields, dict):
        raise refusal("features_invalid", path, "it is not a JSON object of fields")
    unknown = sorted(map(str, fields.keys() - set(FEATURE_FIELDS)))
    if unknown:
        detail = f"unknown field {', '.join(unknown)} (known: {', '.join(FEATURE_FIELDS)})"
        raise refusal("features_invalid", path, detail)
    try:
        checked = features_recorded(fields, screening_id=mint_id(), van_id="van", recorded_at=datetime.now(UTC))
        if not table:  # in JSON `true` is no number of children; a table has texts alone
            FeaturesRecorded.model_validate_json(json.dumps(checked.model_dump(mode="json") | fields), strict=True)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise refusal("features_invalid", path, wrong) from None
    return fields


def features_recorded(
    fields: Mapping[str, Any], *, screening_id: str, van_id: str, recorded_at: datetime, features_number: int = 1
) -> FeaturesRecorded:
    """The record of these fields. features_number: higher with each correction of a screening's record.

    Raises pydantic's ValidationError, or InvalidRecord for a field the van sets.
    """
    taken = sorted(fields.keys() & _SET_BY_VAN)
    if taken:
        raise InvalidRecord("features_invalid", f"{', '.join(taken)} is set by the van, not by the clinical record")
    own = {"screening_id": screening_id, "van_id": van_id, "recorded_at": recorded_at}
    whole = {**fields, **own, "features_number": features_number}
    return FeaturesRecorded.model_validate(whole)
