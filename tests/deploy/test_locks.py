"""Production is installed from a lock of its own, in the versions that are tested and without their tools."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(lock: Path) -> dict[str, set[str]]:
    """Each `name==version` with its hashes."""
    blocks = re.split(r"\n(?=\w)", lock.read_text())
    return {block.split(maxsplit=1)[0]: set(re.findall(r"sha256:(\w{64})", block)) for block in blocks}


def names(lock: Path) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(lock)}


def needed(requirements: list[str]) -> set[str]:
    """The names of these requirements and of all that they need in turn, here and on this Python."""
    found: set[str] = set()
    todo = [Requirement(each) for each in requirements]
    seen: set[str] = set()
    while todo:
        each = todo.pop()
        if str(each) in seen:
            continue
        seen.add(str(each))
        found.add(canonicalize_name(each.name))
        for text in requires(each.name) or ():
            further = Requirement(text)
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in each.extras | {""}):
                todo.append(further)
    return found


def test_production_has_all_that_it_needs() -> None:
    assert needed(PROJECT["dependencies"]) <= names(PRODUCTION)


def test_production_has_no_tool_of_the_tests() -> None:
    extras = PROJECT["optional-dependencies"]
    only_tests = needed(extras["test"] + extras["check"]) - needed(PROJECT["dependencies"] + extras["build"])
    assert {"pytest", "mypy", "ruff", "hypothesis"} <= only_tests
    assert only_tests & names(PRODUCTION) == set()


def test_what_is_tested_is_what_runs() -> None:
    production, development = pins(PRODUCTION), pins(DEVELOPMENT)
    assert len(production) > 50
    assert all(production.values())
    assert {pin: development.get(pin) for pin in production} == production


@pytest.mark.parametrize(("file", "lock"), [("deploy/Dockerfile", "requirements.lock"), ("Makefile", DEVELOPMENT.name)])
def test_containers_install_what_runs_and_make_installs_the_tests_too(file: str, lock: str) -> None:
    installed = re.findall(r"(?:-r |\$\(VENV\) )(?:/app/)?(requirements[\w-]*\.lock)", (ROOT / file).read_text())
    assert installed == [lock]


@pytest.mark.parametrize("lock", [PRODUCTION, DEVELOPMENT, ROOT / "training" / PRODUCTION.name])
def test_no_lock_names_a_package_host(lock: Path) -> None:
    assert "://" not in lock.read_text()
