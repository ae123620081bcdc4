"""`sonovan models evaluate|compare`: what is printed, written and refused."""

import json
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.models.evaluation.index import split_of
from tests.models.evaluation.folders import Folder
from tests.models.tiny_onnx import MODEL_ID, write_weights

LEFT, HALF = (20, 40, 60, 60), (20, 40, 30, 60)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    return write_weights(tmp_path / "weights")


def clinic(path: Path, **cells: str) -> Folder:
    folder = Folder(path)
    for number in range(12):
        folder.add(f"p{number}", [LEFT if number % 2 else HALF], [LEFT], label="benign", group=f"g{number}", **cells)
    return folder


def sonovan(weights: Path, *words: object) -> int:
    return run(build(), ["models", *map(str, words), "--weights-dir", str(weights)])


def test_json_is_one_document_with_the_promised_keys(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clinic(tmp_path / "clinic").write()
    assert sonovan(weights, "evaluate", "--data", path, "--organ", "breast", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n"], told["groups"], told["model"], told["provider"]) == (12, 12, MODEL_ID, "cpu/fp32")
    assert told["lesion_dice"]["mean"] == pytest.approx(5 / 6, abs=1e-4)
    assert set(told["lesion_dice"]) == {"mean", "ci95", "median"}


def test_a_split_takes_the_folders_own_name(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clinic(tmp_path / "clinic").write()
    assert sonovan(weights, "evaluate", "--data", path, "--organ", "breast", "--split", "train", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["n"] == sum(split_of("clinic", f"g{number}") == "train" for number in range(12)) < 12
    assert told["split"] == "train"


def test_the_organ_may_stand_in_a_column(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clinic(tmp_path / "clinic", organ="breast").write()
    assert sonovan(weights, "evaluate", "--data", path, "--limit", "3", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["organ"], told["n"]) == ("breast", 3)


def test_a_folder_of_sets_gives_a_row_and_an_object_per_set(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic(tmp_path / "data" / "clinic", organ="breast").write()
    clinic(tmp_path / "data" / "busi").write()
    assert sonovan(weights, "evaluate", "--data", tmp_path / "data", "--json") == 0
    seen = capsys.readouterr()
    assert [(one["set"], one["organ"]) for one in json.loads(seen.out)] == [("busi", "breast"), ("clinic", "breast")]
    assert seen.err.splitlines() == ["busi: 12 pictures", "clinic: 12 pictures"]
    assert sonovan(weights, "evaluate", "--data", tmp_path / "data") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("│")[1].strip() for line in lines if "│" in line] == ["busi", "clinic"]
    assert f"{MODEL_ID} " in lines[-1]


def test_out_leaves_a_page_and_the_json(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = clinic(tmp_path / "clinic").write(), tmp_path / "out"
    assert sonovan(weights, "evaluate", "--data", path, "--organ", "breast", "--out", out, "--json") == 0
    assert json.loads((out / "evaluation.json").read_text()) == json.loads(capsys.readouterr().out)
    assert (out / "index.html").read_text().count("<figure>") == 12


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    seen = capsys.readouterr()
    assert seen.out == ""
    (line,) = seen.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: folder.add("p3"), "two rows have the id p3"),
        (lambda folder: (folder.path / "p5_mask.png").unlink(), "row p5 names the mask"),
        (lambda folder: (folder.path / "p5.png").unlink(), "row p5 names the image"),
        (lambda folder: folder.add("q", group="g1", split="test").add("r", group="g1", split="train"), "group g1"),
    ],
    ids=["doubled id", "absent mask", "absent image", "group in two splits"],
)
def test_a_folder_that_contradicts_itself_ends_with_2_and_one_line(
    weights: Path, tmp_path: Path, spoil, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = clinic(tmp_path / "clinic")
    spoil(folder)
    assert sonovan(weights, "evaluate", "--data", folder.write(), "--organ", "breast") == 2
    assert told in refused(capsys)


def test_without_an_organ_it_ends_with_2_and_says_how_to_name_it(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clinic(tmp_path / "busi").write()  # alone, even a known name says nothing
    assert sonovan(weights, "evaluate", "--data", path) == 2
    assert "say --organ breast" in refused(capsys)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--organ", "liver"], "knows breast, thyroid, not the organ 'liver'"),
        (["--organ", "breast", "--model", "nobody"], f"no network is called nobody; the registry names: {MODEL_ID}"),
        (["--organ", "breast", "--split", "dev"], "'dev' is not one of"),
        (["--organ", "breast", "--limit", "0"], "--limit"),
    ],
)
def test_wrong_words_end_with_2(
    weights: Path, tmp_path: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clinic(tmp_path / "clinic").write()
    assert sonovan(weights, "evaluate", "--data", path, *words) == 2
    assert told in refused(capsys)


def test_no_folder_ends_with_2(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sonovan(weights, "evaluate", "--data", tmp_path / "absent", "--organ", "breast") == 2
    assert "index.csv" in refused(capsys)


def test_damaged_weights_are_fatal(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (weights / "tiny.onnx").write_bytes(b"other")
    path = clinic(tmp_path / "clinic").write()
    assert sonovan(weights, "evaluate", "--data", path, "--organ", "breast") == 5
    assert "sha256" in refused(capsys)


def test_compare_tells_the_difference_and_where_they_disagree(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = json.loads((weights / "registry.json").read_text())
    registry["models"].append(registry["models"][0] | {"id": "strict-1", "threshold": 0.95})
    (weights / "registry.json").write_text(json.dumps(registry))
    path = clinic(tmp_path / "clinic").write()
    words = ("compare", "strict-1", MODEL_ID, "--data", path, "--organ", "breast")
    assert sonovan(weights, *words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"]["mean"] == pytest.approx(5 / 6, abs=1e-4)
    assert told["difference"]["better"] == len(told["disagree"]) == 12
    assert sonovan(weights, *words) == 0
    shown = capsys.readouterr().out
    assert ".833 (" in shown
    assert "clinic: least alike p0 (alike .000" in shown
    assert sonovan(weights, "compare", "nobody", MODEL_ID, "--data", path, "--organ", "breast") == 2


def test_the_shipped_network_on_a_handful_of_real_pictures(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    words = ["models", "evaluate", "--data", str(shared_data), "--split", "train", "--limit", "3", "--json"]
    assert run(build(), words) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert [one["set"] for one in told] == ["busi", "busbra", "breast", "ddti", "gland"]
    assert "other: foreign anatomy, no organ is declared: left out" in shown.err
    assert all(one["lesion_dice"]["mean"] > 0.3 for one in told[:4])
    assert told[4]["lesion_dice"] is None
