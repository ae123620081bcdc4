"""From a checkpoint to a file that both runtimes read like torch does, and what is done to its graph on the way."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import hashlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from functools import partial
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from sonovan.models.engine.choose import open_runner
from sonovan.models.engine.runtimes import onnxruntime
from sonovan.models.errors import WrongWeights
from sonovan.models.registry import read_registry, read_weights
from training.despeckle.layers import in_graph
from training.export import (
    TOLERANCE,
    WHOLE_BYTES,
    differences,
    export,
    load_checkpoint,
    refuse_despeckled,
    register,
)
from training.exported import OUTPUTS, Graph
from training.graphs import LARGE, doubling, halve, own_constants, share_alike, tidy, whole
from training.network import LesionNet, load_imagenet
from training.once import look_once

pytestmark = pytest.mark.training

MODEL = "trial-1"


@pytest.fixture(scope="module")
def network() -> LesionNet:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = LesionNet()
    load_imagenet(network)
    return network.eval()


@pytest.fixture(scope="module")
def folder(network: LesionNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the network, exported and registered."""
    folder = tmp_path_factory.mktemp("weights")
    path = folder / f"{MODEL}.onnx"
    far = export(network, path, MODEL)
    assert max(far.values()) <= TOLERANCE
    register(path, folder / "registry.json", MODEL, f"../cards/{MODEL}.md")
    return folder


def test_a_large_network_is_stored_small(folder: Path) -> None:
    path = folder / f"{MODEL}.onnx"
    assert path.stat().st_size < WHOLE_BYTES
    model = onnx.load(str(path))
    assert [output.name for output in model.graph.output] == list(OUTPUTS)
    assert model.opset_import[0].version >= 17
    assert model.producer_version == MODEL
    sizes = {tensor.data_type: [] for tensor in model.graph.initializer}
    for tensor in model.graph.initializer:
        sizes[tensor.data_type].append(int(np.prod(tensor.dims)))
    assert min(sizes[TensorProto.FLOAT16]) >= LARGE > max(sizes[TensorProto.FLOAT])


def test_what_is_registered_is_what_the_engine_runs(network: LesionNet, folder: Path) -> None:
    entry = read_registry(folder).entry(MODEL)
    assert (entry.side, entry.organs, entry.precisions) == (256, {"breast": 0, "thyroid": 1}, ("fp32",))
    assert entry.output.features == ("deep", "fine", "edge")
    frames = np.random.default_rng(1).uniform(0, 255, (2, 1, 256, 256)).astype(np.float32)
    with torch.inference_mode():
        truth = Graph(network)(torch.from_numpy(frames))
    for provider in ("cpu", "openvino"):
        found = open_runner(read_weights(entry, folder), entry, provider, "fp32").run(frames)
        for name, expected in zip(OUTPUTS, truth, strict=True):
            scale = max(1.0, float(expected.abs().max()))
            np.testing.assert_allclose(found[name], expected.numpy(), atol=TOLERANCE * scale)


