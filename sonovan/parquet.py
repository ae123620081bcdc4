"""What a query gave as a Parquet file, which pandas, DuckDB and Spark read."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonovan.contracts.errors import InvalidRecord, Transient

if TYPE_CHECKING:
    from sonovan.storage.catalogue.asking import Answer


def write_parquet(answer: "Answer", path: Path) -> None:
    """Write the rows with their columns' names; times as UTC timestamps, JSON as text.

    Raises InvalidRecord `query_refused` where two columns have one name or one column holds several kinds of values,
    Transient where the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(set(answer.columns)) < len(answer.columns):
        raise InvalidRecord("query_refused", "two columns have the same name: give them others with AS")
    columns = list(zip(*answer.rows, strict=True)) if answer.rows else [()] * len(answer.columns)
    arrays = []
    for name, values in zip(answer.columns, columns, strict=True):
        try:
            arrays.append(pa.array([_value(name, each) for each in values]))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            raise InvalidRecord("query_refused", f"column {name} holds several kinds of values: CAST it") from None
    try:
        pq.write_table(pa.table(dict(zip(answer.columns, arrays, strict=True))), path)
    except OSError as error:
        raise Transient(f"cannot write {path}: {error.strerror or error}; make room or name another file") from error


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str) and name.endswith(("_at", "as_of")):  # SQLite has no type for times
        return datetime.fromisoformat(value)
    return value
