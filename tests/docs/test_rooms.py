"""Which library may be used in which room; import-linter holds who may import whom."""

import ast
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS = {
    "kafka": ("transport/",),
    "faust": tuple(f"stream_apps/{stage}/agent.py" for stage in ("segment", "assess", "alert")),
    "minio": ("storage/",),
    "sqlalchemy": ("storage/",),
    "onnxruntime": ("models/",),
    "openvino": ("models/",),
    "cv2": ("models/", "producers/sources/"),
    "torch": ("models/training/",),
    "fastapi": ("console/", "producers/page/"),
    "pydicom": ("producers/sources/", "sonovan/"),
}


def imported(path: Path) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.fixture(scope="module")
def modules() -> list[str]:
    """The project's own modules; tests and benchmarks may import everything."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=TOP, capture_output=True, check=True, text=True).stdout
    return [
        name for name in listed.split() if not name.startswith(("tests/", "benchmarks/")) and (TOP / name).is_file()
    ]


@pytest.mark.parametrize("library", sorted(ROOMS))
def test_a_library_stays_in_its_room(library, modules):
    outside = [name for name in modules if not name.startswith(ROOMS[library]) and library in imported(TOP / name)]
    assert outside == []


def test_nothing_of_the_standard_mock_is_used():
    listed = subprocess.run(["git", "ls-files", "tests/*.py"], cwd=TOP, capture_output=True, check=True, text=True)
    mocked = [name for name in listed.stdout.split() if "mock" in imported(TOP / name)]
    assert mocked == []
    for name in listed.stdout.split():
        source = (TOP / name).read_text()
        assert "from unittest" + " import mock" not in source, name
