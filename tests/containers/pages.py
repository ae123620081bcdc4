"""The commands of the pages, as somebody types them who reads a section from its top."""

import re
from collections.abc import Sequence

from tests.containers.engine import ROOT


def blocks_of(page: str, section: str) -> Sequence[str]:
    """The blocks of commands of a section, in their order. page: a file of docs. section: its heading."""
    found = re.search(rf"^##+ {re.escape(section)}\n(.*?)(?=^##+ |\Z)", _text(page), re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/{page} has no section {section}"
    return re.findall(r"^```sh\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)


def _text(page: str) -> str:
    return (ROOT / "docs" / page).read_text()
