"""The page of views and tables is what the code says, and names every column that somebody would ask about."""

from pathlib import Path

from sonovan.storage.catalogue.columns import META
from sonovan.storage.catalogue.docs import page
from sonovan.storage.catalogue.views import FOR_READERS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "catalogue.md"


def test_the_page_is_generated_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_table_and_every_view_for_readers_stands_there() -> None:
    told = page()
    assert [name for name in META.tables if f"### {name}\n" not in told] == []
    assert [name for name in FOR_READERS if f"| `{name}` |" not in told] == []
