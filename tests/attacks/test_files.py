"""Somebody else on the machine reads no file that a command writes, wherever it is told to write."""

import os
import subprocess
import sys
from pathlib import Path


def test_what_a_command_writes_is_its_owners_alone_whatever_the_shell_says(tmp_path: Path) -> None:
    """The folder is open to everybody, and so were the files in it: only the state folder itself was closed."""
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    subprocess.run(
        [sys.executable, "-m", "sonovan", "van", "simulate", "--frames", "2", "--out", str(out)],
        check=True, capture_output=True, timeout=300, umask=0o000, env=os.environ | {"SONOVAN_STATE": str(tmp_path)},
    )  # fmt: skip
    written = list(out.rglob("*"))
    assert any(path.is_file() for path in written)
    assert [path for path in written if path.stat().st_mode & 0o077] == []
