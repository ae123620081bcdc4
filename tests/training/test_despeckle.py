"""Despeckling as layers: equal to the reference in torch and as ONNX; the truncated loss; a training that resumes."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

import json
from pathlib import Path

import cv2
import onnxruntime

from sonovan.models.despeckle.diffusion import Diffusion, diffuse
from sonovan.models.despeckle.learned import FILE, learned
from sonovan.models.despeckle.simulated import Speckle, clean_picture, speckled
from sonovan.models.registry import WEIGHTS_DIR
from training.despeckle.diffusion import DiffusionLayer
from training.despeckle.layers import in_graph
from training.despeckle.loop import Plan, export, train
from training.despeckle.network import TAU, DespeckleNet, load_network, tau_at, truncated_loss
from training.despeckle.page import helpful, page
from training.despeckle.pairs import LEVELS, averaged, clean_pool, draw
from training.despeckle.report import LEVELS as MEASURED
from training.despeckle.report import contact_sheet, merged

pytestmark = pytest.mark.training
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Two speckled pictures of odd sides: (2, 1, 61, 75) float32, 0..255."""
    pictures = [
        speckled(clean_picture(seed, (61, 75)), Speckle("bmode", 2), np.random.default_rng(seed)) for seed in (0, 1)
    ]
    return np.stack(pictures)[:, None].astype(np.float32)


@pytest.mark.parametrize("noise", ["bmode", "gamma"])
@pytest.mark.parametrize("direction", ["with", "against"])
@pytest.mark.parametrize("alpha", [1.0, 1.5])
def test_torch_diffuses_as_numpy_does(frames, noise, direction, alpha) -> None:
    plan = Diffusion(noise, direction, alpha=alpha)
    with torch.inference_mode():
        out = DiffusionLayer(plan, 12)(torch.from_numpy(frames)).numpy() / 255
    for number, frame in enumerate(frames[:, 0]):
        reference = diffuse(frame / np.float32(255), plan, 12).image
        assert np.abs(reference - frame / 255).max() > 0.05
        assert np.abs(out[number, 0] - reference).max() < 1e-3


@pytest.mark.parametrize("plan", [Diffusion(), Diffusion("gamma", "against", alpha=1.5)])
def test_onnx_diffuses_as_numpy_does(tmp_path, frames, plan) -> None:
    layer = DiffusionLayer(plan, 4).eval()
    file = str(tmp_path / "diffusion.onnx")
    torch.onnx.export(
        layer, (torch.from_numpy(frames[:1]),), file, input_names=["frames"], output_names=["smooth"], opset_version=17,
        dynamic_axes={"frames": {0: "batch"}, "smooth": {0: "batch"}}, dynamo=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    out = session.run(["smooth"], {"frames": frames})[0] / 255
    for number, frame in enumerate(frames[:, 0]):
        assert np.abs(out[number, 0] - diffuse(frame / np.float32(255), plan, 4).image).max() < 1e-3


def test_a_graph_cannot_diffuse_backwards() -> None:
    with pytest.raises(ValueError, match="-1 steps"):
        DiffusionLayer(Diffusion(), -1)


def test_the_shipped_file_is_the_layer_for_graphs(frames) -> None:
    layer = in_graph("learned")
    even = frames[:1, :, :60, :74]
    with torch.inference_mode():
        out = layer(torch.from_numpy(even)).numpy()[0, 0] / 255
    assert np.abs(out - learned(even[0, 0] / np.float32(255))).max() < 1e-3
    assert torch.equal(in_graph("none")(torch.ones(2)), torch.ones(2))
    assert isinstance(in_graph("diffusion"), DiffusionLayer)
    with pytest.raises(ValueError, match="no layer"):
        in_graph("median")


def test_the_network_is_small_and_begins_near_the_picture_as_it_is(frames) -> None:
    network = DespeckleNet()
    assert sum(parameter.numel() for parameter in network.parameters()) == 38_049
    assert (WEIGHTS_DIR / FILE).stat().st_size < 1_000_000
    even = torch.from_numpy(frames[:, :, :60, :74])
    assert torch.allclose(network(even), even, atol=12)


def test_large_residuals_count_no_more_than_the_threshold() -> None:
    target = torch.zeros(4)
    output = torch.tensor([0.05, -0.10, 0.30, 0.90], requires_grad=True)
    loss = truncated_loss(output, target, tau=0.15)
    assert float(loss.detach()) == pytest.approx((0.05 + 0.10 + 0.15 + 0.15) / 4)
    loss.backward()
    assert output.grad.tolist() == pytest.approx([0.25, -0.25, 0, 0])


def test_the_threshold_falls_from_no_truncation_to_its_value() -> None:
    assert tau_at(0) == 1
    assert tau_at(0.3) == pytest.approx((1 + TAU) / 2)
    assert tau_at(0.6) == pytest.approx(TAU)
    assert tau_at(1) == TAU


def test_levels_that_are_measured_were_not_trained_with() -> None:
    for kind, levels in MEASURED.items():
        assert len(levels) == 3
        assert not set(levels) & set(LEVELS[kind])


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    pool = [clean_picture(0), clean_picture(1)]
    one, other, later = (draw(pool, 0, step, 4) for step in (5, 5, 6))
    assert one[0].shape == one[1].shape == (4, 1, 64, 64)
    assert one[0].equal(other[0])
    assert one[1].equal(other[1])
    assert not one[0].equal(later[0])


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt(line)

    pool = [clean_picture(0), clean_picture(1)]
    plan = Plan(steps=4, batch=1)
    whole = train(plan, pool, tmp_path / "whole", False, lambda line: None)
    with pytest.raises(KeyboardInterrupt, match="step 2"):
        train(plan, pool, tmp_path / "cut", False, interrupt, keep_every=2)
    resumed = train(plan, pool, tmp_path / "cut", True, lambda line: None)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="was begun with"):
        train(Plan(steps=5, batch=1), pool, tmp_path / "cut", True, lambda line: None)


