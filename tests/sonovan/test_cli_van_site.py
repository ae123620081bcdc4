"""`sonovan van site`: the secret goes from one van's folder to another's by two commands."""

from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.signatures import generate_key
from tests.producers.visits import vault_of


@pytest.fixture
def vans(tmp_path: Path) -> tuple[Path, Path]:
    """Two laptops, each with a van."""
    states = tmp_path / "one", tmp_path / "two"
    for state in states:
        vault_of(state, "van-1").write("signing_key", generate_key())
    return states


def site(state: Path, *words: str, code: int = 0) -> None:
    assert run(build(), ["van", "site", *words, "--state", str(state)]) == code


def test_a_file_and_its_code_bring_the_secret_to_another_laptop(
    vans: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = vans
    file = str(tmp_path / "secret")
    site(first, "new")
    made = capsys.readouterr().out.rpartition("check ")[2].strip()
    site(first, "export", file)
    told = capsys.readouterr()
    assert made in told.err
    site(second, "import", file, code=2)
    assert "SONOVAN_VAN_SITE_CODE" in capsys.readouterr().err
    monkeypatch.setenv("SONOVAN_VAN_SITE_CODE", told.out.strip())
    site(second, "import", file)
    site(second, "show")
    assert f"van van-1: check {made}" in capsys.readouterr().out


def test_a_van_without_the_secret_takes_no_person_id(
    vans: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--slip", "A11P", "--organ", "breast", "--consent", "screening,ai", "--person", "4711")
    register = ["van", "register", *words, "--state", str(vans[0])]
    assert run(build(), register) == 2
    assert "site_secret_missing" in capsys.readouterr().err
    site(vans[0], "show")
    assert "no secret of its site" in capsys.readouterr().out
    site(vans[0], "new")
    assert run(build(), register) == 0
