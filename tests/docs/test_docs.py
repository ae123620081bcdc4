"""The documents tell the truth about names, and hold nothing that belongs to one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([a-z_]+/[\w/]+\.py):(\w+)`")
FILE = re.compile(r"`((?:[a-z_.]+/)*[\w.-]+\.(?:py|md|json|html|css|js|yaml|sh))(?:::(\w+))?`")


def defined(path: Path) -> set[str]:
    """Names at the top of a module."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


@pytest.mark.parametrize(("page", "least"), [("docs/path.md", 30), ("docs/design.md", 20)])
def test_every_name_on_a_page_exists(page, least):
    named = NAMED.findall((TOP / page).read_text())
    assert len(named) > least
    missing = [
        f"{file}:{name}" for file, name in named if not (TOP / file).is_file() or name not in defined(TOP / file)
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["docs/features.md", "docs/inputs.md"])
def test_every_file_and_test_that_a_table_names_exists(page):
    text = (TOP / page).read_text()
    named = FILE.findall(text)
    assert len(named) > 30
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (TOP / file).is_file() or (name and name not in defined(TOP / file))
    ]
    assert missing == []


def test_every_row_of_the_inputs_names_a_test():
    rows = [line for line in (TOP / "docs/inputs.md").read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| input |")]
    assert len(rows) > 30
    assert [row for row in rows if "::test_" not in row] == []


def feature_rows() -> list[tuple[str, list[str]]]:
    """The rows of docs/features.md: the heading above each, and its cells."""
    rows, heading = [], ""
    for line in (TOP / "docs/features.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| behaviour |"):
            rows.append((heading, [cell.strip() for cell in line.strip("|").split("|")]))
    return rows


def test_every_promised_behaviour_names_the_file_that_does_it_and_the_test_that_proves_it():
    promised = [cells for heading, cells in feature_rows() if heading != "Missing"]
    assert len(promised) > 100
    bare = [
        cells
        for cells in promised
        if len(cells) != 3 or not FILE.search(cells[1]) or not re.search(r"`tests/[^`]+`", cells[2])
    ]
    assert bare == []


def test_what_is_missing_says_so_and_promises_nothing():
    missing = [cells for heading, cells in feature_rows() if heading == "Missing"]
    assert missing
    assert [cells for cells in missing if len(cells) != 2 or "missing" not in cells[1]] == []


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True, text=True).stdout
    return [TOP / name for name in listed.split("\0") if name and (TOP / name).is_file()]


@pytest.mark.parametrize(
    "forbidden", ["pypi" + ".org", "files.python" + "hosted", "repo.maven" + ".apache", "registry.npm" + "js"]
)
def test_no_file_names_a_package_registry(forbidden):
    assert [path.name for path in tracked() if forbidden.encode() in path.read_bytes()] == []


def test_no_file_holds_two_versions_of_itself():
    """What a merge that was not resolved leaves behind."""
    begins = ("<" * 7 + " ").encode(), (">" * 7 + " ").encode()
    both = [path.name for path in tracked() if any(line.startswith(begins) for line in path.read_bytes().split(b"\n"))]
    assert both == []


def test_make_reads_its_file():
    subprocess.run(["make", "--dry-run", "demo", "test", "check"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)


def test_no_module_is_longer_than_400_lines():
    long = {
        path.name: count
        for path in tracked()
        if path.suffix == ".py" and (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_room_says_what_belongs_there():
    for room in ("contracts", "transport", "producers", "stream_apps", "storage", "models", "clinical", "reports",
                 "console", "sonovan", "deploy", "benchmarks", "training"):  # fmt: skip
        docstring = ast.get_docstring(ast.parse((TOP / room / "__init__.py").read_text()))
        assert docstring, room
        assert "elongs" in docstring, room
