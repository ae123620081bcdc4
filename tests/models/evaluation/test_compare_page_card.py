"""Two networks on the same pictures; the page with the worst; the card and the accuracy page."""

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan import models
from sonovan.models.evaluation.card import accuracy_page, card, history_table, table
from sonovan.models.evaluation.compare import compare, difference
from sonovan.models.evaluation.evaluate import write_card, write_page
from sonovan.models.evaluation.foreign import foreign
from sonovan.models.evaluation.index import read_folder
from sonovan.models.evaluation.page import FOUND, TRUTH, draw, page, section
from sonovan.models.evaluation.score import evaluate
from sonovan.models.evaluation.summary import summary
from sonovan.models.evaluation.table import HEADER, cells, shown, with_ci95
from tests.models.evaluation.folders import SIDE, Folder, mask, picture
from tests.models.tiny_onnx import MODEL_ID

LEFT, HALF = (20, 40, 60, 60), (20, 40, 30, 60)


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    folder = Folder(tmp_path / "busi").add("<b>half</b>", [HALF], [LEFT], label="benign", group="a")
    folder.rows[0]["image"], folder.rows[0]["mask"] = "half.png", "half_mask.png"
    cv2.imwrite(str(folder.path / "half.png"), picture(HALF))
    cv2.imwrite(str(folder.path / "half_mask.png"), mask(LEFT))
    folder.add("whole", [LEFT], [LEFT], label="malignant", group="b", device="X|Y")
    return folder.add("false", [LEFT], [], label="normal", group="c").write()


@pytest.fixture
def strict(tiny_weights: Path, tmp_path: Path) -> models.Segmenter:
    """The tiny network with a threshold that nothing reaches."""
    registry = json.loads((tiny_weights / "registry.json").read_text())
    registry["models"][0] |= {"id": "strict-1", "threshold": 0.95}
    (tmp_path / "strict").mkdir()
    (tmp_path / "strict" / "registry.json").write_text(json.dumps(registry))
    (tmp_path / "strict" / "tiny.onnx").write_bytes((tiny_weights / "tiny.onnx").read_bytes())
    return models.load(provider="openvino", precision="fp32", weights_dir=tmp_path / "strict")


def test_a_difference_is_paired_and_signed(tiny: models.Segmenter, strict: models.Segmenter, clinic: Path) -> None:
    rows = read_folder(clinic, organ="breast")
    steps: list[int] = []
    told = difference(tiny, strict, compare(tiny, strict, rows, lambda: steps.append(1)))
    assert len(steps) == told["n"] == 3
    assert (told["a"]["model"], told["b"]["model"]) == (MODEL_ID, "strict-1")
    assert (told["a"]["lesion_dice"], told["b"]["lesion_dice"]) == (0.8333, 0.0)
    gain = told["difference"]
    assert (gain["mean"], gain["better"], gain["worse"]) == (-0.8333, 0, 2)
    assert gain["ci95"] == [-1.0, -0.6667]
    assert told["agreement"] == 0
    assert [each["agreement"] for each in told["disagree"]] == [0, 0, 0]
    assert {each["id"]: each["dice_a"] for each in told["disagree"]}["false"] is None


def test_a_network_agrees_with_itself(tiny: models.Segmenter, clinic: Path) -> None:
    told = difference(tiny, tiny, compare(tiny, tiny, read_folder(clinic, organ="breast")))
    assert told["difference"] == {"mean": 0.0, "ci95": [0.0, 0.0], "better": 0, "worse": 0}
    assert told["agreement"] == 1


def test_the_page_holds_its_pictures_and_escapes_what_the_folder_says(tiny: models.Segmenter, clinic: Path) -> None:
    scores = evaluate(tiny, read_folder(clinic, organ="breast"))
    html = page([section(tiny, scores, summary(tiny, scores, "test"))])
    coded = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert len(coded) == 3
    seen = cv2.imdecode(np.frombuffer(base64.b64decode(coded[0]), np.uint8), cv2.IMREAD_COLOR)
    assert seen.shape == (SIDE, 2 * SIDE, 3)
    assert re.findall(r"<figcaption>(.*?)</figcaption>", html) == [
        "&lt;b&gt;half&lt;/b&gt; · benign · Dice .667",
        "whole · malignant · Dice 1.000",
        "false · normal · nothing to find",
    ]
    assert "<b>half" not in html
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "By device" in html


def test_both_outlines_lie_on_the_right_half_in_their_colours() -> None:
    drawn = draw(picture(), mask(LEFT) > 0, mask(HALF) > 0)
    plain, outlined = drawn[:, :SIDE], drawn[:, SIDE:]
    assert (plain[..., 0] == picture()).all()
    for column, colour in ((79, TRUTH), (49, FOUND)):  # anti-aliased, so a little of the picture shines through
        assert np.abs(outlined[70, column].astype(int) - colour).max() < 60
    assert draw(np.zeros((1000, 500), np.uint8), np.zeros((1000, 500), bool), np.zeros((1000, 500), bool)).shape == (
        480, 480, 3,
    )  # fmt: skip


