"""Which library may be used in which room; import-linter holds who may import whom."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS = {
    "kafka": ("transport/",),
    "faust": ("stream_apps/agent.py", "stream_apps/feeding.py"),
    "minio": ("storage/",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "pyarrow": ("sonovan/",),
    "onnxruntime": ("models/", "training/"),
    "openvino": ("models/",),
    "cv2": ("models/", "training/", "producers/sources/", "sonovan/"),
    "av": ("producers/sources/clip.py",),
    "SimpleITK": ("models/labels/staple.py",),
    "PIL": (),
    "simplejpeg": ("producers/sources/picture_damage.py",),
    "torch": ("training/",),
    "weasyprint": ("reports/pdf.py",),
    "fastapi": ("console/",),
    "starlette": ("console/",),
    "uvicorn": ("console/",),
    "argon2": ("console/",),
    "pyotp": ("console/",),
    "jwt": ("console/",),
    "aiohttp": ("stream_apps/", "producers/page/server.py"),
    "segno": ("producers/page/slip.py", "console/"),
    "pydicom": ("producers/sources/", "producers/gateway/", "producers/deidentify/", "sonovan/"),
    "pynetdicom": ("producers/gateway/", "sonovan/demo_scanner.py"),
}


HOUSE = (
    "contracts",
    "transport",
    "producers",
    "stream_apps",
    "storage",
    "models",
    "clinical",
    "reports",
    "console",
    "deploy",
)
"""The rooms that the wheel holds under `sonovan.`; each is a folder at the top and a link inside `sonovan/`."""


@cache
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


@cache
def imported_in_full(path: Path) -> set[str]:
    """The dotted names of all modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("room", HOUSE)
def test_a_room_is_a_folder_at_the_top_that_is_imported_under_sonovan(room):
    link = TOP / "sonovan" / room
    assert link.is_symlink()
    assert link.readlink() == Path("..") / room
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=TOP, capture_output=True, check=True, text=True).stdout
    bare = [name for name in listed.split() if (TOP / name).is_file() and room in imported(TOP / name)]
    assert bare == [], f"write `sonovan.{room}`: a program that uses sonovan may have a folder of that name"


def test_no_room_imports_the_face(modules):
    rooms = tuple(f"sonovan.{room}" for room in HOUSE)
    reaching_up = {
        name: sorted(
            each for each in imported_in_full(TOP / name) if each.startswith("sonovan.") and not each.startswith(rooms)
        )
        for name in modules
        if not name.startswith("sonovan/")
    }
    assert {name: found for name, found in reaching_up.items() if found} == {}
