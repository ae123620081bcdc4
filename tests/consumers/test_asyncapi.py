"""docs/asyncapi.json against the schema that the AsyncAPI Initiative publishes; `make test-consumers` fetches it."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

TOP = Path(__file__).resolve().parents[2]
PACKAGE = "@asyncapi/specs@6.11.1"
SHA512 = (
    "0375812ea00a1a8276fba15616da63065090d6814272ce06c45ef3b081af36aa"
    "7f9251941e3940dda01c67d5cc3292c613cccf7980f3db1f4598ee834ae2ab69"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON Schema of AsyncAPI 3.0.0 documents."""
    if shutil.which("npm") is None or not (TOP / ".venv-consumers").is_dir():
        pytest.skip("needs npm, and what make test-consumers makes")
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    assert hashlib.sha512(archive.read_bytes()).hexdigest() == SHA512
    with tarfile.open(archive) as files:
        found = files.extractfile("package/schemas/3.0.0-without-$id.json")
        assert found is not None
        schema: dict[str, Any] = json.load(found)
    return schema


def errors(schema: dict[str, Any], document: object) -> list[str]:
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(document)]


def test_the_document_is_asyncapi_by_the_published_schema(published: dict[str, Any]) -> None:
    document = json.loads((TOP / "docs" / "asyncapi.json").read_text(encoding="utf-8"))
    assert errors(published, document) == []
    assert errors(published, {**document, "channels": []})
    assert errors(published, {**document, "asyncapi": "2.0.0"})