def test_new_weights_leave_nothing_of_the_old_ones_behind(folder: Path, tmp_path: Path) -> None:
    registry = tmp_path / "registry.json"
    document = json.loads((folder / "registry.json").read_text(encoding="utf-8"))
    old = {"file": "old.onnx", "sha256": "0" * 64}
    document["models"][0] |= {"variants": {"int8": old}, "companions": {"trust": old}, "precisions": ["fp32", "int8"]}
    document["models"].append(document["models"][0] | {"id": "other-1"})
    registry.write_text(json.dumps(document), encoding="utf-8")
    path = folder / f"{MODEL}.onnx"
    register(path, registry, MODEL, "card.md")
    kept, new = json.loads(registry.read_text(encoding="utf-8"))["models"]
    assert (kept["id"], kept["variants"]) == ("other-1", {"int8": old})
    assert new["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert new["precisions"] == ["fp32"]
    assert not {"variants", "companions"} & set(new)


def test_another_network_differs_from_the_file(folder: Path) -> None:
    torch.manual_seed(5)
    other = Graph(LesionNet().eval())
    assert min(differences(other, folder / f"{MODEL}.onnx").values()) > TOLERANCE


def test_a_checkpoint_is_loaded_with_its_encoder_and_anything_else_is_refused(tmp_path: Path) -> None:
    small = LesionNet("lite0")
    state = {"kept": small.state_dict(), "plan": {"encoder": "lite0"}, "epoch": 3, "history": [], "per_epoch": 7}
    torch.save(state, tmp_path / "epoch_03.pt")
    loaded, facts = load_checkpoint(tmp_path / "epoch_03.pt")
    assert (loaded.encoder, facts["epoch"], facts["steps_per_epoch"]) == ("lite0", 3, 7)
    torch.save(state | {"plan": {"encoder": "lite2"}}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("no checkpoint", encoding="utf-8")
    for name in ("other.pt", "text.pt", "absent.pt"):
        with pytest.raises(WrongWeights, match=name):
            load_checkpoint(tmp_path / name)


def test_doubling_is_bilinear_interpolation() -> None:
    picture = torch.rand(1, 1, 16, 16)
    expected = torch.nn.functional.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False)
    weights = torch.from_numpy(doubling(16))
    assert torch.allclose(weights @ picture @ weights.T, expected, atol=1e-6)


def two_layers(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], takes: int, gives: int) -> onnx.ModelProto:
    """A graph from x (n, takes) to z (n, gives)."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("x", takes), ("z", gives))
    ]
    stored = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "two", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def computed(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime().InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_a_halved_graph_computes_with_rounded_large_kernels_and_can_be_made_whole() -> None:
    rng = np.random.default_rng(0)
    weights = {"large": rng.normal(size=(150, 200)), "small": rng.normal(size=(200, 3))}
    nodes = [
        helper.make_node("MatMul", ["x", "large"], ["y"]),
        helper.make_node("Cast", ["y"], ["y2"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["y2", "small"], ["z"]),
    ]
    model = two_layers(nodes, weights, takes=150, gives=3)
    x = rng.normal(size=(4, 150)).astype(np.float32)
    run = partial(computed, model, x)
    exact = run()
    tidy(model)
    assert [node.op_type for node in model.graph.node] == ["MatMul", "MatMul"]
    np.testing.assert_array_equal(run(), exact)
    halve(model)
    rounded = weights["large"].astype(np.float16).astype(np.float32)
    expected = x @ rounded @ weights["small"].astype(np.float32)
    np.testing.assert_allclose(run(), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(run() - exact).max() > 1e-4
    halved = run()
    whole(model)
    assert {tensor.data_type for tensor in model.graph.initializer} == {TensorProto.FLOAT}
    np.testing.assert_array_equal(run(), halved)


def test_a_shared_constant_becomes_two_and_alike_ones_are_stored_once() -> None:
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(5, 5)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    nodes = [
        helper.make_node("Identity", ["bias"], ["again"]),
        helper.make_node("Identity", ["again"], ["once more"]),
        helper.make_node("Gemm", ["x", "kernel", "bias"], ["y"]),
        helper.make_node("Gemm", ["y", "kernel", "once more"], ["z"]),
    ]
    model = two_layers(nodes, {"kernel": kernel, "bias": bias}, takes=5, gives=5)
    x = rng.normal(size=(4, 5)).astype(np.float32)
    run = partial(computed, model, x)
    before = run()
    own_constants(model)
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Gemm"]
    assert {tensor.name for tensor in model.graph.initializer} == {"kernel", "bias", "once more"}
    np.testing.assert_array_equal(run(), before)
    share_alike(model)
    assert {tensor.name for tensor in model.graph.initializer} == {"kernel", "bias"}
    np.testing.assert_array_equal(run(), before)


def test_despeckling_goes_into_the_graph_and_companions_are_refused(network: LesionNet, tmp_path: Path) -> None:
    path = tmp_path / "smooth-1.onnx"
    assert max(export(network, path, "smooth-1", "diffusion").values()) <= TOLERANCE
    session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    frames = np.random.default_rng(2).uniform(0, 255, (1, 1, 256, 256)).astype(np.float32)
    with torch.inference_mode():
        smooth = Graph(network)(in_graph("diffusion")(torch.from_numpy(frames)))[0].numpy()
        rough = Graph(network)(torch.from_numpy(frames))[0].numpy()
    (masks,) = session.run(["masks"], {"frames": frames})
    assert np.abs(masks - smooth).max() <= TOLERANCE < np.abs(masks - rough).max()
    register(path, tmp_path / "registry.json", "smooth-1", "card.md")
    with pytest.raises(WrongWeights, match=r"smooth-1\.onnx despeckles \(diffusion\)"):
        refuse_despeckled(tmp_path, "smooth-1")


def test_the_mean_of_both_ways_lies_where_the_picture_does() -> None:
    class Bright(LesionNet):
        def look(self, frames: torch.Tensor) -> object:
            seen = super().look(frames)
            return type(seen)(((frames - 128) / 8).repeat(1, 2, 1, 1), seen.deep, seen.fine, seen.edge)

    frames = torch.full((1, 1, 256, 256), 20.0)
    frames[:, :, 40:90, 150:230] = 230
    with torch.inference_mode():
        masks = Graph(Bright().eval(), both_ways=True)(frames)[0]
    assert ((masks > 0.5) == (frames > 128)).all()


def test_a_file_that_looks_at_the_mirror_image_is_made_one_that_is_shown_it(network: LesionNet, tmp_path: Path) -> None:
    path = tmp_path / f"{MODEL}.onnx"
    export(network, path, MODEL)
    register(path, tmp_path / "registry.json", MODEL, "card.md")
    once = read_registry(tmp_path).entry(MODEL)
    torch.onnx.export(
        Graph(network, both_ways=True).eval(), (torch.rand(1, 1, 256, 256) * 255,), str(path), input_names=["frames"],
        output_names=list(OUTPUTS), opset_version=17, dynamo=False,
        dynamic_axes={name: {0: "batch"} for name in ("frames", *OUTPUTS)},
    )  # fmt: skip
    both = onnx.load(str(path))
    tidy(both)
    onnx.save(both, str(path))
    document = json.loads((tmp_path / "registry.json").read_text(encoding="utf-8"))
    document["models"][0] |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "precisions": ["fp32", "bf16"]}
    del document["models"][0]["mirror_from"]
    (tmp_path / "registry.json").write_text(json.dumps(document), encoding="utf-8")
    old = read_registry(tmp_path).entry(MODEL)
    frames = np.random.default_rng(3).uniform(0, 255, (1, 1, 256, 256)).astype(np.float32)
    before = open_runner(read_weights(old, tmp_path), old, "cpu", "fp32").run(frames)
    look_once(tmp_path, MODEL, lambda line: None)
    new = read_registry(tmp_path).entry(MODEL)
    assert (new.mirror_from, new.precisions) == (once.mirror_from, ("fp32",))
    runner = open_runner(read_weights(new, tmp_path), new, "cpu", "fp32")
    picture, mirrored = runner.run(frames), runner.run(np.ascontiguousarray(frames[..., ::-1]))
    np.testing.assert_allclose((picture["masks"] + mirrored["masks"][..., ::-1]) / 2, before["masks"], atol=1e-5)
    for name in OUTPUTS[1:]:
        np.testing.assert_allclose(picture[name], before[name], atol=1e-4)
    with pytest.raises(WrongWeights, match="does not look at the mirror image"):
        look_once(tmp_path, MODEL, lambda line: None)
