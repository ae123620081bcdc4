"""`sonovan data import`: what is printed, the exit code, and that evaluation reads what was written."""

import json
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from tests.models.public_sets.laid_out import drawn, picture, written
from tests.models.tiny_onnx import write_weights


@pytest.fixture
def busi(tmp_path: Path) -> Path:
    for number, label in enumerate(("benign", "malignant", "normal")):
        written(tmp_path / "b" / label / f"{label} ({number}).png", picture(number))
        written(tmp_path / "b" / label / f"{label} ({number})_mask.png", drawn() if number < 2 else drawn() * 0)
    return tmp_path / "b"


def test_an_imported_set_is_evaluated_under_its_own_name_and_organ(
    busi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    assert run(build(), ["data", "import", "busi", str(busi), "--out", str(tmp_path / "data")]) == 0
    told = capsys.readouterr().out
    assert "3 pictures (1 benign, 1 malignant, 1 normal) in 3 groups" in told
    weights = write_weights(tmp_path / "weights")
    words = ["models", "evaluate", "--data", str(tmp_path / "data" / "busi"), "--weights-dir", str(weights), "--json"]
    assert run(build(), words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["set"], figures["n"], figures["groups"]) == ("busi", 3, 3)


def test_what_is_left_out_is_named_and_ends_the_command_with_3(
    busi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (busi / "benign" / "benign (0)_mask.png").unlink()
    assert run(build(), ["data", "import", "BUS-I", str(busi), "--out", str(tmp_path / "data"), "--json"]) == 3
    told = capsys.readouterr()
    assert "left out: benign/benign (0).png: there is no benign (0)_mask.png beside it (no_mask)" in told.err
    document = json.loads(told.out)
    assert document["rows"] == 2
    assert document["left_out"][0]["reason"] == "no_mask"


def test_a_kind_that_is_not_known_and_a_folder_of_another_layout_are_wrong_usage(
    busi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["data", "import", "camus", str(busi), "--out", str(tmp_path / "data")]) == 2
    assert "busbra" in capsys.readouterr().err
    assert run(build(), ["data", "import", "bus-bra", str(busi), "--out", str(tmp_path / "data")]) == 2
    assert "bus_data.csv" in capsys.readouterr().err
