"""No precision runs that has not been shown to keep the Dice of float32."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.models import BEGIN, END, PAGE, RESULTS, bars, missed, table, verdict
from sonovan.models.engine.choose import open_runner
from sonovan.models.errors import ProviderNotGiven
from sonovan.models.evaluation.index import SETS, read_rows, spread
from sonovan.models.evaluation.measures import overlap
from sonovan.models.evaluation.pictures import read_gray
from sonovan.models.evaluation.precision import allowed, loss
from sonovan.models.registry import read_registry, read_variants, read_weights
from sonovan.models.segmenter import Segmenter

MEASURED = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_every_allowed_precision_was_measured_on_these_files() -> None:
    again = "other weights since: run make bench-models"
    for entry in read_registry().models:
        if entry.precisions == ("fp32",):
            continue
        assert MEASURED["sha256"].get("fp32") == entry.sha256, again
        assert MEASURED["fingerprint"] == entry.fingerprint, again  # its companions read what a precision rounds
        assert {str(name): one.sha256 for name, one in entry.variants.items()}.items() <= MEASURED["sha256"].items()
        assert MEASURED["pictures"] >= 100
        for precision in set(entry.precisions) - {"fp32"}:
            of_it = {name: cost["lost"] for name, cost in MEASURED["costs"].items() if name.endswith(f"/{precision}")}
            runs = [lost for name, lost in of_it.items() if name not in entry.refused]
            assert runs, precision
            assert all(allowed(lost) for lost in runs), precision


def test_the_page_shows_the_results() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == table(MEASURED).strip()


def test_a_loss_beyond_the_bar_in_one_set_is_not_allowed() -> None:
    exact = {"busi": 0.8, "ddti": 0.7, "all": 0.75, "empty": 0.9}
    assert allowed(loss(exact, {"busi": 0.798, "ddti": 0.71, "all": 0.7501, "empty": 0.88}))
    assert not allowed(loss(exact, {"busi": 0.796, "ddti": 0.71, "all": 0.7501, "empty": 0.9}))
    assert not allowed(loss(exact, {"busi": 0.8, "ddti": 0.7, "all": 0.746, "empty": 0.9}))
    assert not allowed(loss(exact, {"busi": 0.8, "ddti": 0.7, "all": 0.75, "empty": 0.86}))


def test_what_companions_say_has_bars_of_its_own() -> None:
    exact = {"busi": 0.8, "all": 0.8, "assessed": 1.0, "auc": 0.94}
    assert allowed(loss(exact, exact | {"assessed": 0.996, "auc": 0.931}))
    assert not allowed(loss(exact, exact | {"assessed": 0.99}))
    assert not allowed(loss(exact, exact | {"auc": 0.92}))


def test_a_precision_has_a_bar_where_the_processor_has_its_instructions() -> None:
    assert bars(["avx2"]) == {}
    assert bars(["avx2", "avx512_bf16", "avx512_vnni"]) == {"bf16": 1.6, "int8": 2.2}
    assert bars(["avx512_bf16", "amx_bf16", "amx_int8"]) == {"bf16": 2.5, "int8": 2.2}
    slow = {
        "flags": ["avx512_bf16", "avx512_vnni"],
        "allowed": ["fp32", "bf16"],
        "refused": ["cpu/int8"],
        "engines": [
            {"provider": "openvino", "precision": "bf16", "ratio": 1.5},
            {"provider": "openvino", "precision": "int8", "ratio": 2.0},
            {"provider": "cpu", "precision": "int8", "ratio": 9.0},
        ],
    }
    (line,) = missed(slow)
    assert "1.6" in line
    assert missed(slow | {"allowed": ["fp32"]}) == []
    assert len(missed(slow | {"allowed": ["fp32", "bf16", "int8"]})) == 2


def test_a_provider_that_loses_dice_is_refused_where_another_keeps_it() -> None:
    kept, lossy = {"allowed": True}, {"allowed": False}
    costed = {"cpu/fp32": kept, "cpu/int8": lossy, "openvino/int8": kept, "openvino/bf16": lossy}
    assert verdict(costed, ["fp32", "bf16", "fp16"]) == (["fp32", "int8", "fp16"], ["cpu/int8"])
    assert verdict({}, ["fp32", "bf16"]) == (["fp32", "bf16"], [])


@pytest.mark.data
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_an_allowed_precision_gives_the_masks_of_float32_on_real_frames(shared_data: Path, precision: str) -> None:
    entry = read_registry().entry()
    files = {"fp32": read_weights(entry)} | {str(name): data for name, data in read_variants(entry).items()}
    weights = files.get(precision, files["fp32"])
    if precision not in entry.precisions:
        with pytest.raises(ProviderNotGiven):
            open_runner(weights, entry, "openvino", precision)
        return
    exact = Segmenter(entry, open_runner(files["fp32"], entry, "openvino", "fp32"))
    try:
        fast = Segmenter(entry, open_runner(weights, entry, "openvino", precision))
    except ProviderNotGiven as error:
        pytest.skip(str(error))
    agreed = []
    for name, organ in SETS.items():
        for row in spread(read_rows(shared_data, name, "validation"), 6):
            picture = read_gray(row.image)
            masks = [segmenter.segment(picture, organ).labels > 0 for segmenter in (exact, fast)]
            if masks[0].any() or masks[1].any():
                agreed.append(overlap(masks[1], masks[0])[0])
    assert len(agreed) >= 12
    assert np.median(agreed) >= 0.97
