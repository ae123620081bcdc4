"""deploy/kubernetes: made from compose.yaml, valid by Kubernetes' own schemas, closed by default.

No cluster is needed, and none runs it here: that pods start is not tested. The broker's script is run, with small ones
in the place of Kafka's own.
"""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sonovan.contracts.topics import STAGES
from sonovan.deploy import kafka_config
from tests.deploy import manifests
from tests.deploy.manifests import BROKERS, FOLDER, LEFT_OUT, ROOT
from tests.programs import FORMATS, install_kafka

SCHEMAS = "1.31"
"""The version of Kubernetes whose schemas are taken. The pod's index, which workers are told, came with 1.28."""

PLACE_OF_ITS_OWN = {"POD_INDEX", "SONOVAN_BROKER_CONTROLLER_PASSWORD", "SONOVAN_BROKER_CLUSTER_ID", "DATABASE_PASSWORD"}
"""What containers are told in Kubernetes alone."""


@cache
def objects() -> tuple[dict[str, Any], ...]:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    return tuple(each for name in listed for each in yaml.safe_load_all((FOLDER / name).read_text()))


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in objects() if each["kind"] == kind}


def workloads() -> dict[str, dict[str, Any]]:
    return of("StatefulSet") | of("Deployment") | of("Job")


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = workloads()[name]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    (only,) = pod(name)["containers"]
    return dict(only)


@cache
def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return {name: each for name, each in loaded.items() if name not in LEFT_OUT}


def test_the_files_are_what_the_generator_makes_of_compose_and_kustomize_takes_all_of_them() -> None:
    made = manifests.manifests()
    assert {file.name: file.read_text() for file in FOLDER.glob("*.yaml")} == made, "type make kubernetes"
    listed = yaml.safe_load(made["kustomization.yaml"])["resources"]
    assert sorted(listed) == sorted(made.keys() - {"kustomization.yaml"})


