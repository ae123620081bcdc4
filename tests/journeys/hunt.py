"""A hunt for what names somebody, through everything that a centre and a van keep."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sonovan.deploy.state import StateFolder

POPPLER: Final = shutil.which("pdftotext")
"""Reads the text of a PDF, which stands packed in the file; without it PDFs are not looked into."""
_EMPTY: Final = (".index", ".timeindex")


def kept_in(state: StateFolder) -> list[tuple[str, Path]]:
    """The folders of a centre in which nobody may be named, each with what it is of."""
    return [("kafka", state.kafka), ("minio", state.minio), ("logs", state.logs)]


def hits(folder: Path, words: Sequence[str]) -> dict[str, list[str]]:
    """Which files below a folder hold or are called which of the words, in whatever case and writing.

    Topics and objects are written without compression, so that their files
    show what stands in them; of a PDF its text is read.
    """
    written = {word: forms(word) for word in words}
    found: dict[str, list[str]] = {word: [] for word in words}
    for path in files_in(folder):
        shown = (path.read_bytes() + path.relative_to(folder).as_posix().encode() + _text_of(path)).lower()
        for word, each in written.items():
            if any(form in shown for form in each):
                found[word].append(str(path.relative_to(folder)))
    return found


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder, without the broker's empty indexes."""
    return (path for path in folder.rglob("*") if path.suffix not in _EMPTY and path.is_file())


def forms(word: str) -> set[bytes]:
    """How a word may stand in bytes, in small letters: as text of several encodings, in JSON, and in an address."""
    small = word.lower()
    encoded = {small.encode(), small.encode("utf-16-le"), small.encode("utf-16-be"), small.encode("gb18030")}
    return encoded | {json.dumps(small)[1:-1].encode(), quote(small).lower().encode()}


def _text_of(path: Path) -> bytes:
    if path.suffix != ".pdf" or POPPLER is None:
        return b""
    return subprocess.run([POPPLER, "-raw", str(path), "-"], capture_output=True, check=True).stdout
