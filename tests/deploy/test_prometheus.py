"""Alert rules and dashboard: parsed by Prometheus' own tool, tried one by one, and about metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sonovan.console.measured import ConsoleMetric
from sonovan.contracts.exposition import Described
from sonovan.producers.measured import VanMetric
from sonovan.stream_apps.metrics import Metric
from tests.conftest import skip_unless_ci

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "deploy" / "prometheus"
TRIED = Path(__file__).with_name("rules.yaml")
METRICS: dict[str, Described] = {
    metric.value.name: metric.value for kind in (Metric, ConsoleMetric, VanMetric) for metric in kind
}
RUNNING = ("fingerprint", "provider", "network")
"""Labels of what runs: a worker gives them to `sonovan_worker_info`."""


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        skip_unless_ci("promtool is not there (Debian: prometheus)")
    return str(found)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def ran(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_rule_does_what_its_test_says(promtool: str, tmp_path: Path) -> None:
    tried = tmp_path / "tried.yaml"
    tried.write_text(TRIED.read_text().replace("RULES", str(FOLDER / "rules.yaml")))
    assert "SUCCESS" in ran(promtool, "test", "rules", str(tried))


@pytest.mark.parametrize("name", ["prometheus.yaml", "kubernetes.yaml"])
def test_prometheus_takes_each_configuration_that_is_shipped(promtool: str, name: str) -> None:
    assert "SUCCESS" in ran(promtool, "check", "config", str(FOLDER / name))


def test_every_rule_has_a_test_that_raises_it() -> None:
    tests = yaml.safe_load(TRIED.read_text())["tests"]
    raised = {each["alertname"] for test in tests for each in test["alert_rule_test"] if each["exp_alerts"]}
    assert raised == {rule["alert"] for rule in rules()}


def test_every_expression_of_the_dashboard_parses(promtool: str, tmp_path: Path) -> None:
    recorded = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(dashboard())]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in ran(promtool, "check", "rules", str(file))


@pytest.mark.parametrize("expression", [*(str(rule["expr"]) for rule in rules()), *dashboard()])
def test_rules_and_dashboard_ask_for_metrics_and_labels_that_exist(expression: str) -> None:
    named = set(re.findall(r"\bsonovan_[a-z_]+\b", expression))
    known = {name: METRICS.get(re.sub(r"_(bucket|sum|count)$", "", name), METRICS.get(name)) for name in named}
    assert None not in known.values()
    labels = {
        "stage",
        "instance",
        "van",
        "le",
        "job",
        *RUNNING,
        *(each for one in METRICS.values() for each in one.labels),
    }
    asked = re.findall(r"(?:by|on) \(([a-z_, ]+)\)", expression)
    asked += [",".join(re.findall(r"([a-z_]+)[!=]~?=?\"", inside)) for inside in re.findall(r"{([^}]*)}", expression)]
    assert {label.strip() for group in asked for label in group.split(",") if label.strip()} <= labels


def test_every_metric_of_a_worker_stands_on_the_dashboard() -> None:
    shown = " ".join(dashboard())
    left_out = {name for name in METRICS if name not in shown}
    assert all(name.startswith("sonovan_van_") for name in left_out)


def test_every_alert_says_where_it_stands_what_to_do() -> None:
    runbook = (TOP / "docs" / "runbook.md").read_text()
    for rule in rules():
        file, _, section = rule["annotations"]["runbook"].partition("#")
        assert (TOP / file).is_file()
        assert not section or section.startswith("{{") or f"### {section}\n" in runbook
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_metric_has_a_label_that_could_name_a_woman() -> None:
    allowed = {"topic", "partition", "reason", "step", "fault", "van", "door", "status", "version", "python"}
    assert {label for one in METRICS.values() for label in one.labels} <= allowed
