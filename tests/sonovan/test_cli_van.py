"""`sonovan van` without a centre: the passphrase, screenings that were cut off, and what is said of them."""

import json
import os
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import PlannedRegion, ScreeningClosed, SequenceClosed
from sonovan.contracts.words import slip_number
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.intake import TRAY, Claims
from sonovan.producers.gateway.receiving import Incoming
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources, write_sweeps
from sonovan.producers.spool import HELD, QUEUED, Spool
from sonovan.producers.vault import Vault
from tests.producers.clips import shades, write_clip
from tests.producers.files import grey, write_dicom
from tests.producers.visits import SIGNER, VISIT, vault_of

VAN = "van-cli"
SEND = ("--organ", "breast", "--side", "left", "--pixel-spacing-mm", "0.1", "--give-up-s", "1")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """The vault of a van that was enrolled at a centre which is away."""
    vault = vault_of(tmp_path, VAN)
    vault.write("signing_key", generate_key())
    account = {"bootstrap": "127.0.0.1:9", "username": VAN, "password": secrets.token_hex(8)}
    vault.write("kafka", json.dumps(account).encode())
    return vault


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweeps(tmp_path / "sweeps", "breast", 1, 4, 3)[0]


def typed(state: Path, *words: str) -> int:
    return run(build(), ["van", *words, "--state", str(state)])


def spool_of(vault: Vault) -> Spool:
    return Spool(vault.folder / "spool", vault)


