"""`sonovan evaluate froc`: folders of sweeps whose lesions are known."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.models.evaluation.index import UnusableData
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.sweeps_with_truth import read_scans


def write_scan(folder: Path, seed: int, lesions: int, frames: int = 4) -> None:
    sweep = simulate_sweep("breast", 9, seed, size=(240, 320), lesions=lesions)
    (folder / "frames").mkdir(parents=True)
    (folder / "masks").mkdir()
    middle = range(4 - frames // 2, 4 - frames // 2 + frames)
    for place in middle:
        cv2.imwrite(str(folder / "frames" / f"{place:02d}.png"), sweep.frames[place])
        mask = np.zeros(sweep.frames[place].shape, np.uint8)
        for each in sweep.truth[place]:
            mask[each.mask] = each.lesion + 1
        if mask.any():
            cv2.imwrite(str(folder / "masks" / f"{place:02d}.png"), mask)


def test_lesions_and_false_positives_of_a_folder_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scan(tmp_path / "a", 3, 1)
    write_scan(tmp_path / "b", 4, 0)
    (tmp_path / "no scan").mkdir()
    assert run(build(), ["evaluate", "froc", "--data", str(tmp_path), "--organ", "breast", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["scans"], told["lesions"]) == (2, 1)
    for way in ("single", "sequence"):
        assert {rate: one["sensitivity"] for rate, one in told[way].items()} == {"0.1": 1.0, "0.2": 1.0, "0.5": 1.0}
    assert told["gain"]["0.2"]["gain"] == 0.0


def test_masks_that_miss_what_is_found_make_false_positives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scan(tmp_path / "a", 3, 1)
    for path in (tmp_path / "a" / "masks").iterdir():
        mask = np.zeros_like(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        mask[:8, :8] = 255  # somewhere else than the lesion
        cv2.imwrite(str(path), mask)
    assert run(build(), ["evaluate", "froc", "--data", str(tmp_path), "--organ", "breast", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["lesions"], told["sequence"]["0.5"]["sensitivity"]) == (1, 0.0)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda scan: (scan / "scan.json").write_text("{"), "cannot be read as JSON"),
        (lambda scan: (scan / "scan.json").write_text("{}"), "no organ is known"),
        (lambda scan: cv2.imwrite(str(scan / "masks" / "99.png"), np.zeros((9, 9), np.uint8)), "mask of no frame"),
        (lambda scan: [path.unlink() for path in (scan / "frames").iterdir()], "holds no picture"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    write_scan(tmp_path / "a", 3, 1)
    (tmp_path / "a" / "scan.json").write_text('{"organ": "breast"}')
    spoil(tmp_path / "a")
    with pytest.raises(UnusableData, match=says):
        read_scans(tmp_path)


def test_a_folder_without_scans_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["evaluate", "froc", "--data", str(tmp_path)]) == 2
    assert "each scan is SCAN/frames and SCAN/masks" in capsys.readouterr().err
