"""Folders that another user may enter."""

from pathlib import Path


def open_to_others(tmp_path: Path) -> None:
    """Let every user enter a test's folder: it and those above it that pytest made, however many these are."""
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" not in str(folder):
            break
        folder.chmod(0o755)
