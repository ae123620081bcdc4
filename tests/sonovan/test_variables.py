"""A SONOVAN_ variable that nothing reads stops whatever is started, by name; with the real command and classes."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sonovan import analyse
from sonovan.centre import _passed_on, up
from sonovan.contracts.errors import Fatal
from sonovan.variables import refuse_unknown_variables

TOP = Path(__file__).resolve().parents[2]
NOWHERE = {
    "SONOVAN_KAFKA_BOOTSTRAP": "127.0.0.1:9",
    "SONOVAN_KAFKA_USERNAME": "segment",
    "SONOVAN_KAFKA_PASSWORD": "secret",
}


def sonovan(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
    command = [sys.executable, "-m", "sonovan", *arguments]
    return subprocess.run(command, env=bare | variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("stage", ["segment", "assess", "alert", "catalog"])
def test_every_worker_is_stopped_by_a_misspelt_variable(stage: str) -> None:
    told = sonovan("worker", stage, **NOWHERE, SONOVAN_MODELS_PROVIDR="openvino")
    assert told.returncode == 2
    assert "unknown setting SONOVAN_MODELS_PROVIDR (did you mean SONOVAN_MODELS_PROVIDER?)" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("screen", "a.png", "--organ", "breast"), ("up",), ("status",), ("topics", "list"), ("models", "list")],
)
def test_every_command_is_stopped_by_a_misspelt_variable(arguments: tuple[str, ...], tmp_path: Path) -> None:
    told = sonovan(*arguments, SONOVAN_STATE=str(tmp_path / "state"), SONOVAN_INTENDED_USES="decision_support")
    assert told.returncode == 2
    assert "unknown setting SONOVAN_INTENDED_USES (did you mean SONOVAN_INTENDED_USE?)" in told.stderr
    assert not (tmp_path / "state").exists()


def test_help_is_given_in_spite_of_it() -> None:
    assert sonovan("up", "--help", SONOVAN_INTENDED_USES="research").returncode == 0


def test_what_is_known_stops_nothing(tmp_path: Path) -> None:
    told = sonovan(
        "status", SONOVAN_STATE=str(tmp_path), SONOVAN_ALERT_RETRY_LONGEST_S="4", SONOVAN_MODELS_PRECISION="auto"
    )
    assert told.returncode == 0, told.stderr


def test_a_program_that_calls_the_library_is_stopped_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SONOVAN_INTENDED_USES", "decision_support")
    with pytest.raises(Fatal, match="SONOVAN_INTENDED_USES"):
        analyse(np.zeros((64, 64), np.uint8), organ="breast")
    with pytest.raises(Fatal, match="SONOVAN_INTENDED_USES"):
        up(tmp_path / "state")
    with pytest.raises(Fatal, match="SONOVAN_INTENDED_USES"):
        up(tmp_path / "state", app_environment={"SONOVAN_INTENDED_USES": "research"})


def test_one_port_for_the_health_of_several_workers_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="SONOVAN_HEALTH_PORT"):
        up(tmp_path / "state", app_environment={"SONOVAN_HEALTH_PORT": "9464"})
    assert not (tmp_path / "state").exists()


def test_what_is_known_in_small_letters_reaches_the_workers_too() -> None:
    refuse_unknown_variables({"sonovan_intended_use": "measurement"})
    given = {"sonovan_intended_use": "measurement", "sonovan_kafka_username": "x", "HOME": "/"}
    assert _passed_on(given) == {"SONOVAN_INTENDED_USE": "measurement"}


def test_a_vans_passphrase_reaches_no_worker() -> None:
    given = {"SONOVAN_VAN_PASSPHRASE": "several words", "SONOVAN_INTENDED_USE": "research"}
    refuse_unknown_variables(given)
    assert _passed_on(given) == {"SONOVAN_INTENDED_USE": "research"}


def test_every_settings_class_is_found_without_its_room_being_imported() -> None:
    classes = {
        node.name
        for path in TOP.glob("*/**/*.py")
        if "BaseSettings" in (text := path.read_text())
        and not path.relative_to(TOP).parts[0].startswith((".venv", "tests"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and "BaseSettings" in {ast.unparse(base) for base in node.bases}
    }
    assert len(classes) > 7
    look = (
        "from pydantic_settings import BaseSettings; from sonovan.variables import refuse_unknown_variables as refuse;"
        "refuse({'SONOVAN_INTENDED_USE': ''}); print(*(kind.__name__ for kind in BaseSettings.__subclasses__()))"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert classes <= set(found)


def test_every_variable_that_the_documents_and_compose_name_is_known() -> None:
    texts = [TOP / "README.md", TOP / "compose.yaml", *(TOP / "docs").glob("*.md")]
    named = {name for path in texts for name in re.findall(r"SONOVAN_[A-Z0-9_]*[A-Z0-9]\b(?![_*…])", path.read_text())}
    assert len(named) > 15
    refuse_unknown_variables(dict.fromkeys(named, ""))
