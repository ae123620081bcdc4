"""The registry names the weights; what is not them is refused."""

import hashlib
import json
from pathlib import Path

import pytest

from sonovan import models
from sonovan.models.errors import ProviderNotGiven, WrongWeights
from sonovan.models.registry import WEIGHTS_DIR, Companion, Entry, read_registry, read_weights
from sonovan.models.settings import read_settings
from tests.models.tiny_onnx import MODEL_ID, write_weights


def test_shipped_weights_are_those_the_registry_names() -> None:
    registry = read_registry()
    assert registry.models
    for entry in registry.models:
        assert read_weights(entry)
        assert {"breast", "thyroid"} <= set(entry.organs)
        assert "fp32" in entry.precisions
        assert (WEIGHTS_DIR / entry.card).is_file()


@pytest.fixture
def accompanied(tmp_path: Path) -> Entry:
    trust = Companion(file="trust.onnx", sha256="ab" * 32, settings={"least": 0.5, "least_breast": 0.25})
    return read_registry(write_weights(tmp_path)).entry().model_copy(update={"companions": {"trust": trust}})


def test_a_changed_threshold_shows_in_the_name_of_a_network_without_companions_too(accompanied: Entry) -> None:
    alone = accompanied.model_copy(update={"companions": {}})
    assert alone.fingerprint != alone.model_copy(update={"threshold": 0.4}).fingerprint
    assert alone.sha256 != alone.fingerprint != accompanied.fingerprint


def test_a_fingerprint_is_the_sha256_of_canonical_json(accompanied: Entry) -> None:
    text = (
        '{"companions":{"trust":{"settings":{"least":0.5,"least_breast":0.25},"sha256":"' + "ab" * 32 + '"}},'
        f'"min_area_px":4.0,"sha256":"{accompanied.sha256}","threshold":0.5}}'
    )
    assert accompanied.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    turned = Companion(file="t.onnx", sha256="ab" * 32, settings={"least_breast": 0.25, "least": 0.5})
    assert accompanied.model_copy(update={"companions": {"trust": turned}}).fingerprint == accompanied.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": "cd" * 32},
        {"threshold": 0.4},
        {"min_area_px": 5.0},
        {"mirror_from": 0.1},
        {"companions": {"trust": Companion(file="trust.onnx", sha256="cd" * 32, settings={"least": 0.5})}},
        {"companions": {"trust": Companion(file="trust.onnx", sha256="ab" * 32, settings={"least": 0.6})}},
        {"companions": {"lesions": Companion(file="trust.onnx", sha256="ab" * 32, settings={"least": 0.5})}},
    ],
)
def test_all_that_changes_results_changes_the_fingerprint(accompanied: Entry, changed: dict[str, object]) -> None:
    assert accompanied.model_copy(update=changed).fingerprint != accompanied.fingerprint


def test_a_network_that_looks_at_the_mirror_image_elsewhere_has_another_fingerprint(accompanied: Entry) -> None:
    names = {accompanied.model_copy(update={"mirror_from": value}).fingerprint for value in (None, 0.02, 0.1)}
    assert len(names) == 3


def test_no_region_may_come_of_one_look_where_two_are_meant(tmp_path: Path) -> None:
    document = json.loads((write_weights(tmp_path) / "registry.json").read_text(encoding="utf-8"))
    document["models"][0]["mirror_from"] = 0.6  # its threshold is .5
    (tmp_path / "registry.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(WrongWeights, match="mirror_from exceeds threshold"):
        read_registry(tmp_path)


def test_a_damaged_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    folder = write_weights(tmp_path)
    entry = read_registry(folder).entry()
    data = bytearray((folder / entry.file).read_bytes())
    data[-1] ^= 1
    (folder / entry.file).write_bytes(data)
    with pytest.raises(WrongWeights, match=entry.sha256) as caught:
        models.load(provider="cpu", weights_dir=folder)
    assert hashlib.sha256(data).hexdigest() in str(caught.value)


def test_weights_swapped_for_another_model_are_refused(tmp_path: Path) -> None:
    folder, other = write_weights(tmp_path / "a"), write_weights(tmp_path / "b", side=64)
    (folder / "tiny.onnx").write_bytes((other / "tiny.onnx").read_bytes())
    with pytest.raises(WrongWeights):
        models.load(provider="cpu", weights_dir=folder)


def test_a_missing_file_and_an_unknown_id_are_refused(tmp_path: Path) -> None:
    folder = write_weights(tmp_path)
    with pytest.raises(WrongWeights, match=MODEL_ID):
        models.load("nothing-7", weights_dir=folder)
    (folder / "tiny.onnx").unlink()
    with pytest.raises(WrongWeights, match="cannot be read"):
        models.load(provider="cpu", weights_dir=folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"models": [{"id": "x"}]}', '{"models": {}}'])
def test_a_registry_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "registry.json").write_text(text, encoding="utf-8")
    with pytest.raises(WrongWeights, match=r"registry\.json"):
        read_registry(tmp_path)


