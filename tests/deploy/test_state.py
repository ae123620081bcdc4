"""The state folder keeps secrets private, ports stable, and two commands apart."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from sonovan.deploy import ports
from sonovan.deploy.errors import DeployError
from sonovan.deploy.state import StateFolder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_and_secrets_are_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.secret("kafka-admin")
    assert {mode(folder) for folder in (state.path, *state.path.iterdir())} == {0o700}
    assert mode(state.secrets / "secrets.json") == 0o600


def test_secret_is_generated_once(tmp_path: Path) -> None:
    first = StateFolder(tmp_path).secret("a")
    assert StateFolder(tmp_path).secret("a") == first
    assert StateFolder(tmp_path).secret("b") != first


def test_damaged_secrets_are_never_replaced(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.secret("a")
    (state.secrets / "secrets.json").write_text('{"a": ')
    with pytest.raises(DeployError, match="damaged"):
        state.secret("a")


def test_port_is_remembered(tmp_path: Path) -> None:
    port = StateFolder(tmp_path).port("kafka", in_use=False)
    assert StateFolder(tmp_path).port("kafka", in_use=False) == port
    assert StateFolder(tmp_path).port("minio", in_use=False) != port


def test_port_that_somebody_took_is_replaced_unless_it_is_us(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    port = state.port("kafka", in_use=False)
    with socket.socket() as somebody:
        somebody.bind((ports.LOOPBACK, port))
        somebody.listen()
        assert state.port("kafka", in_use=True) == port
        assert state.port("kafka", in_use=False) != port


def test_lock_keeps_a_second_command_waiting(tmp_path: Path) -> None:
    happened: list[str] = []
    waiting = threading.Event()

    def second(line: str) -> None:
        happened.append(line)
        waiting.set()

    def up() -> None:
        with StateFolder(tmp_path).lock(second):
            happened.append("second")

    other = threading.Thread(target=up)
    with StateFolder(tmp_path).lock():
        other.start()
        assert waiting.wait(10)
        happened.append("first")
    other.join(10)
    assert happened == [f"waiting for another command that works on {tmp_path}", "first", "second"]


def test_lock_may_be_entered_again_by_its_holder(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    with state.lock():
        inner = state.secret("a")
    assert inner


def test_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeployError, match="file/state"):
        StateFolder(tmp_path / "file" / "state").prepare()
