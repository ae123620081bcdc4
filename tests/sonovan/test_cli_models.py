"""`sonovan models list|verify`."""

import json
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from tests.models.tiny_onnx import MODEL_ID, write_weights


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    return write_weights(tmp_path)


def sonovan(*words: object) -> int:
    return run(build(), ["models", *map(str, words)])


def test_list_names_every_network(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sonovan("list", "--weights-dir", folder) == 0
    told = capsys.readouterr().out
    assert MODEL_ID in told
    assert "breast, thyroid" in told
    assert sonovan("list", "--weights-dir", folder, "--json") == 0
    assert [entry["id"] for entry in json.loads(capsys.readouterr().out)] == [MODEL_ID]


def test_verify_tells_what_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sonovan("verify", "--weights-dir", folder, "--json") == 0
    (checked,) = json.loads(capsys.readouterr().out)
    assert (checked["id"], checked["usable"], checked["runs"]) == (MODEL_ID, True, "cpu/fp32")


def test_verify_of_a_damaged_file_is_fatal_and_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "tiny.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    assert sonovan("verify", "--weights-dir", folder) == 5
    told = capsys.readouterr()
    assert "sha256" in told.err
    assert told.out == ""


@pytest.mark.parametrize("command", ["list", "verify"])
def test_no_registry_is_fatal_in_one_line(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sonovan(command, "--weights-dir", tmp_path) == 5
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "registry.json" in told