def test_the_exported_file_is_the_network_at_any_even_size(tmp_path) -> None:
    torch.manual_seed(3)
    network = DespeckleNet()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    file = tmp_path / "net.onnx"
    assert len(export(network.eval(), file)) == 64
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    frames = torch.rand(2, 1, 90, 64) * 255
    out = session.run(["clean"], {"frames": frames.numpy()})[0]
    with torch.inference_mode():
        assert np.abs(network(frames).numpy() - out).max() < 0.05
        assert torch.equal(load_network(file)(frames), network(frames))


def make_data(folder: Path, frames: list[np.ndarray]) -> Path:
    for name in ("busi", "busbra", "breast", "ddti"):
        (folder / name).mkdir()
        lines = ["id,label,image,mask,group"]
        for number in range(12):
            cv2.imwrite(str(folder / name / f"{number}.png"), clean_picture(number, (100, 120)))
            lines.append(f"{number},benign,{number}.png,,g{number}")
        (folder / name / "index.csv").write_text("\n".join(lines))
    cine = folder / "cine/breast_sweep_1"
    cine.mkdir(parents=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(cine / f"{number:02}.jpg"), frame)
    return folder


def test_the_pool_holds_phantoms_training_pictures_and_averages(tmp_path) -> None:
    data = make_data(tmp_path, [clean_picture(0, (100, 120))] * 7)
    assert len(clean_pool(data, 3, 2, lambda line: None)) == 3 + 4 * 2 + 2
    for file in (data / "cine/breast_sweep_1").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match="breast_sweep_1"):
        clean_pool(data, 1, 1, lambda line: None)


def test_an_average_follows_the_motion() -> None:
    wide = speckled(clean_picture(2, (128, 180)), Speckle("bmode", 2, 1.5), np.random.default_rng(0))
    frames = [wide[:, shift : shift + 128] for shift in (6, 9, 12, 15, 18)]
    still = averaged(frames)[:, 16:-16].astype(float)
    assert np.abs(still - frames[2][:, 16:-16]).mean() < 0.25 * np.abs(np.mean(frames, 0) - frames[2])[:, 16:-16].mean()


def test_the_page_says_what_helps_and_what_does_not() -> None:
    facts = {
        "model": "m", "weights_sha256": "0" * 64, "provider": "cpu/fp32", "graph_steps": 12,
        "levels": {"bmode": (1.4, 3, 6)},
        "simulated": {f"bmode {level}": {"none": [20, 0.5, 0.4]} for level in ("1.4", "3", "6")},
        "real": {"frames": 4, "methods": {"none": [10, 1, 1]}},
        "ms": {"full": "520×520", "none": [0.1, 0.2]},
        "dice": {"cases": [["busi", "a"], ["busi", "b"]], "scores": {"none": [0.8, 0.9], "lee": [0.81, 0.87]},
                 "refused": {"none": 0, "lee": 1}},
    }  # fmt: skip
    text = page(facts)
    assert "Off for the network, on for the eye" in text
    assert "Lee 7×7, changes it by −.010 (−.030 to +.010)" in text
    assert "| as it is | 20.0 / .500 / .400 |" in text
    facts["dice"]["scores"]["lee"] = [0.82, 0.93]
    assert helpful(facts) == ["lee"]
    assert "For the mask: Lee 7×7" in page(facts)


def test_figures_stay_only_beside_figures_of_the_same_pictures() -> None:
    one = {"weights_sha256": "0", "levels": {}, "grain": 1.2, "graph_steps": 6, "ms": {"lee": [1, 2]}}
    one |= {"simulated": {"bmode 3": {"lee": [20, 0.5, 0.4]}}, "real": {"frames": 2, "methods": {"lee": [10, 1, 1]}}}
    one |= {"dice": {"cases": [["busi", "a"]], "scores": {"lee": [0.7]}, "refused": {"lee": 0}}}
    other = json.loads(json.dumps(one).replace("lee", "median"))
    both = merged(one, other)
    for part in (
        both["ms"],
        both["simulated"]["bmode 3"],
        both["real"]["methods"],
        both["dice"]["scores"],
        both["dice"]["refused"],
    ):
        assert set(part) == {"lee", "median"}
    with pytest.raises(ValueError, match="other pictures"):
        merged(one, other | {"dice": {"cases": [["busi", "b"]]}})
    with pytest.raises(ValueError, match="another weights_sha256"):
        merged(one, other | {"weights_sha256": "1"})


def test_the_sheet_shows_every_method() -> None:
    sheet = contact_sheet()
    assert sheet.shape == (2 * (288 + 24), 4 * 288)
    cells = [sheet[24:312, 288 * at : 288 * at + 288] for at in range(4)]
    assert not any(np.array_equal(cells[0], cell) for cell in cells[1:])