def test_a_folder_without_registry_or_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongWeights, match="cannot be read"):
        read_registry(tmp_path)
    (tmp_path / "registry.json").write_text(json.dumps({"version": 1, "models": []}), encoding="utf-8")
    with pytest.raises(WrongWeights, match="at least 1"):
        read_registry(tmp_path)


def test_a_file_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    folder = write_weights(tmp_path)
    text = (folder / "registry.json").read_text(encoding="utf-8").replace("tiny.onnx", "../tiny.onnx")
    (folder / "registry.json").write_text(text, encoding="utf-8")
    with pytest.raises(WrongWeights, match="file"):
        read_registry(folder)


def edited(folder: Path, **fields: object) -> Path:
    """The shipped network's folder with fields of its registry entry changed, its files beside it."""
    for path in WEIGHTS_DIR.glob("*.onnx"):
        (folder / path.name).symlink_to(path)
    document = json.loads((WEIGHTS_DIR / "registry.json").read_text(encoding="utf-8"))
    document["models"] = document["models"][:1]
    document["models"][0] |= {"precisions": ["fp32"], "refused": [], "variants": {}} | fields
    (folder / "registry.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


SHIPPED = json.loads((WEIGHTS_DIR / "registry.json").read_text(encoding="utf-8"))["models"][0]
SWAPPED = SHIPPED["companions"] | {"trust": SHIPPED["companions"]["lesions"]}


@pytest.mark.parametrize("provider", ["openvino", "cpu"])
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"organs": {"breast": 5}}, r"organs\.breast.*2 channels"),
        ({"companions": SWAPPED}, "companion trust takes regions"),
        ({"output": SHIPPED["output"] | {"features": []}}, "output.features: its companion .* reads deep"),
        ({"output": SHIPPED["output"] | {"name": "deep"}}, "output.name: deep"),
        ({"output": SHIPPED["output"] | {"features": ["deep", "fine", "none"]}}, "as the registry says"),
        ({"input": SHIPPED["input"] | {"name": "other"}}, "as the registry says"),
        ({"input": SHIPPED["input"] | {"rows": 100, "columns": 100}}, "lite2-unet-3"),
    ],
)
def test_an_entry_that_its_files_do_not_fit_is_refused_by_name(
    tmp_path: Path, provider: str, fields: dict[str, object], named: str
) -> None:
    with pytest.raises(WrongWeights, match=named):
        models.load(provider=provider, precision="fp32", weights_dir=edited(tmp_path, **fields))


def test_a_runtime_older_than_the_one_measured_is_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path, minimum_runtime={"openvino": "2026.4", "onnxruntime": "9999.1"})
    assert models.load(provider="openvino", precision="fp32", weights_dir=folder).provider == "openvino/fp32"
    with pytest.raises(ProviderNotGiven, match=r"needs onnxruntime 9999\.1 or later; here is \d"):
        models.load(provider="cpu", precision="fp32", weights_dir=folder)


def test_a_registry_names_each_network_once(tmp_path: Path) -> None:
    document = json.loads((write_weights(tmp_path) / "registry.json").read_text(encoding="utf-8"))
    (tmp_path / "registry.json").write_text(json.dumps({"models": document["models"] * 2}), encoding="utf-8")
    with pytest.raises(WrongWeights, match="two networks are called tiny-1"):
        read_registry(tmp_path)


def test_a_misspelt_variable_is_named_beside_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDR", "openvino")
    with pytest.raises(ProviderNotGiven, match=r"SONOVAN_MODELS_PROVIDR \(did you mean SONOVAN_MODELS_PROVIDER\?\)"):
        read_settings()
