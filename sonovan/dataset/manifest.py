"""What an export was made of and with, and the sum of every file: the same manifest is the same bytes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.dataset.anonymity import Anonymous

if TYPE_CHECKING:
    from sonovan.dataset.making import Asked

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MADE_WITH: Final = ("sonovan", "imagecodecs", "numpy", "opencv-python", "pyarrow", "simpleitk")


@dataclass(frozen=True)
class Manifest:
    """asked: what the export was asked for, the cut-off `until_ms` among it. files: path → sha256."""

    asked: Mapping[str, Any]
    key_check: str
    made_with: Mapping[str, str]
    counts: Mapping[str, int]
    left_out: Mapping[str, int]
    rungs: Mapping[str, int]
    files: Mapping[str, str]

    def encoded(self) -> str:
        """The text of the file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True) + "\n"


def manifest_of(
    folder: Path,
    asked: "Asked",
    key_check: str,
    counts: Mapping[str, int],
    left_out: Mapping[str, int],
    safe: Anonymous,
) -> Manifest:
    """The manifest of all files that lie in the folder."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    made_with = {name: version(name) for name in MADE_WITH}
    return Manifest(asdict(asked), key_check, made_with, dict(counts), dict(left_out), asdict(safe.rungs), files)


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises InvalidRecord `record_invalid` where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise InvalidRecord("record_invalid", f"{path} is a manifest of another format")
        return Manifest(**document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRecord("record_invalid", f"{path} is no manifest of an export ({type(error).__name__})") from None


def differences(before: Manifest, after: Manifest) -> list[str]:
    """Why two exports are not the same bytes, one sentence each; empty where they are."""
    told = []
    if before.key_check != after.key_check:
        told.append("the key is another one, so every name in it is")
    for name, used in before.made_with.items():
        if after.made_with.get(name) != used:
            told.append(f"it was made with {name} {used}, and now with {after.made_with.get(name)}")
    gone, new = before.files.keys() - after.files.keys(), after.files.keys() - before.files.keys()
    changed = [name for name in before.files.keys() & after.files.keys() if before.files[name] != after.files[name]]
    for what, names in (("gone", gone), ("new", new), ("changed", changed)):
        if names:
            told.append(
                f"{len(names)} files are {what}: {', '.join(sorted(names)[:3])}{' …' if len(names) > 3 else ''}"
            )
    return told
