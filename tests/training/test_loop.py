"""The schedule, and a run that is cut off."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from dataclasses import replace
from threading import Thread

from training import loop
from training.batches import Batch
from training.loop import Plan, Run, one_cycle, validate
from training.samples import Sample, simulated

pytestmark = pytest.mark.training

PLAN = Plan(epochs=3, batch=2, pretrained=False, shares=(("simulated", 0.5),))


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return simulated(0, 2, 4, 64, lambda line: None)


def rates_of(run: Run, until: int) -> list[list[float]]:
    """Trains up to epoch `until` and returns the rates before each epoch and after the last."""
    seen = [run.rates()]
    while run.epoch < until:
        run.finish(lambda line: None, until=run.epoch + 1)
        seen.append(run.rates())
    return seen


def test_the_cycle_rises_once_and_falls_once() -> None:
    factors = [one_cycle(step, 1000) for step in range(1001)]
    top = factors.index(max(factors))
    assert factors[0] == pytest.approx(0.05)
    assert max(factors) == pytest.approx(1)
    assert factors[:top] == sorted(factors[:top])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert factors[-1] == pytest.approx(1e-3)


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, samples: list[Sample]) -> None:
    whole = Run(PLAN, tmp_path / "whole", samples, [])
    rates = rates_of(whole, 3)
    rates_of(Run(PLAN, tmp_path / "cut", samples, []), 1)
    resumed = Run(PLAN, tmp_path / "cut", samples, [])
    assert resumed.resume()
    assert (resumed.epoch, resumed.step) == (1, 2)
    assert rates_of(resumed, 3) == rates[1:]
    assert resumed.step == whole.step
    for mine, theirs in zip(resumed.kept.parameters(), whole.kept.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_run_cut_off_within_an_epoch_goes_on_within_it(
    tmp_path: Path, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, shares=(("simulated", 1.0),), epochs=1)  # four batches
    whole = Run(plan, tmp_path / "whole", samples, [])
    whole.finish(lambda line: None)
    monkeypatch.setattr(loop, "SAVE_S", 0.0)
    cut = Run(plan, tmp_path / "cut", samples, [])
    backward = cut.lanes.backward

    def third_fails(batch: Batch, key: tuple[int, int]) -> tuple[float, object]:
        if cut.step == 2:
            raise KeyboardInterrupt
        return backward(batch, key)

    monkeypatch.setattr(cut.lanes, "backward", third_fails)
    with pytest.raises(KeyboardInterrupt):
        cut.finish(lambda line: None)
    resumed = Run(plan, tmp_path / "cut", samples, [])
    assert resumed.resume()
    assert (resumed.epoch, resumed.step) == (0, 2)
    resumed.finish(lambda line: None)
    assert resumed.step == whole.step == 4
    assert resumed.history[-1]["loss"] == pytest.approx(whole.history[-1]["loss"], abs=1e-4)
    for mine, theirs in zip(resumed.kept.parameters(), whole.kept.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_new_run_has_nothing_to_resume(tmp_path: Path, samples: list[Sample]) -> None:
    assert not Run(PLAN, tmp_path, samples, []).resume()


def test_another_plan_is_refused_but_another_length_is_not(tmp_path: Path, samples: list[Sample]) -> None:
    Run(PLAN, tmp_path, samples, []).finish(lambda line: None, until=1)
    with pytest.raises(ValueError, match="another plan"):
        Run(replace(PLAN, seed=1), tmp_path, samples, []).resume()
    assert Run(replace(PLAN, epochs=5), tmp_path, samples, []).resume()


def test_validation_scores_lesions_and_empty_pictures(samples: list[Sample]) -> None:
    class Everything(torch.nn.Module):  # type: ignore[misc]  # torch is absent for mypy
        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(frames), 2, *frames.shape[-2:])

    scores = validate(Everything(), samples)
    assert 0 < scores["simulated"] < 0.5
    assert scores["simulated_empty"] == 0


def test_foreign_pictures_are_told_by_organ(samples: list[Sample]) -> None:
    class Nothing(torch.nn.Module):  # type: ignore[misc]  # torch is absent for mypy
        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return torch.full((len(frames), 2, *frames.shape[-2:]), -9.0)

    empty = [replace(sample, set="other", mask=sample.mask * 0) for sample in samples]
    scores = validate(Nothing(), [*samples, *empty])
    assert scores["other_breast_empty"] == scores["other_thyroid_empty"] == 1
    assert scores["simulated_found"] == 0


def test_what_was_wrong_is_shown_again_also_after_a_cut(tmp_path: Path, samples: list[Sample]) -> None:
    plan = replace(PLAN, hard=0.25, frozen=True, held=2)
    run = Run(plan, tmp_path, samples, [])
    assert run.hardest() == []
    run.finish(lambda line: None, until=1)
    assert len(run.hardest()) == round(0.25 * len(samples))
    resumed = Run(plan, tmp_path, samples, [])
    assert resumed.resume()
    assert resumed.hardest() == run.hardest()


def test_a_paused_run_waits_and_goes_on(tmp_path: Path, samples: list[Sample]) -> None:
    pause = tmp_path / "PAUSE"
    pause.touch()
    run = Run(PLAN, tmp_path / "run", samples, [], pause)
    thread = Thread(target=run.finish, args=(lambda line: None, 1))
    thread.start()
    thread.join(2)
    assert run.step == 0
    pause.unlink()
    thread.join(60)
    assert run.epoch == 1