@pytest.mark.parametrize("each", objects(), ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_object_is_valid_by_the_schemas_of_kubernetes(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, SCHEMAS, strict=True)


def test_a_misspelt_field_is_not_valid() -> None:
    wrong = {**of("StatefulSet")["segment"], "spec": {**of("StatefulSet")["segment"]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, SCHEMAS, strict=True)


def test_services_images_and_variables_are_those_of_compose() -> None:
    assert workloads().keys() == services().keys()
    for name, described in services().items():
        assert container(name)["image"] == described["image"]
        told = {each["name"] for each in container(name)["env"]}
        assert told - PLACE_OF_ITS_OWN == set(described.get("environment") or {}), name


def test_what_compose_takes_as_a_secret_is_a_reference_to_the_same_secret_and_no_secret_is_written_down() -> None:
    for name, described in services().items():
        told = {each["name"]: each for each in container(name)["env"]}
        for key, value in (described.get("environment") or {}).items():
            needed = re.fullmatch(r"\$\{(\w+):\?[^}]*\}", str(value))
            if needed:
                reference = told[key]["valueFrom"]["secretKeyRef"]
                assert reference == {"name": "sonovan", "key": needed[1]}, (name, key)
            elif re.search(r"PASSWORD|SECRET|ACCESS_KEY|RECEIPTS", key):
                assert told[key]["valueFrom"]["secretKeyRef"]["optional"] is True, (name, key)
    assert not of("Secret")


def test_what_compose_has_a_default_for_has_the_same_one_here() -> None:
    given = of("ConfigMap")["sonovan-settings"]["data"]
    values = [str(value) for each in services().values() for value in (each.get("environment") or {}).values()]
    said = dict(found.groups() for each in values if (found := re.fullmatch(r"\$\{(\w+):-([^${}]*)\}", each)))
    assert given == {key: value for key, value in said.items() if key in given}
    assert given["SONOVAN_INTENDED_USE"] == "research"
    assert said.keys() - given.keys() <= {*manifests.TOLD_BY_THE_SITE, "SONOVAN_BASE"}  # what images are built from


def test_pods_may_write_to_their_volumes_alone_have_no_rights_of_root_and_a_bound() -> None:
    for name in workloads():
        spec, only = pod(name), container(name)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert only["resources"]["limits"]["memory"]
        assert only["resources"]["requests"].keys() == {"cpu", "memory"}


def test_a_worker_is_started_again_where_it_is_not_alive_and_not_where_it_only_waits() -> None:
    for stage in STAGES:
        only = container(stage)
        asks = services()[stage]["healthcheck"]["test"][1:]
        assert only["readinessProbe"]["exec"]["command"] == asks
        assert only["livenessProbe"]["exec"]["command"] == [*asks[:-1], "/healthz"]
        assert only["command"][-1] == f"exec sonovan worker {stage} --instance $((POD_INDEX + 1))"


def test_topics_are_made_once_every_broker_is_there() -> None:
    assert container("setup")["args"] == [*services()["setup"]["command"], "--brokers", str(BROKERS)]
    assert workloads()["broker"]["spec"]["replicas"] == BROKERS


def test_no_disruption_takes_two_of_a_kind() -> None:
    budgets = of("PodDisruptionBudget")
    assert budgets.keys() == workloads().keys() - {"setup"}
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets.values())
    for name in ("broker", "minio"):  # and no machine has two
        assert "requiredDuringSchedulingIgnoredDuringExecution" in pod(name)["affinity"]["podAntiAffinity"]


def test_a_newer_build_of_the_store_waits_for_a_person_who_replaces_all_its_pods_at_once() -> None:
    strategies = {name: each["spec"].get("updateStrategy") for name, each in of("StatefulSet").items()}
    assert {name: each for name, each in strategies.items() if each} == {"minio": {"type": "OnDelete"}}


def test_nobody_speaks_but_who_is_named_at_both_ends() -> None:
    policies = of("NetworkPolicy")
    closed = policies.pop("nobody-speaks")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies.keys() == workloads().keys()
    said, taken = set(), set()
    for name, each in policies.items():
        said |= {(name, *peer) for rule in each["spec"]["egress"] for peer in _peers(rule, "to")}
        taken |= {
            (peer[0], name, *peer[1:]) for rule in each["spec"].get("ingress", ()) for peer in _peers(rule, "from")
        }
    assert said == taken
    assert ("segment", "broker", 19092) in said
    assert {who for who, whom, port in said if port == 9093} == {"broker"}
    open_to_all = {
        (name, port["port"])
        for name, each in policies.items()
        for rule in each["spec"].get("ingress", ())
        if "from" not in rule
        for port in rule["ports"]
    }
    assert open_to_all <= {("broker", 9094), ("console", 8080)}


def test_prometheus_alone_comes_from_another_namespace_and_finds_what_compose_publishes_of_metrics() -> None:
    measured = {
        name for name, each in services().items() if any(str(port).endswith(":9464") for port in each.get("ports", ()))
    }
    assert measured == {*STAGES, "console"}
    let_in = {
        name: [(rule["from"], rule["ports"]) for rule in each["spec"].get("ingress", ()) if _is_elsewhere(rule)]
        for name, each in of("NetworkPolicy").items()
    }
    asks = {
        "namespaceSelector": {"matchLabels": {"sonovan-watches": "metrics"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
    }
    ports = [{"protocol": "TCP", "port": 9464}]
    assert {name: rules for name, rules in let_in.items() if rules} == {name: [([asks], ports)] for name in measured}
    named = {
        name for name in workloads() if {"name": "metrics", "containerPort": 9464} in container(name).get("ports", ())
    }
    assert named == measured
    for name in measured:
        spec = of("Service")[name]["spec"]
        assert {"name": "metrics", "port": 9464} in spec["ports"]
        assert name == "console" or spec["publishNotReadyAddresses"], "one that waits says so by its metrics"
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus/kubernetes.yaml").read_text())["scrape_configs"]
    (asked,) = job["dns_sd_configs"]
    assert (asked["type"], asked["port"]) == ("A", 9464)
    assert sorted(asked["names"]) == sorted(f"{name}.sonovan.svc" for name in measured)
    assert "sonovan-watches=metrics" in (FOLDER / "README.md").read_text()


def _is_elsewhere(rule: dict[str, Any]) -> bool:
    return any("namespaceSelector" in peer for peer in rule.get("from", ()))


def _peers(rule: dict[str, Any], end: str) -> list[tuple[str, int]]:
    """The pods of this namespace at one end of a rule, with the ports."""
    names = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for peer in rule.get(end, ())
        if "podSelector" in peer and "namespaceSelector" not in peer
    ]
    return [(name, port["port"]) for name in names for port in rule["ports"]]


def test_the_brokers_script_makes_a_cluster_as_several_hosts_have_it(tmp_path: Path) -> None:
    for number in range(BROKERS):
        found = _broker(tmp_path / str(number), f"broker-{number}")
        place = kafka_config.BrokerPlace(1, 2, "a", "n", 3, node=number + 1)
        expected = _properties(
            kafka_config.properties(
                place,
                cluster=[kafka_config.BrokerPlace(1, 2, "a", "n", 3, node=each + 1) for each in range(BROKERS)],
                vans_keystore="k", admin="admin", admin_password="a", controller_password="c", data="d",
                max_message_bytes=1000,
            )
        )  # fmt: skip
        about = re.compile(r"replication\.factor|min\.isr|min\.insync|node\.id|heartbeat|session")
        assert {key: value for key, value in found.items() if about.search(key)} == {
            key: value for key, value in expected.items() if about.search(key) and key in found
        }
        voters = ",".join(f"{each + 1}@broker-{each}.broker:9093" for each in range(BROKERS))
        assert found["controller.quorum.voters"] == voters
        assert "HOST://127.0.0.1:9092," in found["listeners"]
        assert f"INTERNAL://broker-{number}.broker:19092" in found["advertised.listeners"]
        assert f"VANS://vans-{number}.example:9094" in found["advertised.listeners"]
        assert 'password="cccccccccccccccc"' in found["listener.name.controller.plain.sasl.jaas.config"]
        assert (tmp_path / str(number) / "data" / "log" / "id").read_text() == "i" * 22


def test_the_brokers_script_refuses_what_does_not_make_a_cluster(tmp_path: Path) -> None:
    for number, (changed, named) in enumerate(
        (
            ({"HOSTNAME": "broker-3"}, "HOSTNAME"),
            ({"SONOVAN_VANS_NAMES": "vans-0.example"}, "SONOVAN_VANS_NAMES"),
            ({"SONOVAN_BROKER_CLUSTER_ID": ""}, "SONOVAN_BROKER_CLUSTER_ID"),
        )
    ):
        run = _run(tmp_path / str(number), {"HOSTNAME": "broker-0"} | changed)
        assert (run.returncode, named in run.stderr) == (2, True), run.stderr


def _broker(folder: Path, name: str) -> dict[str, str]:
    run = _run(folder, {"HOSTNAME": name})
    assert run.returncode == 0, run.stderr
    return _properties((folder / "data" / "started").read_text())


def _run(folder: Path, changed: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Kafka's own scripts are small ones here: one formats and keeps the id, one keeps the properties."""
    keeps_id = 'sed -n "/--cluster-id/{n;p}" "${2#@}" | tr -d "\\n" >"$KAFKA_DATA/formatting/id"'
    told = install_kafka(folder, storage=f"{FORMATS}\n{keeps_id}", server='cp "$1" "$KAFKA_DATA/started"')
    (folder / "tmp").mkdir()
    scripts = folder / "scripts"
    scripts.mkdir()
    for name, text in of("ConfigMap")["sonovan-broker"]["data"].items():
        (scripts / name).write_text(text)
    environment = told | {
        "TMPDIR": str(folder / "tmp"), "BROKER_RUN": str(folder / "tmp" / "run"),
        "SONOVAN_VANS_NAMES": "vans-0.example,vans-1.example,vans-2.example",
        "SONOVAN_KAFKA_DISK_LEAST_MB": "1",
        "SONOVAN_BROKER_CONTROLLER_PASSWORD": "c" * 16, "SONOVAN_BROKER_CLUSTER_ID": "i" * 22,
    }  # fmt: skip
    return subprocess.run(
        ["/bin/bash", scripts / "broker-of-three.sh"],
        env=environment | changed, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
