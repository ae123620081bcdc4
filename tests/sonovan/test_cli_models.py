"""`sonovan models list|verify`."""

import hashlib
import importlib.util
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
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["id"] == MODEL_ID
    assert len(entry["fingerprint"]) == 64
    assert entry["fingerprint"] != entry["sha256"]
    assert f"sha256: {entry['sha256']}\n  fingerprint: {entry['fingerprint']}\n" in told


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


def test_verify_checks_the_files_of_other_precisions_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    folder = write_weights(tmp_path, precisions=("fp32", "int8"), variants=("int8",))
    assert sonovan("verify", "--weights-dir", folder) == 0
    (folder / "tiny-int8.onnx").write_bytes(b"swapped")
    assert sonovan("verify", "--weights-dir", folder) == 5
    told = capsys.readouterr().err
    assert hashlib.sha256(b"swapped").hexdigest() in told
    assert json.loads((folder / "registry.json").read_text())["models"][0]["variants"]["int8"]["sha256"] in told


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is here")
def test_export_without_torch_names_the_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sonovan("export", tmp_path / "epoch_01.pt") == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "make test-training" in told
    assert "training export" in told
