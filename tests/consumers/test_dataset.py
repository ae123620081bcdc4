"""An exported data set in the hands of others: pandas and pycocotools read it without anything of this project."""

import subprocess
from pathlib import Path

import pytest

from tests.sonovan.dataset.scene import Programme, ellipse

OTHERS = Path(__file__).resolve().parents[2] / ".venv-consumers" / "bin" / "python"
"""Read as a file, without services: this test is here for its environment."""

READ = """
import sys, json, pathlib
import numpy, pandas
from pycocotools.coco import COCO
folder = pathlib.Path(sys.argv[1])
pictures, visits = (pandas.read_parquet(folder / f"{name}.parquet") for name in ("pictures", "visits"))
index = pandas.read_csv(folder / "index.csv")
assert set(pictures.woman) == set(visits.woman)
assert set(index.id) == set(pictures.id[pictures.mask_by == "readers"])
assert pictures.groupby("woman").split.nunique().max() == 1
assert pictures.machine_dice.notna().sum() == 3
coco = COCO(folder / "coco.json")
assert len(coco.imgs) == len(pictures)
names = {name.removesuffix(".png"): number for number, name in ((i["id"], i["file_name"]) for i in coco.imgs.values())}
for row in pictures.itertuples():
    masks = [coco.annToMask(each) for each in coco.imgToAnns[names[row.id]]]
    assert bool(masks) == isinstance(row.mask, str), row
    for mask, told in zip(masks, coco.imgToAnns[names[row.id]]):
        assert mask.shape == (row.rows, row.columns) and mask.sum() == told["area"] > 0
print("read", len(pictures), len(coco.anns))
"""


def test_pandas_and_pycocotools_read_an_export(tmp_path: Path) -> None:
    if not OTHERS.is_file():
        pytest.skip("needs .venv-consumers: make test-consumers")
    programme = Programme(tmp_path)
    for woman in range(6):
        programme.screen(woman)
    for screening in programme.screenings[:3]:
        programme.draw(screening, "op-7", [ellipse(), ellipse() * 0])
    done = programme.exported(tmp_path / "set")
    told = subprocess.run([OTHERS, "-c", READ, done.folder], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1] == "read 12 6"
