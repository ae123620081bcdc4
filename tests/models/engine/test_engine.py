"""Runtimes: they agree, they are what was asked for, and the machine's choice is remembered."""

import hashlib
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from sonovan import models
from sonovan.models.engine.choose import GPU_BATCHES, choose, open_runner, preferred, ways_of
from sonovan.models.engine.cpu import sums_eight_bits
from sonovan.models.engine.openvino_runner import OpenVinoRunner
from sonovan.models.engine.remembered_choice import Way, cache_folder
from sonovan.models.engine.runner import GPU_DRIVER, Batch, Runner
from sonovan.models.errors import ProviderNotGiven, WrongWeights
from sonovan.models.registry import Entry, read_registry, read_weights
from sonovan.models.settings import ModelSettings
from tests.models.tiny_onnx import write_weights


@pytest.fixture(scope="session")
def shipped() -> tuple[bytes, Entry]:
    entry = read_registry().entry()
    anything = entry.model_copy(update={"precisions": ("fp32", "bf16")})  # how it runs, not whether it may
    return read_weights(entry), anything


@pytest.fixture(scope="session")
def frames(shipped: tuple[bytes, Entry]) -> Batch:
    """Three phantom-like squares."""
    rng = np.random.default_rng(0)
    side = shipped[1].side
    return rng.gamma(2.0, 30.0, (3, 1, side, side)).clip(0, 255).astype(np.float32)


@pytest.fixture
def tiny_pair(tiny_weights: Path) -> tuple[bytes, Entry]:
    entry = read_registry(tiny_weights).entry()
    return read_weights(entry, tiny_weights), entry


def has_bf16() -> bool:
    from sonovan.models.engine.runtimes import openvino

    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


needs_bf16 = pytest.mark.skipif(not has_bf16(), reason="this CPU has no bfloat16")


def test_both_runtimes_agree_on_the_shipped_weights(shipped: tuple[bytes, Entry], frames: Batch) -> None:
    reference, other = (open_runner(*shipped, provider, "fp32") for provider in ("cpu", "openvino"))
    for frame in frames:
        expected = reference.run(frame[None])["masks"]
        assert expected.shape == (1, 2, *frame.shape[1:])
        assert 0 <= expected.min() <= expected.max() <= 1
        np.testing.assert_allclose(other.run(frame[None])["masks"], expected, atol=1e-3)


@pytest.mark.parametrize("provider", ["cpu", "openvino"])
def test_a_batch_holds_the_frames_it_was_made_of(tiny_pair: tuple[bytes, Entry], provider: str) -> None:
    runner = open_runner(*tiny_pair, provider, "fp32")
    batch = np.random.default_rng(0).uniform(0, 255, (3, 1, 224, 224)).astype(np.float32)
    together = runner.run(batch)["masks"]
    assert together.shape == (3, 2, 224, 224)
    np.testing.assert_allclose(together[:, :1], batch / 255, atol=1e-6)
    np.testing.assert_allclose(together[1:2], runner.run(batch[1:2])["masks"], atol=1e-6)


@pytest.mark.parametrize(
    "pair", [("cpu", "fp32"), ("openvino", "fp32"), pytest.param(("openvino", "bf16"), marks=needs_bf16)]
)
def test_the_same_bits_whatever_runs_beside(shipped: tuple[bytes, Entry], frames: Batch, pair: tuple[str, str]) -> None:
    runner = open_runner(*shipped, *pair)
    alone = [runner.run(frame[None])["masks"] for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(lambda number: runner.run(frames[number % 3][None])["masks"], range(18)))
    assert all((masks == alone[number % 3]).all() for number, masks in enumerate(beside))


def test_the_same_bits_on_any_number_of_cores(shipped: tuple[bytes, Entry], frames: Batch) -> None:
    one, four = (OpenVinoRunner(*shipped, "fp32", streams=streams) for streams in (1, 4))
    assert (one.run(frames[:1])["masks"] == four.run(frames[:1])["masks"]).all()


@pytest.mark.skipif(GPU_DRIVER.exists(), reason="this machine has a GPU")
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_gpu_that_is_not_there_is_not_given(tiny_weights: Path, provider: str) -> None:
    with pytest.raises(ProviderNotGiven, match=provider):
        models.load(provider=provider, weights_dir=tiny_weights)


