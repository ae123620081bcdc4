"""compose.yaml: no default secrets, nothing beyond loopback, pinned images, one version of everything.

No container engine is needed here; `make containers-test` (tests/containers) builds the images and runs them.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.contracts.log_lines import LogSettings
from sonovan.contracts.settings import variables_of
from sonovan.contracts.topics import STAGES, Writer
from sonovan.deploy.cache import kafka_jars, minio_build
from sonovan.models.settings import ModelSettings
from sonovan.storage.settings import ACCOUNT_SETTINGS, ObjectStoreSettings
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.assess.settings import AssessSettings, ProgrammeSettings
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.settings import ReceiptSettings, WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose.yaml"
ENV_SCRIPT = ROOT / "deploy" / "compose" / "env.sh"
BROKER_SCRIPT = ROOT / "deploy" / "compose" / "broker.sh"
FIXED_IN_CONTAINERS = {
    "SONOVAN_CATALOG_READER_URL",  # of whoever asks
    "SONOVAN_DISK_FOLDERS",  # a container sees its own volume alone
    "SONOVAN_HEALTH_HOST",
    "SONOVAN_HEALTH_PORT",
    "SONOVAN_KAFKA_CA",  # of vans: the centre's workers use the listener inside
    "SONOVAN_KAFKA_PROXY",  # of vans: the centre's workers stand beside the broker
    "SONOVAN_MODELS_WEIGHTS_DIR",
    "SONOVAN_S3_QUARANTINE_DAYS",  # of whoever makes the buckets
    "SONOVAN_S3_REGION",
}
"""Settings that .env may not change: the containers fix them, or have another place for them."""

WORKERS = tuple(stage.value for stage in STAGES)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return loaded


def test_every_secret_must_be_given(services: dict[str, dict[str, Any]]) -> None:
    secret = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|MINIO_ROOT_USER")
    given = {
        (service, name): value
        for service, described in services.items()
        for name, value in (described.get("environment") or {}).items()
        if secret.search(name)
    }
    assert len(given) > 10
    assert [
        key for key, value in given.items() if value is not None and not re.fullmatch(r"\$\{\w+:\?.+\}", value)
    ] == []


def test_ports_are_published_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    published = [port for described in services.values() for port in described.get("ports", ())]
    assert published
    vans = "${SONOVAN_VANS_ADDRESS:-127.0.0.1}:${SONOVAN_VANS_PORT:-9094}:9094"  # elsewhere where .env says so
    assert [port for port in published if not port.startswith("127.0.0.1:")] == [vans]


def test_images_are_pinned_and_services_watched(services: dict[str, dict[str, Any]]) -> None:
    assert all(re.search(r":[\w.-]*\d[\w.-]*$", described["image"]) for described in services.values())
    assert {name for name, described in services.items() if "healthcheck" not in described} == {
        "settings",
        "certificates",
        "setup",
        "doctor",
    }


def test_containers_and_local_run_the_same_versions(services: dict[str, dict[str, Any]]) -> None:
    assert services["broker"]["image"] == f"sonovan-broker:{kafka_jars()}"
    assert services["broker"]["build"]["context"] == "deploy/jars"
    assert services["minio"]["image"] == f"sonovan-minio:{minio_build()}"
    assert services["minio"]["build"]["context"] == "deploy/store"
    store = (ROOT / "deploy" / "store" / "Dockerfile").read_text()
    assert "build.sh guard.go" in store
    assert re.search(r"&& sh /build/build.sh /out$", store, re.MULTILINE)


def test_every_image_is_built_from_the_one_base_that_a_setting_names(services: dict[str, dict[str, Any]]) -> None:
    built = {described["image"]: described["build"] for described in services.values() if "build" in described}
    assert built.keys() == {described["image"] for described in services.values()}
    assert {build["args"]["BASE"] for build in built.values()} == {"${SONOVAN_BASE:-debian:bookworm-slim}"}


def test_no_container_has_rights_or_a_disk_of_its_own_to_write_to(services: dict[str, dict[str, Any]]) -> None:
    van = yaml.safe_load((ROOT / "deploy" / "compose" / "van.yaml").read_text())["services"]["van"]
    for name, described in (*services.items(), ("van", van)):
        assert described["read_only"] is True, name
        assert described["cap_drop"] == ["ALL"], name
        assert described.get("cap_add", []) == (["DAC_READ_SEARCH"] if name == "settings" else []), name
        assert described["security_opt"] == ["no-new-privileges:true"], name
        assert described["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert "privileged" not in described, name


def test_what_a_build_is_told_of_this_machine_is_a_secret_that_no_layer_keeps(
    services: dict[str, dict[str, Any]],
) -> None:
    told = yaml.safe_load(COMPOSE.read_text())["secrets"]
    assert all(re.fullmatch(r"\$\{SONOVAN_BUILD_\w+:-/dev/null\}", each["file"]) for each in told.values())
    for described in services.values():
        build = described.get("build")
        if build is None:
            continue
        text = (ROOT / build["context"] / build.get("dockerfile", "Dockerfile")).read_text()
        mounted = set(re.findall(r"--mount=type=secret,id=(\w+)", text))
        assert mounted == set(build.get("secrets", [])) <= told.keys()
        assert set(re.findall(r"/run/secrets/(\w+)", text)) == mounted
        assert not re.search(r"^(ARG|ENV) .*(PASSWORD|TOKEN|INDEX_URL)", text, re.MULTILINE)


def test_each_worker_logs_in_as_itself_with_its_own_volume(services: dict[str, dict[str, Any]]) -> None:
    for name in WORKERS:
        environment = services[name]["environment"]
        assert environment["SONOVAN_KAFKA_USERNAME"] == name
        assert f"SONOVAN_KAFKA_{name.upper()}_PASSWORD" in environment["SONOVAN_KAFKA_PASSWORD"]
        assert f"SONOVAN_S3_{name.upper()}_ACCESS_KEY" in environment["SONOVAN_S3_ACCESS_KEY"]
        assert f"SONOVAN_S3_{name.upper()}_SECRET_KEY" in environment["SONOVAN_S3_SECRET_KEY"]
        assert services[name]["volumes"][0] == f"{name}:/data"


def test_the_sites_rules_reach_alert_where_env_names_a_file_and_nothing_does_where_it_names_none(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = services["alert"]
    (mount,) = alert["volumes"][1:]
    inside = mount.removesuffix(":ro").rpartition(":")[2]
    assert mount == f"${{SONOVAN_ALERT_RULES_FILE:-/dev/null}}:{inside}:ro"
    assert alert["environment"]["SONOVAN_ALERT_RULES_FILE"] == f"${{SONOVAN_ALERT_RULES_FILE:+{inside}}}"
    for given, read in ((inside, Path(inside)), ("", None)):
        monkeypatch.setenv("SONOVAN_ALERT_DATABASE_URL", "sqlite:///x")
        monkeypatch.setenv("SONOVAN_ALERT_RULES_FILE", given)
        assert AlertSettings().rules_file == read


def test_mounted_files_and_dockerfiles_exist(services: dict[str, dict[str, Any]]) -> None:
    mounted = [volume.split(":")[0] for described in services.values() for volume in described.get("volumes", ())]
    assert all((ROOT / path).is_file() for path in mounted if path.startswith("./") and path != "./.env")
    builds = [described["build"] for described in services.values() if "build" in described]
    assert all((ROOT / build["context"] / build.get("dockerfile", "Dockerfile")).is_file() for build in builds)


def test_the_broker_runs_the_checked_jars_alone() -> None:
    dockerfile = (ROOT / "deploy" / "jars" / "Dockerfile").read_text()
    assert "COPY pom.xml sha256sums fetch.sh /build/" in dockerfile
    assert re.search(r"mkdir /libs && sh /build/fetch.sh /libs$", dockerfile, re.MULTILINE)
    assert "COPY --from=jars /libs /opt/kafka/libs\n" in dockerfile
    assert '-cp "$folder/../libs/*"' in (ROOT / "deploy" / "jars" / "kafka.sh").read_text()


def test_the_console_gets_the_settings_that_it_reads_and_no_others(services: dict[str, dict[str, Any]]) -> None:
    known = {f"SONOVAN_CONSOLE_{field}".upper() for field in ConsoleSettings.model_fields}
    given = {each for each in services["console"]["environment"] if each.startswith("SONOVAN_CONSOLE_")}
    assert given <= known
    assert known - given == {"SONOVAN_CONSOLE_KEY_FILE", "SONOVAN_CONSOLE_DIRECTIONS_FILE"}, "files of the container"


def test_prometheus_finds_metrics_where_compose_publishes_them(services: dict[str, dict[str, Any]]) -> None:
    told = json.loads((ROOT / "deploy" / "prometheus" / "containers.json").read_text())
    published = {
        name: re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port).removesuffix(":9464")
        for name, described in services.items()
        for port in described.get("ports", ())
        if port.endswith(":9464")
    }
    assert published.keys() == {*WORKERS, "console"}
    assert {each["labels"]["job"]: each["targets"] for each in told} == {
        f"sonovan-{name}": [address] for name, address in published.items()
    }
    for name in published:
        environment = services[name]["environment"]
        mine = "SONOVAN_CONSOLE_METRICS" if name == "console" else "SONOVAN_HEALTH"
        assert (environment[f"{mine}_HOST"], environment[f"{mine}_PORT"]) == ("0.0.0.0", "9464")


def test_the_doctor_looks_at_what_the_setup_made_with_its_accounts_and_is_started_by_hand(
    services: dict[str, dict[str, Any]],
) -> None:
    doctor, setup = services["doctor"], services["setup"]
    assert doctor["profiles"] == ["doctor"]
    assert setup["environment"].items() <= doctor["environment"].items()
    for stage, name in (("catalog", "SONOVAN_CATALOG_DATABASE_URL"), ("console", "SONOVAN_CONSOLE_DATABASE_URL")):
        assert doctor["environment"][name] == services[stage]["environment"][name]
    assert doctor["volumes"] == ["certificates:/certificates:ro"]


def test_env_script_gives_all_that_compose_asks_for_and_never_again(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "compose" / "env.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes(ENV_SCRIPT.read_bytes())
    subprocess.run(["/bin/sh", script], check=True)
    written = tmp_path / ".env"
    first = written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    given = dict(line.split("=", 1) for line in first.splitlines() if not line.startswith("#"))
    assert set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text())) <= given.keys()
    assert all(len(value) >= 40 for value in given.values())
    assert len(set(given.values())) == len(given)
    assert given["SONOVAN_S3_SEGMENT_ACCESS_KEY"].startswith("segment.")
    subprocess.run(["/bin/sh", script], check=True)
    assert written.read_text() == first


def test_each_worker_gets_the_settings_that_it_reads_and_no_others(services: dict[str, dict[str, Any]]) -> None:
    stages: dict[str, tuple[type[BaseSettings], ...]] = {
        "segment": (SegmentSettings, ModelSettings, ReceiptSettings),
        "assess": (AssessSettings, ProgrammeSettings, ReceiptSettings),
        "alert": (AlertSettings,),
        "catalog": (CatalogSettings,),
    }
    for name, own in stages.items():
        known, needed = set(), set()
        for kind in (BrokerSettings, WorkerSettings, ObjectStoreSettings, LogSettings, *own):
            prefix = kind.model_config["env_prefix"]
            known |= {f"{prefix}{field}".upper() for field in kind.model_fields}
            needed |= {f"{prefix}{n}".upper() for n, field in kind.model_fields.items() if field.is_required()}
        given = {each for each in services[name]["environment"] if each.startswith("SONOVAN_")}
        assert given <= known, name
        assert needed <= given, name
        assert known - given <= FIXED_IN_CONTAINERS, name


def test_the_one_message_size_and_the_accounts_are_those_of_the_topic_table(
    services: dict[str, dict[str, Any]],
) -> None:
    sizes = {
        (described.get("environment") or {}).get("SONOVAN_KAFKA_MAX_MESSAGE_BYTES") for described in services.values()
    }
    assert sizes - {None} == {f"${{SONOVAN_KAFKA_MAX_MESSAGE_BYTES:-{MAX_MESSAGE_BYTES}}}"}
    accounts = {name.split("_")[2].lower() for name in services["broker"]["environment"] if name.endswith("_PASSWORD")}
    assert accounts == {writer.value for writer in Writer if writer is not Writer.VAN} | {"admin"}


def test_the_setup_makes_topics_access_buckets_and_accounts(services: dict[str, dict[str, Any]]) -> None:
    setup = services["setup"]
    assert setup["command"] == ["topics", "create", "--buckets"]
    told = set(setup["environment"])
    assert {"SONOVAN_S3_ENDPOINT", "SONOVAN_KAFKA_BOOTSTRAP"} <= told
    assert all(variables_of(kind) <= told for kind in ACCOUNT_SETTINGS.values())
    assert "SONOVAN_S3_ROOT_ACCESS_KEY" in setup["environment"]["SONOVAN_S3_ACCESS_KEY"]
    assert setup["environment"]["SONOVAN_KAFKA_USERNAME"] == "admin"
