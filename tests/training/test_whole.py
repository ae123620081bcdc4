"""All steps from one command: order, going on after a failure, and another command under the same name."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from training.whole import Recipe, Step, commands_of, follow, steps

pytestmark = pytest.mark.training


def test_each_step_reads_what_an_earlier_one_makes(tmp_path: Path) -> None:
    made: set[str] = set()
    for step in steps(Path("data"), tmp_path, "net", Recipe()):
        words = list(step.words)
        outputs = {words[number + 1] for number, word in enumerate(words) if word == "--out"}
        read = {word for word in words if word.startswith(str(tmp_path))} - outputs - {str(tmp_path / "steps.json")}
        assert all(any(word.startswith(folder) for folder in made) for word in read), step
        made |= outputs


def test_a_step_that_fails_is_done_again_and_those_before_are_not(tmp_path: Path) -> None:
    said: list[str] = []
    missing = tmp_path / "made"
    wanted = [
        Step("one", ("json.tool", str(tmp_path / "in.json"), str(tmp_path / "one.json"))),
        Step("two", ("json.tool", str(missing), str(tmp_path / "two.json"))),
    ]
    (tmp_path / "in.json").write_text("{}")
    assert follow(wanted, tmp_path, said.append) != 0
    (tmp_path / "one.json").unlink()
    missing.write_text('{"a": 1}')
    assert follow(wanted, tmp_path, said.append) == 0
    assert not (tmp_path / "one.json").exists()
    assert json.loads((tmp_path / "two.json").read_text()) == {"a": 1}
    assert commands_of(tmp_path / "steps.json")[0] == "python -m json.tool RUN/in.json RUN/one.json"


def test_a_card_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    wanted = steps(Path("/pictures"), tmp_path, "net", Recipe())
    done = {step.name: {"command": str(step), "seconds": 1} for step in wanted}
    (tmp_path / "steps.json").write_text(json.dumps(done))
    told = commands_of(tmp_path / "steps.json")
    assert told[0].startswith("python -m training train --data DIR --out RUN/first")
    assert not any(str(tmp_path) in line for line in told)
    assert not any("/pictures" in line for line in told)


def test_another_command_under_the_same_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("{}")
    follow([Step("one", ("json.tool", str(tmp_path / "in.json"), str(tmp_path / "a")))], tmp_path, print)
    with pytest.raises(ValueError, match="another command"):
        follow([Step("one", ("json.tool", str(tmp_path / "in.json"), str(tmp_path / "b")))], tmp_path, print)


def test_until_names_a_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no step is called 'three'"):
        follow([Step("one", ("json.tool", "-h"))], tmp_path, print, until="three")
