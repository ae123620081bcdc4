"""`sonovan models calibrate`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sonovan.cli.models import app
from sonovan.contracts.errors import InvalidRecord


def table(folder: Path, *lines: str) -> Path:
    path = folder / "outcomes.csv"
    path.write_text("\n".join(("malignant,outcome", *lines)), encoding="utf-8")
    return path


def test_the_setting_is_printed_with_its_interval_and_what_stands_behind_it(tmp_path: Path) -> None:
    path = table(tmp_path, *["0.5,benign"] * 45, *["0.5,malignant"] * 5)
    found = CliRunner().invoke(app, ["calibrate", str(path)])
    assert found.stdout.startswith("SONOVAN_PROGRAMME_CALIBRATION_SHIFT=-2.197")
    assert "50 outcomes, 5 malignant" in found.stdout
    told = json.loads(CliRunner().invoke(app, ["calibrate", str(path), "--json"]).stdout)
    assert (told["shift"], told["outcomes"]) == (-2.197, 50)


@pytest.mark.parametrize("line", ["0.5,unsure", "high,benign", "1.5,benign"])
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str) -> None:
    found = CliRunner().invoke(app, ["calibrate", str(table(tmp_path, "0.5,benign", line))])
    assert isinstance(found.exception, InvalidRecord)
    assert "line 3" in found.exception.message