def test_without_a_link_all_is_kept_and_sent_files_are_not_doubled_by_going_on(
    vault: Vault, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(tmp_path, "send", str(sweep), *SEND, "--consent", "screening,ai", "--json") == 4
    told = json.loads(capsys.readouterr().out)
    assert told["items"]["queued"] == 7
    name = told["screening_id"]
    more = write_dicom(tmp_path / "more.dcm", [grey()], Laterality="L")
    assert typed(tmp_path, "send", str(sweep), str(more), *SEND, "--into", name, "--json") == 4
    told = json.loads(capsys.readouterr().out)
    assert [each["frames"] for each in told["sequences"]] == [4, 1]
    with spool_of(vault) as spool:
        (state,) = spool.screenings()
        assert (state.frames, state.sequences, state.closing_number, state.unfinished) == (5, 2, 2, False)
        assert spool.status().counts[QUEUED] == 10


def waiting(vault: Vault, topic: Topic) -> list[bytes]:
    """The records of a topic that wait in the spool, without their envelopes."""
    with spool_of(vault) as spool:
        messages = [message for each in spool.pending(99, 0.0) if (message := spool.load(each)) is not None]
    return [open_envelope(each.value).header for each in messages if each.topic == topic]


def test_who_scanned_is_told_by_a_code_and_asked_for_where_the_van_must_know(
    vault: Vault, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send = ("send", str(sweep), *SEND, "--consent", "screening,ai")
    assert typed(tmp_path, *send, "--operator", "Wang Fang") == 2
    assert "never by a name" in capsys.readouterr().err
    (vault.folder / "van.toml").write_text("[page]\noperator_required = true\n", encoding="utf-8")
    assert typed(tmp_path, *send) == 2
    assert "--operator" in capsys.readouterr().err
    with spool_of(vault) as spool:
        assert spool.screenings() == []
    assert typed(tmp_path, *send, "--operator", "op-7") == 4
    (closing,) = waiting(vault, Topic.SEQUENCE_CLOSED)
    assert SequenceClosed.decode(closing).operator == "op-7"


def test_an_unfinished_screening_is_named_and_may_be_closed_as_it_is(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with spool_of(vault) as spool:
        (source,) = simulated_sources("breast", 1, 2, 0)
        screening = spool.open_screening(VISIT, SIGNER, [source])
        compose_sequence(screening, source, mint_id())
    name = screening.screening_id
    assert typed(tmp_path, "spool", "status") == 0
    assert f"unfinished: {name}" in capsys.readouterr().out
    assert typed(tmp_path, "spool", "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unfinished"] == [name]
    assert typed(tmp_path, "close", name) == 0
    assert f"screening {name}: closed (1), 2 frames" in capsys.readouterr().out
    assert typed(tmp_path, "screenings") == 0
    assert f"{name}: begun" in (said := capsys.readouterr().out)
    assert "closed (1), 1 sequences, 2 frames" in said
    assert typed(tmp_path, "close", mint_id()) == 2
    assert "no screening" in capsys.readouterr().err


def closings(vault: Vault) -> list[ScreeningClosed]:
    return [ScreeningClosed.decode(each) for each in waiting(vault, Topic.SCREENING_CLOSED)]


def test_a_closing_by_command_keeps_what_the_page_was_told_of_her(vault: Vault, sweep: Path, tmp_path: Path) -> None:
    """That she left, what was ticked off and excused, and before she left that she stays."""
    left, right = (PlannedRegion.model_validate({"organ": "breast", "side": side}) for side in ("left", "right"))
    visit = replace(VISIT, planned=(left, right), slip_number=slip_number("A", 17))
    with spool_of(vault) as spool, open_desk(vault) as desk:
        name = desk.register.expect(visit, date(2026, 11, 28)).screening_id
        desk.checklists.tick(name, left)
        desk.checklists.excuse(name, right, "declined")
        screening = spool.open_screening(visit, SIGNER, screening_id=name)
        compose_sequence(screening, simulated_sources("breast", 1, 2, 0)[0], mint_id())
        screening.close((left,), stays=True)
        spool.set_staying(name, True)
    assert typed(tmp_path, "send", str(sweep), *SEND, "--into", name) == 4
    left_at = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
    with spool_of(vault) as spool, open_desk(vault) as desk:
        desk.checklists.leave(name, left_at)
        spool.reopen(name)
    assert typed(tmp_path, "close", name) == 0
    _, sent, closed = closings(vault)
    assert [(each.stays, each.left_at) for each in (sent, closed)] == [(True, None), (False, left_at)]
    for each in (sent, closed):
        assert each.covered == (left,)
        assert [(one.side, one.because) for one in each.excused] == [("right", "declined")]


def test_a_closing_by_command_says_nothing_that_nobody_said(vault: Vault, sweep: Path, tmp_path: Path) -> None:
    assert typed(tmp_path, "send", str(sweep), *SEND, "--consent", "screening,ai") == 4
    with spool_of(vault) as spool:
        (state,) = spool.screenings()
        spool.reopen(state.screening_id)
    assert typed(tmp_path, "close", state.screening_id) == 0
    assert [(each.covered, each.stays, each.left_at) for each in closings(vault)] == [(None, False, None)] * 2


def test_what_was_read_before_an_error_is_kept_and_named(
    vault: Vault, sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free = os.statvfs(tmp_path)
    monkeypatch.setenv("SONOVAN_VAN_LEAST_FREE_MIB", str(free.f_bavail * free.f_frsize // 2**20 + 1000))
    assert typed(tmp_path, "send", str(sweep), *SEND, "--consent", "screening,ai") == 4
    said = capsys.readouterr().err
    assert "no room in the spool" in said
    with spool_of(vault) as spool:
        (state,) = spool.screenings()
    assert f"van send FILES --into {state.screening_id}" in said
    monkeypatch.delenv("SONOVAN_VAN_LEAST_FREE_MIB")
    assert typed(tmp_path, "send", str(sweep), *SEND, "--into", state.screening_id) == 4
    with spool_of(vault) as spool:
        assert spool.screenings()[0].frames == 4


def test_held_frames_stay_until_they_are_released_or_discarded(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_dicom(tmp_path / "name.dcm", [grey(), grey(seed=1)], BurnedInAnnotation="YES", Laterality="L")
    assert typed(tmp_path, "send", str(file), *SEND, "--consent", "screening,ai") == 4
    capsys.readouterr()
    assert typed(tmp_path, "held", "--json") == 0
    first, second = (each["frame_id"] for each in json.loads(capsys.readouterr().out))
    assert typed(tmp_path, "release", first) == 0
    assert typed(tmp_path, "discard", second) == 0
    assert typed(tmp_path, "release", second) == 2
    assert "is not held" in capsys.readouterr().err
    with spool_of(vault) as spool:
        assert (spool.status().counts[HELD], spool.load(second)) == (0, None)
        assert first in spool.pending(99, 0)


def test_a_wrong_or_missing_passphrase_is_named_with_what_to_do(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOVAN_VAN_PASSPHRASE", "not the right one at all")
    assert typed(tmp_path, "spool", "status") == 2
    said = capsys.readouterr().err
    assert "this passphrase does not open" in said
    assert "not the right one" not in said
    monkeypatch.delenv("SONOVAN_VAN_PASSPHRASE")
    assert typed(tmp_path, "spool", "status") == 2
    assert "SONOVAN_VAN_PASSPHRASE_FD" in capsys.readouterr().err


def test_the_passphrase_may_come_from_an_open_file(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.write(writing, os.environ["SONOVAN_VAN_PASSPHRASE"].encode() + b"\nmore")
    os.close(writing)
    monkeypatch.delenv("SONOVAN_VAN_PASSPHRASE")
    monkeypatch.setenv("SONOVAN_VAN_PASSPHRASE_FD", str(reading))
    assert typed(tmp_path, "spool", "status") == 0
    assert f"van {VAN}: 0 queued" in capsys.readouterr().out
    os.close(reading)
    assert typed(tmp_path, "spool", "status") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_nothing_of_a_key_or_an_account_lies_open(vault: Vault, tmp_path: Path) -> None:
    key = vault.read("signing_key")
    assert key is not None
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert key not in path.read_bytes()
            assert key.hex().encode() not in path.read_bytes()
            assert b"127.0.0.1:9" not in path.read_bytes()
    with pytest.raises(InvalidRecord):
        Vault.unlock(tmp_path / "vans", "there is no vault here")


def test_another_passphrase_is_chosen_by_a_command(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(tmp_path, "passphrase") == 2
    assert "SONOVAN_VAN_NEW_PASSPHRASE" in capsys.readouterr().err
    monkeypatch.setenv("SONOVAN_VAN_NEW_PASSPHRASE", "another one of several words")
    assert typed(tmp_path, "passphrase") == 0
    assert typed(tmp_path, "spool", "status") == 2
    monkeypatch.setenv("SONOVAN_VAN_PASSPHRASE", "another one of several words")
    assert typed(tmp_path, "spool", "status") == 0


def test_the_operator_registers_looks_at_the_tray_assigns_and_discards(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slip = slip_number("A", 17)
    assert typed(tmp_path, "register", "--slip", slip, "--organ", "breast", "--consent", "screening,ai", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["slip"], told["accession"]) == (slip, slip)
    (vault.folder / "van.toml").write_text('[page]\nconsent_text = "v4"\n')
    other = slip_number("A", 40)
    assert typed(tmp_path, "register", "--slip", other, "--organ", "breast", "--consent", "screening,ai") == 0
    with open_desk(vault) as desk:
        assert [each.visit.consent_text for each in desk.register.expected()] == [None, "v4"]
    assert typed(tmp_path, "expected") == 0
    assert f"slip {slip}" in capsys.readouterr().out
    with open_desk(vault) as desk:
        for number, name in enumerate(("LI^LIHUA\x1b[2J", "ZHANG^WEI"), 1):
            incoming = Incoming(vault.folder / "incoming", vault, 0)
            received = incoming.file()
            received.write(b"object %d" % number)
            desk.intake.take(received, Claims("1.2", f"1.2.{number}", "LOGIQ", patient_name=name))
            desk.intake.wait(number, TRAY, "unmatched")
    assert typed(tmp_path, "tray", "list") == 0
    said = capsys.readouterr().out
    assert "1: tray" in said
    assert "unmatched" in said
    assert "assign it" in said
    assert r"LI^LIHUA\x1b[2J" in said
    assert typed(tmp_path, "tray", "assign", "1", "--slip", slip_number("A", 18), "--because", "numbers_missing") == 2
    assert "nobody is expected" in capsys.readouterr().err
    assert typed(tmp_path, "tray", "assign", "1", "--slip", slip, "--because", "she told me so") == 2
    assert "numbers_missing" in capsys.readouterr().err
    assert typed(tmp_path, "tray", "assign", "1", "--slip", slip, "--because", "numbers_missing", "--side", "left") == 0
    assert typed(tmp_path, "tray", "discard", "2", "--because", "test") == 0
    assert typed(tmp_path, "tray", "discard", "2", "--because", "test") == 2
    capsys.readouterr()
    assert typed(tmp_path, "tray", "list", "--all", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["state"], first["assigned"]["slip"], first["assigned"]["side"]) == ("arrived", slip, "left")
    assert (second["state"], second["reason"]) == ("discarded", "test")
    assert (first["claims"]["patient_name"], second["claims"]["patient_name"]) == ("LI^LIHUA\x1b[2J", "")


def test_the_lights_say_why_they_are_red(vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slip = slip_number("A", 17)
    typed(tmp_path, "register", "--slip", slip, "--organ", "breast", "--consent", "screening,ai")
    capsys.readouterr()
    assert typed(tmp_path, "lights") == 0
    assert "The van may leave" in capsys.readouterr().out
    with open_desk(vault) as desk:
        received = Incoming(vault.folder / "incoming", vault, 0).file()
        received.write(b"object")
        desk.intake.take(received, Claims("1.2", "1.2.1", "LOGIQ"))
    assert typed(tmp_path, "lights", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["women"] == []
    assert told["van"] == {
        "green": False,
        "reasons": [{"code": "objects_composing", "value": 1}],
        "notes": [{"code": "women_expected", "value": 1}],
    }


def test_a_sweep_from_the_video_output_is_recorded_and_what_ends_it_is_said(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "screen.mp4", shades(8))
    words = ("capture", "--slip", "A11P", "--side", "left", "--region", "upper_outer")
    assert typed(tmp_path, "register", "--slip", "A11P", "--organ", "breast", "--consent", "screening,ai") == 0
    assert typed(tmp_path, *words, "--seconds", "60") == 2
    assert "van.toml has no [[capture]]" in capsys.readouterr().err
    (vault.folder / "van.toml").write_text(f'[[capture]]\nfile = "{tmp_path / "screen.mp4"}"\nspacing_mm = 0.1\n')
    assert typed(tmp_path, *words) == 2
    assert "--seconds or --until-stopped" in capsys.readouterr().err
    assert typed(tmp_path, *words, "--seconds", "60") == 3
    told = capsys.readouterr()
    assert "8 frames recorded" in told.out
    assert "no picture comes any more" in told.err
    with spool_of(vault) as spool:
        (screening,) = spool.screenings()
        assert (screening.sequences, screening.frames) == (1, 8)
