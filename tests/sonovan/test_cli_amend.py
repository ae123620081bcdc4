"""`sonovan van amend` without a centre: what is kept, and what is said of what cannot be."""

from pathlib import Path

import pytest

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.ids import mint_id
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.vault import Vault
from tests.producers.visits import SIGNER, VISIT
from tests.sonovan.test_cli_van import spool_of, typed, vault

__all__ = ["vault"]


def sent(vault: Vault) -> str:
    """A screening of two sweeps in the van's spool."""
    with spool_of(vault) as spool:
        sources = simulated_sources("breast", 2, 2, 0)
        screening = spool.open_screening(VISIT, SIGNER, sources)
        for source in sources:
            compose_sequence(screening, source, mint_id())
        screening.close()
    return screening.screening_id


def test_without_a_link_the_amendment_is_kept_with_the_commands_words(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = sent(vault)
    with spool_of(vault) as spool:
        first, _ = spool.sequence_ids(name)
    words = ["side", name, "--to", "right", "--sequence", first, "--plan-too", "--by", "op-7", "--give-up-s", "1"]
    assert typed(tmp_path, "amend", *words) == 4
    assert "amendment 1 is kept on the van, send it by: sonovan van spool retry" in capsys.readouterr().err
    with spool_of(vault) as spool:
        message = spool.load(f"{name}/amended/1")
    assert message is not None
    record = ScreeningAmended.decode(open_envelope(message.value).header)
    assert record.amendment.model_dump() == {
        "kind": "side",
        "sequence_ids": (first,),
        "laterality": "right",
        "planned_too": True,
    }
    assert (record.because, record.by) == ("side_entered_wrong", "op-7")


def test_what_stays_because_she_withdrew_is_erased_by_a_command_after_a_yes(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = sent(vault)
    assert typed(tmp_path, "spool", "erase", name, "--yes") == 2
    assert f"nothing of {name} is withheld" in capsys.readouterr().err
    assert typed(tmp_path, "amend", "consent", name, "--withdraw", "ai", "--give-up-s", "1") == 4
    assert typed(tmp_path, "spool", "erase", name) != 0, "nobody said yes"
    capsys.readouterr()
    assert typed(tmp_path, "spool", "erase", name, "--yes") == 0
    assert "4 items erased" in capsys.readouterr().out
    assert typed(tmp_path, "spool", "erase", name, "--yes") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["side", "{}", "--to", "right"], "say which sweeps show another side"),
        (["side", "{}", "--to", "up", "--sequence", "{}"], "the screening has"),
        (["void", "{}", "--because", "two_slips"], "--because is one of wrong_woman, no_screening"),
        (["void", "{}", "--because", "no_screening", "--by", "Wang"], "--by is a code such as op-7"),
        (["woman", "{}", "--person", " ", "--because", "two_slips"], "--person: the person id is empty"),
        (["woman", "{}", "--person", "p", "--slip", "A12", "--because", "two_slips"], "--slip: it is not what"),
        (["consent", "{}", "--withdraw", "dancing"], "say words of screening,ai,research,sharing"),
        (["undo", "{}", "--number", "3"], "has 0 amendments, not so many"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_kept(
    words: list[str], told: str, vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = sent(vault)
    assert typed(tmp_path, "amend", *(each.format(name) for each in words)) == 2
    assert told in capsys.readouterr().err
    with spool_of(vault) as spool:
        assert spool.load(f"{name}/amended/1") is None


def test_a_screening_that_this_van_never_sent_is_named(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = mint_id()
    assert typed(tmp_path, "amend", "void", other, "--because", "no_screening") == 2
    assert other in capsys.readouterr().err