@pytest.mark.skipif(GPU_DRIVER.exists(), reason="this machine has a GPU")
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_session_that_fell_back_to_the_cpu_is_not_given(
    tiny_pair: tuple[bytes, Entry], provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonovan.models.engine.onnx_runner.GPU_DRIVER", tmp_path)  # a driver, but no GPU behind it
    with pytest.raises(ProviderNotGiven, match="onnxruntime gave CPUExecutionProvider"):
        open_runner(*tiny_pair, provider, "fp32")


@pytest.mark.skipif(GPU_DRIVER.exists(), reason="this machine has a GPU")
def test_left_to_itself_a_broken_gpu_is_told_and_the_cpu_runs(
    tiny_pair: tuple[bytes, Entry],
    own_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for place in ("sonovan.models.engine.onnx_runner.GPU_DRIVER", "sonovan.models.engine.choose.GPU_DRIVER"):
        monkeypatch.setattr(place, tmp_path)
    assert choose(*tiny_pair).name.split("/")[0] in ("cpu", "openvino")
    assert "falling back to the CPU" in caplog.text


def test_a_precision_that_the_registry_does_not_allow_is_not_given(tmp_path: Path) -> None:
    folder = write_weights(tmp_path, precisions=("fp32",))
    with pytest.raises(ProviderNotGiven, match="allowed in fp32 only"):
        models.load(provider="openvino", precision="bf16", weights_dir=folder)
    assert models.load(provider="openvino", weights_dir=folder).provider == "openvino/fp32"


@pytest.mark.parametrize(("provider", "precision"), [("cpu", "bf16"), ("tpu", "fp32"), ("openvino", "int3")])
def test_what_does_not_exist_is_not_given(tiny_weights: Path, provider: str, precision: str) -> None:
    with pytest.raises(ProviderNotGiven, match=f"there is no {provider}/{precision}"):
        models.load(provider=provider, precision=precision, weights_dir=tiny_weights)


def test_the_choice_is_measured_once_and_remembered(
    tiny_pair: tuple[bytes, Entry], own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = choose(*tiny_pair)
    (remembered,) = own_cache.glob("*.json")
    document = json.loads(remembered.read_text(encoding="utf-8"))
    assert "{provider}/{precision}".format(**document["runs"]) == first.name
    assert {speed["name"] for speed in document["measured"]} >= {"cpu/fp32", "openvino/fp32"}
    assert all(speed["frames_per_s"] > 0 and speed["latency_ms"] > 0 for speed in document["measured"])
    assert caplog.text.count("is taken") == 1
    assert choose(*tiny_pair).name == first.name
    assert caplog.text.count("is taken") == 1


def test_what_is_remembered_decides(tiny_pair: tuple[bytes, Entry], own_cache: Path) -> None:
    choose(*tiny_pair)
    (remembered,) = own_cache.glob("*.json")
    for provider in ("cpu", "openvino"):
        (way,) = (way for way in ways_of(provider, "fp32", tiny_pair[1])[:1])
        remembered.write_text(json.dumps({"runs": asdict(way)}), encoding="utf-8")
        assert choose(*tiny_pair).name == f"{provider}/fp32"


@pytest.mark.parametrize("damage", ["", "{", '{"runs": {"provider": "abacus"}}', '{"runs": "openvino/fp32"}', "[]"])
def test_a_damaged_memory_is_measured_again(tiny_pair: tuple[bytes, Entry], own_cache: Path, damage: str) -> None:
    choose(*tiny_pair)
    (remembered,) = own_cache.glob("*.json")
    remembered.write_text(damage, encoding="utf-8")
    runner = choose(*tiny_pair)
    runs = json.loads(remembered.read_text(encoding="utf-8"))["runs"]
    assert "{provider}/{precision}".format(**runs) == runner.name


@pytest.mark.skipif(not sums_eight_bits(), reason="this CPU has no VNNI: it refuses int8")
def test_int8_runs_the_file_made_for_it(tmp_path: Path, own_cache: Path) -> None:
    folder = write_weights(tmp_path, precisions=("fp32", "int8"), variants=("int8",))
    picture = np.full((224, 224), 200, np.uint8)
    picture[:, :100] = 40
    bright = models.load(provider="openvino", precision="fp32", weights_dir=folder).segment(picture, "breast")
    for provider in ("openvino", "cpu"):
        segmenter = models.load(provider=provider, precision="int8", weights_dir=folder)
        assert segmenter.provider == f"{provider}/int8"
        assert segmenter.weights_sha256 == read_registry(folder).entry().sha256
        dark = segmenter.segment(picture, "breast")
        assert not (dark.labels & bright.labels).any()
        assert (dark.labels | bright.labels).all()


def test_a_provider_that_the_registry_refuses_does_not_run(tiny_pair: tuple[bytes, Entry], own_cache: Path) -> None:
    weights, entry = tiny_pair[0], tiny_pair[1].model_copy(update={"refused": ("openvino/fp32", "openvino/bf16")})
    assert choose(weights, entry).name == "cpu/fp32"
    with pytest.raises(ProviderNotGiven, match="accuracy"):
        choose(weights, entry, "openvino", "fp32")


def test_int8_without_a_file_of_its_own_is_not_given(tmp_path: Path) -> None:
    folder = write_weights(tmp_path, precisions=("fp32", "int8"))
    with pytest.raises(ProviderNotGiven, match="no int8 file"):
        models.load(provider="openvino", precision="int8", weights_dir=folder)


def test_a_processor_without_vnni_gets_no_int8(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_weights(tmp_path / "weights", precisions=("fp32", "int8"), variants=("int8",))
    monkeypatch.setattr("sonovan.models.engine.cpu.platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sonovan.models.engine.cpu.cpu_flags", lambda: frozenset({"avx2", "fma"}))
    with pytest.raises(ProviderNotGiven, match="VNNI"):
        models.load(provider="openvino", precision="int8", weights_dir=folder)
    assert models.load(weights_dir=folder).provider in ("openvino/fp32", "cpu/fp32")
    monkeypatch.setattr("sonovan.models.engine.cpu.platform.machine", lambda: "aarch64")
    assert sums_eight_bits()


def test_a_damaged_int8_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    folder = write_weights(tmp_path, precisions=("fp32", "int8"), variants=("int8",))
    entry = read_registry(folder).entry()
    (folder / entry.variants["int8"].file).write_bytes(b"another")
    with pytest.raises(WrongWeights, match=entry.variants["int8"].sha256) as caught:
        models.load(provider="cpu", precision="fp32", weights_dir=folder)
    assert hashlib.sha256(b"another").hexdigest() in str(caught.value)


def test_streams_are_measured_where_there_are_cores_and_batches_on_gpus(
    tiny_pair: tuple[bytes, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores, streams in ((1, [1]), (2, [2]), (8, [8, 4]), (64, [16, 8])):
        monkeypatch.setattr("sonovan.models.engine.choose.usable_cores", lambda cores=cores: cores)
        assert [way.streams for way in ways_of("openvino", "fp32", tiny_pair[1])] == streams
    assert [way.batch for way in ways_of("cuda", "fp32", tiny_pair[1])] == list(GPU_BATCHES)
    assert [way.batch for way in ways_of("cpu", "fp32", tiny_pair[1])] == [1]
    assert ways_of("openvino", "int8", tiny_pair[1]) == []  # the registry does not allow it


def test_other_weights_are_measured_for_themselves(tmp_path: Path, own_cache: Path) -> None:
    for side in (64, 96):
        folder = write_weights(tmp_path / str(side), side=side)
        entry = read_registry(folder).entry()
        choose(read_weights(entry, folder), entry)
    assert len(list(own_cache.glob("*.json"))) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tiny_pair: tuple[bytes, Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder().is_relative_to(tmp_path)
    runner: Runner = choose(*tiny_pair)
    assert runner.name in ("cpu/fp32", "openvino/fp32", "openvino/bf16")
    assert "cannot be remembered" in caplog.text


def test_the_environment_fixes_what_the_caller_leaves_open(
    tiny_weights: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    monkeypatch.setenv("SONOVAN_MODELS_PRECISION", "fp32")
    assert models.load(weights_dir=tiny_weights).provider == "cpu/fp32"
    assert not own_cache.exists()
    assert models.load(provider="openvino", weights_dir=tiny_weights).provider == "openvino/fp32"
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "abacus")
    with pytest.raises(ValueError, match="provider"):
        ModelSettings()


SILENT = """
import socket, sys
sys.addaudithook(lambda name, args: name in ("socket.connect", "socket.getaddrinfo") and print(name, args))
from sonovan import models
from pathlib import Path
import numpy as np
for provider in ("openvino", "cpu"):
    segmenter = models.load(provider=provider, precision="fp32", weights_dir=Path(sys.argv[1]))
    segmenter.segment(np.full((300, 300), 90, np.uint8), "breast")
import os, openvino.tools.ovc as ovc
print("stub" if ovc.telemetry.__class__.__module__.endswith("telemetry_stub") else "telemetry is on")
print("off" if os.environ["ORT_DISABLE_TELEMETRY"] == "1" else "telemetry is on")
paths = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
print(sum(os.readlink(path).startswith("socket:") for path in paths if os.path.islink(path)), "sockets")
"""


def test_no_runtime_reports_home(tiny_weights: Path, tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(models.__file__).resolve().parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SILENT, str(tiny_weights)],
        capture_output=True, text=True, check=True, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["stub", "off", "0 sockets"]
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []


def test_an_impossible_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "abacus")
    with pytest.raises(ProviderNotGiven, match="SONOVAN_MODELS_PROVIDER"):
        models.load()


def test_a_coarser_precision_must_be_worth_it() -> None:
    exact, brain, eight = Way("openvino", "fp32", 2), Way("openvino", "bf16", 2), Way("openvino", "int8", 2)
    other = Way("cpu", "fp32")
    assert preferred({other: 46.0, exact: 53.0, brain: 90.0, eight: 112.0}) == brain
    assert preferred({exact: 53.0, brain: 90.0, eight: 140.0}) == eight
    assert preferred({other: 46.0, exact: 53.0, eight: 112.0}) == eight
    assert preferred({exact: 53.0, brain: 60.0, eight: 75.0}) == exact
    assert preferred({other: 54.0, exact: 53.0}) == other
