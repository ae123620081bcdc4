"""`sonovan labels agree`: what is printed and written of a folder of readers."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.cli import build
from sonovan.cli.failures import run


@pytest.fixture
def readers(tmp_path: Path) -> Path:
    lines = ["reader,picture,term,word"]
    for number in range(4):
        for place, reader in enumerate(("op-1", "op-2", "op-3")):
            mask = np.zeros((90, 120), np.uint8)
            if (number, reader) != (2, "op-3"):
                cv2.circle(mask, (50 + place, 40), 20, 255, -1)
            (tmp_path / "r" / reader).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "r" / reader / f"p{number}.png"), mask)
            lines.append(f"{reader},p{number},shape,{'oval' if number % 2 else 'round'}")
    (tmp_path / "r" / "words.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "r"


def test_a_folder_of_readers_is_told_and_its_consensus_written(
    readers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(build(), ["labels", "agree", str(readers), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "look at p2 of op-3: drew nothing (Dice 0.00)" in told
    assert "op-1 and op-2" in told
    document = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    assert document["pictures"] == 4
    assert document["outliers"] == [{"picture": "p2", "reader": "op-3", "reason": "drew_nothing", "dice": 0.0}]
    assert document["words"][0]["all"]["kappa"] == 1
    with (out / "consensus.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == ["p0", "p1", "p2", "p3"]
    mask = cv2.imread(str(out / rows[2]["mask"]), cv2.IMREAD_UNCHANGED)
    assert np.unique(mask).tolist() == [0, 255]
    assert mask[40, 50] == 255
    assert run(build(), ["labels", "agree", str(readers), "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_neither_folder_nor_reviews_or_one_reader_alone_is_wrong_usage(
    readers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["labels", "agree"]) == 2
    assert "--reviews" in capsys.readouterr().err
    assert run(build(), ["labels", "agree", str(readers / "op-1")]) == 2
    assert "at least two readers" in capsys.readouterr().err
