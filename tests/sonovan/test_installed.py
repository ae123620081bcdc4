"""The built wheel beside a program that has folders called `models` and `storage` of its own."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS = [
    "clinical",
    "console",
    "contracts",
    "deploy",
    "models",
    "producers",
    "reports",
    "storage",
    "stream_apps",
    "transport",
]
PROGRAM = """
import sys
import numpy as np
import models, storage
import sonovan
from sonovan import analyse

assert sonovan.__file__.startswith(sys.argv[1]), sonovan.__file__
picture = np.random.default_rng(1).normal(100, 25, (240, 320)).clip(0, 255).astype(np.uint8)
analysis = analyse(picture, organ="breast", side="left")
print(analysis.screening.status, len(analysis.frames), [path for path in models.__path__])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git lists, built from a copy, so that nothing of the checkout changes."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    copy.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True).stdout
    present = b"\0".join(name for name in listed.split(b"\0") if name and (TOP / name.decode()).exists())
    packed = subprocess.run(
        ["tar", "--null", "-T", "-", "-cf", "-"], cwd=TOP, input=present, capture_output=True, check=True
    )
    subprocess.run(["tar", "-xf", "-"], cwd=copy, input=packed.stdout, check=True)
    build = "import setuptools.build_meta as build; build.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, check=True)
    (built,) = folder.glob("sonovan-*.whl")
    return built


def test_the_wheel_holds_every_room_under_sonovan_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"sonovan"}
    for room in ROOMS:
        assert f"sonovan/{room}/__init__.py" in names
    assert {"sonovan/py.typed", "sonovan/models/weights/registry.json", "sonovan/models/weights/TERMS.md"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_what_services_are_built_from(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    built_from = ("jars/pom.xml", "jars/sha256sums", "store/build.sh", "store/guard.go")
    assert {f"sonovan/deploy/{name}" for name in built_from} <= names


@pytest.mark.parametrize("package", [True, False], ids=["packages", "namespace folders"])
def test_a_program_with_folders_of_its_own_called_models_and_storage_runs(
    wheel: Path, tmp_path: Path, package: bool
) -> None:
    site, program = tmp_path / "site", tmp_path / "device"
    zipfile.ZipFile(wheel).extractall(site)
    for room in ("models", "storage"):
        (program / room).mkdir(parents=True)
        (program / room / "own.py").write_text("")
        if package:
            (program / room / "__init__.py").write_text("")
    (program / "main.py").write_text(PROGRAM)
    # The environment's libraries, without what its .pth files add: the checkout is one of them.
    libraries = [each for each in sys.path if each.endswith("site-packages")]
    done = subprocess.run(
        [sys.executable, "-S", "main.py", str(site)],
        cwd=program,
        env={"PYTHONPATH": ":".join([str(site), *libraries])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("complete 1")
    assert str(program / "models") in done.stdout
