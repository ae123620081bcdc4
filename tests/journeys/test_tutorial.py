"""docs/tutorial.md is typed as it stands: its commands, in its order, against real services."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from sonovan.centre import down

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(600)]

WITHIN_S: Final = 240.0
"""On two idle cores it takes about a minute; the bound is for machines that do something else beside."""
PAGE: Final = Path(__file__).resolve().parents[2] / "docs/tutorial.md"
COMMANDS: Final = 10
ANYTHING: Final = "…"


@dataclass(frozen=True)
class Step:
    """One command of the page, and the lines that the page says it prints: in this order, others may be between."""

    command: str
    promised: tuple[str, ...]


def steps(page: str) -> list[Step]:
    """The commands of the page's `console` blocks."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        typed, *printed = block.splitlines()
        assert typed.startswith("$ "), block
        found.append(Step(typed.removeprefix("$ "), tuple(printed)))
    return found


def missing(promised: tuple[str, ...], printed: str) -> list[str]:
    """The promised lines that do not follow one another in what was printed."""
    lines, absent = iter(printed.splitlines()), []
    for line in promised:
        # Columns are wider or narrower from run to run, so that a space stands for any number of them.
        parts = (r"\s+".join(map(re.escape, part.split(" "))) for part in line.split(ANYTHING))
        pattern = re.compile(".*".join(parts))
        if not any(pattern.fullmatch(each.rstrip()) for each in lines):
            absent.append(line)
    return absent


@pytest.fixture
def reader(service_tools: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who reads the page: PATH, the state folder and the van's passphrase."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    try:
        own = {"PATH": path, "SONOVAN_STATE": str(tmp_path / "state"), "SONOVAN_VAN_PASSPHRASE": "words of a test"}
        yield bare | own
    finally:
        down(tmp_path / "state")


def test_the_tutorial_is_as_the_commands_are(reader: dict[str, str], tmp_path: Path) -> None:
    typed = steps(PAGE.read_text())
    assert len(typed) == COMMANDS
    began = time.monotonic()
    for step in typed:
        ran = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path,
            env=reader,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"$ {step.command}\n{ran.stdout}"
        assert missing(step.promised, ran.stdout) == [], f"$ {step.command}\n{ran.stdout}"
    assert time.monotonic() - began < WITHIN_S
    page = (tmp_path / "report/report.html").read_text()
    assert "UNSIGNED – NOT A RESULT" in page
    assert "data:image/png;base64," in page, "no finding is shown with its key frame"
    assert "withheld" in page
    assert '"signed": false' in (tmp_path / "report/report.json").read_text()
    assert list((tmp_path / "report/masks").glob("*.png"))
    assert list((tmp_path / "report/overlays").glob("*.png"))


def test_a_promise_that_is_not_kept_is_found() -> None:
    printed = "kafka  12  running\nup after 30 s in /tmp/x"
    assert missing(("kafka … running", "up after … s in …"), printed) == []
    assert missing(("up after … s in …", "kafka … running"), printed) == ["kafka … running"]
    assert missing(("kafka … dead",), printed) == ["kafka … dead"]
