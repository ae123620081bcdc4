"""The schedule, and a run that is cut off."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from dataclasses import replace

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
