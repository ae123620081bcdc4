"""A public set that was imported becomes samples, as the sets that networks are trained with do."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from sonovan.models.evaluation.index import read_folder
from sonovan.models.public_sets.importing import import_set
from tests.models.public_sets.laid_out import drawn, picture, written
from training.samples import load

pytestmark = pytest.mark.training


def test_pictures_of_an_imported_set_become_samples_with_their_masks(tmp_path: Path) -> None:
    for number, label in enumerate(("benign", "malignant", "normal")):
        written(tmp_path / "b" / label / f"{label} ({number}).png", picture(number))
        written(tmp_path / "b" / label / f"{label} ({number})_mask.png", drawn() if number < 2 else drawn() * 0)
    made = load(read_folder(import_set("busi", tmp_path / "b", tmp_path / "data").folder), 128)
    assert [(each.organ, each.malignant, bool(np.any(each.mask))) for each in made] == [
        ("breast", False, True),
        ("breast", True, True),
        ("breast", None, False),
    ]
