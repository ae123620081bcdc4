"""Older versions of the project beside this one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@contextmanager
def older(reference: str, folder: Path) -> Iterator[Path]:
    """A work tree of this commit with its own environment, removed afterwards."""
    tree = folder / "older"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), reference], cwd=ROOT, check=True)
    try:
        subprocess.run(["make", "--silent", ".venv/.ready"], cwd=tree, check=True)
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
