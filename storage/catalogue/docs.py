"""The page of the catalogue's views and tables, written from the code: `python -m sonovan.storage.catalogue.docs
FILE`."""

import sys
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Table

from sonovan.storage.catalogue.columns import DAY, JSON, META, MOMENT, PLACE
from sonovan.storage.catalogue.tables import WRITTEN, rule_of
from sonovan.storage.catalogue.views import FOR_READERS, VIEWS

_PAGE: Final = """# The catalogue's views and tables

Generated from `storage/catalogue/` by `make docs`; a test keeps it equal. Do not edit. [data.md](data.md) says how to
ask.

## Views

Whoever reads may ask these; the texts of their queries stand in `storage/catalogue/views.py`.

| view | what it is |
|---|---|
{views}

## Tables

Filled from topics, but for the last ones. Which of two messages of one key stays: the first one, the newest one, or
that with the highest number. Rows of topics that forget are taken over when the catalogue is made again. Each such
table also has `at_ms`, `at_partition` and `at_offset`: when the broker appended the message, and where it stands in its
topic.

{tables}
"""


def page() -> str:
    """The page as Markdown."""
    views = "\n".join(f"| `{name}` | {VIEWS[name][0]} |" for name in FOR_READERS)
    others = [table for table in META.sorted_tables if table not in WRITTEN]
    tables = "\n\n".join(map(_section, (*WRITTEN, *others)))
    return _PAGE.format(views=views, tables=tables)


def _section(table: Table) -> str:
    columns = [each for each in table.columns if each.name not in PLACE]
    rows = "\n".join(f"| `{each.name}` | {_kind(each)} | {each.doc or ''} |" for each in columns)
    heading = "| column | kind | what it is |\n|---|---|---|"
    return f"### {table.name}\n\n{table.info['doc']}{_source(table)}\n\n{heading}\n{rows}"


def _source(table: Table) -> str:
    if table not in WRITTEN:
        return ""
    rule = rule_of(table)
    stays = f"the highest `{rule.number}`" if rule.number else f"the {rule.keep} one"
    return f" From `{rule.topic}`; {stays} stays{'; the topic forgets' if rule.expires else ''}."


def _kind(column: Column[object]) -> str:
    named = {id(JSON): "JSON", id(MOMENT): "time", id(DAY): "day"}
    kind = named.get(id(column.type), type(column.type).__name__.lower())
    return f"{kind}, key" if column.primary_key else kind if column.nullable else f"{kind}, never NULL"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
