"""A network from the file that was shipped."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from sonovan.models.errors import WrongWeights
from sonovan.models.registry import WEIGHTS_DIR
from training.export import export
from training.network import LesionNet, load_imagenet, normalise
from training.restore import AGREEMENT, check, measure_norms, pairs, restore

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with norms that have seen something, as a file."""
    torch.manual_seed(0)
    network = LesionNet()
    load_imagenet(network)
    with torch.no_grad():
        for _, _, norm in pairs(network):
            if norm is not None:
                norm.bias += 0.1 * torch.randn_like(norm.bias)
    path = tmp_path_factory.mktemp("weights") / "trial.onnx"
    export(network.eval(), path)
    return path


def test_the_network_that_is_shipped_comes_back() -> None:
    path = WEIGHTS_DIR / "lite2-unet-3.onnx"
    assert max(check(restore(path), path).values()) <= AGREEMENT


def test_measured_norms_change_no_output_and_give_kernels_the_length_they_had(shipped: Path) -> None:
    network = restore(shipped)
    before = LesionNet()
    load_imagenet(before)
    frames = torch.rand(4, 1, 256, 256) * 255
    with torch.inference_mode():
        said = network(frames)
    measure_norms(network, [frames], before)
    with torch.inference_mode():
        assert torch.allclose(network(frames), said, atol=1e-3)
        seen = network.stem[0](normalise(frames))
    assert torch.allclose(seen.mean((0, 2, 3)), network.stem[1].running_mean, atol=1e-3)
    for (_, one, norm), (_, other, _) in zip(pairs(network), pairs(before), strict=True):
        own, wanted = (kernels.weight.flatten(1).norm(dim=1) for kernels in (one, other))
        assert norm is None or torch.allclose(own[own > 0], wanted[own > 0], rtol=1e-3)


def test_in_training_measured_norms_find_what_they_were_told(shipped: Path) -> None:
    network = restore(shipped)
    before = LesionNet()
    load_imagenet(before)
    frames = torch.rand(4, 1, 256, 256) * 255
    measure_norms(network, [frames], before)
    with torch.inference_mode():
        used = network.eval()(frames)
        assert torch.allclose(network.train()(frames), used, atol=0.05)


def test_a_file_of_another_network_is_refused(shipped: Path) -> None:
    with pytest.raises(WrongWeights, match=r"blocks\.3"):
        restore(shipped, "lite0")


def test_a_network_that_is_not_in_the_file_is_refused(shipped: Path) -> None:
    network = restore(shipped)
    with torch.no_grad():
        network.head.bias += 1
    with pytest.raises(WrongWeights, match="differs"):
        check(network, shipped)
