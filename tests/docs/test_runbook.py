"""Whoever is called finds what to do: a section for every fault and every metric, and none for what is not there."""

import re
from pathlib import Path

from sonovan.console.measured import ConsoleMetric
from sonovan.contracts.faults import FAULTS
from sonovan.producers.measured import VanMetric
from sonovan.stream_apps.metrics import Metric

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
TOLD = r"^### ([a-z0-9_]+)\n\n(\S.{40,})"


def test_every_fault_and_metric_has_a_section_with_something_to_do() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    told = [name for name, _ in re.findall(TOLD, text, flags=re.MULTILINE)]
    metrics = [metric.value.name for kind in (Metric, ConsoleMetric, VanMetric) for metric in kind]
    assert told == [*FAULTS, *metrics]
