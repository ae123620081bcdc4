"""Networks for the tests of this room: a tiny one whose answers are known, and the shipped one."""

from pathlib import Path

import pytest

from sonovan import models
from sonovan.models.engine.remembered_choice import cache_folder
from tests.models.tiny_onnx import write_weights


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def tiny(tiny_weights: Path) -> models.Segmenter:
    """Bright is breast, dark is thyroid; on openvino in float32."""
    return models.load(provider="openvino", precision="fp32", weights_dir=tiny_weights)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty per-user cache, so that nothing is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder()
