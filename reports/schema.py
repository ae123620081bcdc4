"""The report's JSON Schema, written from its model: `python -m sonovan.reports.schema docs/schemas/report.json`."""

import json
import sys
from pathlib import Path

from sonovan.reports.document import ScreeningReport


def report_schema() -> str:
    """The schema of `ScreeningReport` as it is written, indented JSON with a closing newline."""
    schema = ScreeningReport.model_json_schema(mode="serialization")
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(report_schema(), encoding="utf-8")
