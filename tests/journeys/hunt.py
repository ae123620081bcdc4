"""A hunt for what names somebody, through everything that a centre and a van keep."""

from collections.abc import Sequence
from pathlib import Path

from sonovan.deploy.state import StateFolder


def kept_in(state: StateFolder) -> list[tuple[str, Path]]:
    """The folders of a centre in which nobody may be named, each with what it is of."""
    return [("kafka", state.kafka), ("minio", state.minio), ("logs", state.logs)]


def hits(folder: Path, words: Sequence[str]) -> dict[str, list[str]]:
    """Which files below a folder hold or are called which of the words; the broker's empty indexes are left out."""
    found: dict[str, list[str]] = {word: [] for word in words}
    for path in folder.rglob("*"):
        if path.suffix in (".index", ".timeindex") or not path.is_file():
            continue
        data = path.read_bytes()
        for word in words:
            if word.encode() in data or word in path.name:
                found[word].append(str(path.relative_to(folder)))
    return found
