"""The command line: help, exit codes, one line per error."""

import importlib.metadata
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from sonovan.cli import COMMANDS, GROUPS, build
from sonovan.cli.failures import run
from sonovan.cli.topics import full_name
from sonovan.cli.up import format_table
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.state import state_path
from tests.programs import install

TOP = Path(__file__).resolve().parents[2]


def failing(error: BaseException) -> typer.core.TyperGroup:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise error

    @app.command()
    def other() -> int:
        return 3

    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidRecord("pixels_corrupt", "a.png is cut short"), 2, "a.png is cut short"),
        (Transient("Kafka is away"), 4, "Kafka is away"),
        (Fatal("wrong weights"), 5, "wrong weights"),
        (typer.BadParameter("no such organ"), 2, "no such organ"),
        (ZeroDivisionError("division by zero"), 70, "a defect of sonovan: ZeroDivisionError"),
        (Transient("first\nsecond"), 4, "first second"),
        (KeyboardInterrupt(), 130, "130"),
    ],
)
def test_an_error_is_one_line_and_its_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(error, KeyboardInterrupt):
        assert run(failing(error), ["fail"]) == code
        return
    assert run(failing(error), ["fail"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert line in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SONOVAN_DEBUG", "1")
    assert run(failing(Transient("away")), ["fail"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_a_returned_code_is_the_exit_code() -> None:
    assert run(failing(Transient("")), ["other"]) == 3


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["up", "--bogus"], ["worker"], ["worker", "bogus"], ["topics", "tail"], ["worker", "alert", "x"]],
)
def test_wrong_usage_is_two_and_names_the_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--help" in err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in (*COMMANDS, *GROUPS))


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), [name, "--help"]) == 0
    assert f"Usage: sonovan {name}" in capsys.readouterr().out


def test_no_command_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), []) == 2
    assert "Commands:" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from sonovan.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules)"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
    told = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True, timeout=60, env=bare
    )
    loaded = set(told.stdout.split())
    assert not loaded & {"kafka", "numpy", "minio", "faust", "cv2", "pydicom", "onnxruntime", "openvino", "sqlalchemy"}


def test_a_reader_who_leaves_is_no_defect() -> None:
    command = f"{sys.executable} -m sonovan topics describe | head -n 1"
    told = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=60
    )
    assert told.returncode in (0, 141)
    assert told.stderr == ""
    assert told.stdout == "# Topics\n"


def test_an_interrupt_is_told_without_a_traceback(tmp_path: Path) -> None:
    code = (
        # whoever runs the tests in the background of a shell has it hand down that interrupts are ignored
        "import os, signal, typer\nfrom sonovan.cli.failures import run\napp = typer.Typer()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "@app.command()\ndef a() -> None: os.kill(os.getpid(), signal.SIGINT)\n@app.command()\ndef b() -> None: ...\n"
        "raise SystemExit(run(typer.main.get_command(app), ['a']))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert told.returncode == 128 + signal.SIGINT
    assert "Traceback" not in told.stderr


def test_services_never_started_is_four_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["topics", "list", "--state", str(tmp_path / "none")]) == 4
    assert "sonovan up" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_status_and_down_of_nothing_are_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path / "none")]
    assert run(build(), ["status", *state]) == 0
    assert "sonovan up" in capsys.readouterr().out
    assert run(build(), ["status", "--json", *state]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert run(build(), ["down", *state]) == 0
    assert not (tmp_path / "none").exists()


def test_an_unknown_or_missing_setting_stops_the_start_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOVAN_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("SONOVAN_KAFKA_USRNAME", "x")
    assert run(build(), ["topics", "list"]) == 2
    assert "SONOVAN_KAFKA_USRNAME" in capsys.readouterr().err
    monkeypatch.delenv("SONOVAN_KAFKA_USRNAME")
    assert run(build(), ["topics", "list"]) == 5
    told = capsys.readouterr().err
    assert "SONOVAN_KAFKA_USERNAME" in told
    assert "SONOVAN_KAFKA_PASSWORD" in told


def test_a_broker_that_is_away_is_four(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"BOOTSTRAP": "127.0.0.1:9", "USERNAME": "u", "PASSWORD": "hush", "CONNECT_TIMEOUT_S": "0.3"}
    for name, value in settings.items():
        monkeypatch.setenv(f"SONOVAN_KAFKA_{name}", value)
    assert run(build(), ["topics", "check"]) == 4
    told = capsys.readouterr().err
    assert "127.0.0.1:9" in told
    assert "hush" not in told


def test_a_topic_is_known_with_and_without_its_version() -> None:
    assert full_name("frame.captured") == full_name("frame.captured.v1") == "frame.captured.v1"
    assert full_name("van.answered.demo") == "van.answered.demo.v1"
    with pytest.raises(typer.BadParameter, match=r"frame\.captured\.v1"):
        full_name("frame.capturd")


def test_a_table_is_aligned_and_shows_what_is_unknown() -> None:
    rows: list[dict[str, object]] = [{"name": "kafka", "pid": 1}, {"name": "s3", "pid": None}]
    assert format_table(rows) == "name   pid\nkafka  1\ns3     -\n"


def test_the_state_folder_is_the_option_then_the_variable_then_the_checkout(tmp_path: Path) -> None:
    top = Path(__file__).resolve().parents[2]
    assert state_path(tmp_path, {"SONOVAN_STATE": "/else"}) == tmp_path
    assert state_path(None, {"SONOVAN_STATE": str(tmp_path)}) == tmp_path
    assert state_path(None, {}) == top / ".sonovan"
    assert state_path(Path("rel"), {}) == Path(os.getcwd()) / "rel"


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["--version"]) == 0
    assert capsys.readouterr().out == f"sonovan {importlib.metadata.version('sonovan')}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("sonovan mo", ["models"]), ("sonovan models ver", ["verify"]), ("sonovan screen --org", ["--organ"])],
)
def test_bash_completes_commands_and_options(typed: str, offered: list[str], tmp_path: Path) -> None:
    program = tmp_path / "sonovan"
    install(tmp_path, sonovan=f'exec {sys.executable} -m sonovan "$@"')
    script = f"""
        eval "$({program} completion bash)"
        COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _sonovan_completion {program}
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True, cwd=TOP)
    assert done.stdout.split() == offered, done.stderr


def test_the_shells_for_which_completion_is_offered_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert run(build(), ["completion", shell]) == 0
        assert "_SONOVAN_COMPLETE" in capsys.readouterr().out
    assert run(build(), ["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err
