"""`sonovan models import` where it cannot do its work; where it can: tests/training/test_sam_import.py."""

import sys
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run


def test_without_the_training_environment_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # the import system's way to have no such package
    monkeypatch.delitem(sys.modules, "training.sam_import", raising=False)
    assert run(build(), ["models", "import", "sam", "sam_vit_b.pth", "--out", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "is not installed here" in told.err
    assert "python -m training.sam_import sam_vit_b.pth" in told.err
    assert len(told.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_it_never_writes_into_the_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SONOVAN_MODELS_WEIGHTS_DIR", raising=False)
    assert run(build(), ["models", "import", "sam", "sam_vit_b.pth"]) == 2
    assert "name a weights folder with --out" in capsys.readouterr().err
