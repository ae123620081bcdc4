"""A short run of the fuzz: whatever is damaged ends with frames or a named reason."""

import threading
from pathlib import Path

import pytest

from benchmarks.fuzz import KINDS, Kind, fuzz


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_inputs_end_with_frames_or_a_named_reason(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.fuzz.BOUND_S", 60.0)  # other tests share the machine
    outcomes = list(fuzz([kind], iter(range(120)), tmp_path))
    assert [outcome for outcome in outcomes if outcome.fault] == []
    assert sum("read" in outcome.told for outcome in outcomes) > 20
    assert sum(outcome.told != ("read",) for outcome in outcomes) > 40


def test_a_reader_that_fails_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("nobody foresaw it")

    monkeypatch.setattr("benchmarks.fuzz.open_sources", fails)
    (outcome,) = fuzz([Kind("text", ".txt", lambda _rng: b"text")], iter([1]), tmp_path)
    assert outcome.fault is not None
    assert "nobody foresaw it" in outcome.fault


def test_an_input_that_takes_too_long_or_too_much_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Kind("text", ".txt", lambda _rng: b"text")
    monkeypatch.setattr("benchmarks.fuzz.open_sources", lambda *_: bytearray(2**32))
    (large,) = fuzz([text], iter([1]), tmp_path)
    assert "MemoryError" in (large.fault or "")
    monkeypatch.setattr("benchmarks.fuzz.BOUND_S", 0.3)
    monkeypatch.setattr("benchmarks.fuzz.open_sources", lambda *_: threading.Event().wait())
    (slow,) = fuzz([text], iter([2]), tmp_path)
    assert "longer than" in (slow.fault or "")
