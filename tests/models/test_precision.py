"""No precision runs that has not been shown to give the same masks."""

import json
from pathlib import Path

import pytest

import models
from benchmarks.engines import BAR, RESULTS, agreement, masks_of, read_pictures
from models.engine.choose import open_runner
from models.engine.runtimes import openvino
from models.errors import ProviderNotGiven
from models.registry import read_registry, read_weights


def test_every_allowed_precision_was_measured_on_these_weights() -> None:
    entry = read_registry().entry()
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    again = "other weights since: run python -m benchmarks.engines --data DIR"
    assert measured["weights_sha256"] == entry.sha256, again
    assert measured["pictures"] >= 100
    dice = {row["name"]: row["dice_mean"] for row in measured["engines"]}
    for precision in entry.precisions:
        assert [value for name, value in dice.items() if name.endswith("/" + precision) and value >= BAR], precision


@pytest.mark.data
def test_bfloat16_gives_the_masks_of_float32_on_real_frames(shared_data: Path) -> None:
    if "BF16" not in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has no bfloat16")
    entry = read_registry().entry()
    if "bf16" not in entry.precisions:  # measured below the bar: then nobody gets it
        with pytest.raises(ProviderNotGiven):
            models.load(provider="openvino", precision="bf16")
        return
    weights, pictures = read_weights(entry), read_pictures(shared_data)
    exact, fast = (
        masks_of(entry, open_runner(weights, entry, "openvino", precision), pictures) for precision in ("fp32", "bf16")
    )
    assert len(pictures) >= 100
    agreed = agreement(fast, exact)
    assert agreed["pictures_with_mask"] >= 50
    assert agreed["dice_mean"] >= BAR
