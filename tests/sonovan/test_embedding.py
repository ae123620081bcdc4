"""The programs of docs/embedding.md run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/embedding.md"


def test_the_live_loop_of_the_page_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "device.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "device.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PAGE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 20
    assert [line for line in lines if " complete " in line] == [lines[9], lines[19]]