def test_numbers_are_short() -> None:
    assert [shown(value) for value in (None, 0.5, 1.0, -0.0123, 12.5)] == ["–", ".500", "1.000", "−.012", "12.500"]
    assert with_ci95(0.8, [0.7, 0.9]) == ".800 (.700–.900)"
    assert with_ci95(0.8, None) == ".800"


def test_a_row_has_a_cell_for_every_column(tiny: models.Segmenter, clinic: Path) -> None:
    told = summary(tiny, evaluate(tiny, read_folder(clinic, organ="breast")))
    assert len(cells("busi", told)) == len(HEADER)
    assert cells("busi", told)[:2] == ["busi", "3 (3)"]
    assert ".000 of 1" in cells("busi", told)


@pytest.fixture
def facts(tiny: models.Segmenter, clinic: Path) -> dict[str, object]:
    told = summary(tiny, evaluate(tiny, read_folder(clinic, organ="breast")))
    split = {
        "model": MODEL_ID, "weights_sha256": tiny.weights_sha256, "provider": tiny.provider, "organs": ["breast"],
        "input": 224, "threshold": 0.5, "min_area_px": 4, "sets": {"busi": told}, "simulated": {},
    }  # fmt: skip
    plan = {"seed": 7, "epochs": 3, "batch": 16, "encoder_rate": 1e-4, "decoder_rate": 2e-4, "average": 0.99}
    history = [{"epoch": 1, "loss": 0.9, "validation": {"busi": 0.5, "busi_empty": 0.25}}]
    training = {"plan": plan, "epoch": 3, "history": history, "commands": ["train it"], "notes": ["Mind this."]}
    return {"training": training, "validation": split | {"split": "validation"}, "test": split | {"split": "test"}}


def test_a_card_shows_data_split_seed_epochs_strata_and_failures(facts: dict[str, object]) -> None:
    text = card(facts)
    for told in ("Al-Dhabyani", "sha256", "seed 7, 3 epochs", "train it", "Mind this.", "busi, device", "Limits"):
        assert told in text, told
    assert "`<b>half</b>` .667, `whole` 1.000, `false` –" in text
    assert "| 1 | .900 | .500 | .250 |" in text
    assert "X\\|Y" in text
    assert "Five-fold" not in text
    assert "Five-fold" in card(facts | {"five_fold": facts["test"]["sets"]})  # type: ignore[index]


def test_card_and_page_are_written_from_the_registrys_networks(
    facts: dict[str, object], tiny_weights: Path, tmp_path: Path
) -> None:
    write_page(tiny_weights, tmp_path, tmp_path / "accuracy.md")
    assert MODEL_ID not in (tmp_path / "accuracy.md").read_text()
    write_card(facts, tmp_path)
    assert json.loads((tmp_path / f"{MODEL_ID}.json").read_text()) == facts
    assert (tmp_path / f"{MODEL_ID}.md").read_text() == card(facts)
    write_page(tiny_weights, tmp_path, tmp_path / "accuracy.md")
    assert (tmp_path / "accuracy.md").read_text() == accuracy_page([facts])
    assert f"## {MODEL_ID}" in accuracy_page([facts])
    part = "<!-- outlines: begin -->\n\nof a benchmark\n\n<!-- outlines: end -->"
    (tmp_path / "accuracy.md").write_text(f"old\n{part}\n")
    write_page(tiny_weights, tmp_path, tmp_path / "accuracy.md")
    assert (tmp_path / "accuracy.md").read_text() == accuracy_page([facts]) + f"\n{part}\n"


def test_other_anatomy_has_a_table_where_it_was_measured(
    tiny: models.Segmenter, tmp_path: Path, facts: dict[str, dict[str, object]]
) -> None:
    folder = Folder(tmp_path / "other").add("vein", [LEFT], label="foreign", group="a", anatomy="nerves")
    folder.add("nerve", [], label="foreign", group="b", anatomy="nerves")
    folder.add("fibres", [], label="foreign", group="c", anatomy="muscle")
    told = foreign(tiny, read_folder(folder.write()), "breast")
    assert list(told) == ["all", "nerves", "muscle"]
    assert (told["nerves"]["n"], told["nerves"]["with_region"], told["nerves"]["kept_from"]) == (2, 0.5, 0.5)
    assert (told["all"]["refused"], told["muscle"]["with_region"]) == (0, 0)
    assert "Other anatomy" not in accuracy_page([facts])
    facts["test"] |= {"foreign": {"breast": told}}
    text = accuracy_page([facts])
    assert "| breast | nerves | 2 (2) | .000 (.000–.000) | .500 (.000–1.000) | .500 (.000–1.000) |" in text
    assert "TimTrack" in card(facts)


def test_a_run_that_began_with_weights_shows_what_they_did() -> None:
    history = [{"restored_from": "x.onnx"}, {"epoch": 0, "validation": {"busi": 0.5}}]
    text = history_table([*history, {"epoch": 1, "loss": 0.25, "validation": {"busi": 0.75}}])
    assert text.splitlines()[2:] == ["| 0 | – | .500 |", "| 1 | .250 | .750 |"]


def test_tables_survive_bars_and_absent_history() -> None:
    assert table(["a|b"], [["c|d"]]).splitlines() == ["| a\\|b |", "|---|", "| c\\|d |"]
    assert history_table([]) == "No epoch was recorded."
