"""deploy/systemd: units that systemd takes, that run what `sonovan up` runs, and secrets that only root reads."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from sqlalchemy import make_url

from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import PEOPLE, STAGES, Writer, van_answered_topic
from sonovan.deploy import kafka, kafka_config, minio
from sonovan.deploy.state import StateFolder
from sonovan.storage.access import ACCOUNTS, account_of
from sonovan.storage.settings import ACCOUNT_SETTINGS, ObjectStoreSettings
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.assess.settings import AssessSettings
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.catalog.stage import database_url
from sonovan.stream_apps.quality.settings import QualitySettings
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.settings import ReceiptSettings, WorkerSettings
from tests.conftest import skip_unless_ci

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = (
    "sonovan-kafka", "sonovan-minio", "sonovan-setup", "sonovan-worker@", "sonovan-console", "sonovan-retrier",
)  # fmt: skip
SETTINGS: dict[str, type[BaseSettings]] = {
    "segment": SegmentSettings,
    "assess": AssessSettings,
    "alert": AlertSettings,
    "catalog": CatalogSettings,
    "quality": QualitySettings,
}
LATER_KEYS = ("RestartSteps", "RestartMaxDelaySec")  # systemd 254; an older one says so and goes on
URL_SAFE = re.compile(r"[\w-]{43}")


class Unit(configparser.RawConfigParser):
    """A unit file; of a key that stands there several times all values, a line each."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, dict_type=_Together, interpolation=None, delimiters=("=",))
        self.read_string((UNITS / name).read_text())

    def optionxform(self, optionstr: str) -> str:
        return optionstr

    def environment(self) -> dict[str, str]:
        told = self.get("Service", "Environment", fallback="")
        return dict(pair.split("=", 1) for line in told.splitlines() for pair in shlex.split(line))


class _Together(dict):  # type: ignore[type-arg]
    def __setitem__(self, key: object, value: object) -> None:
        before = self.get(key)
        super().__setitem__(key, [*before, *value] if isinstance(value, list) and isinstance(before, list) else value)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What env.sh writes: file → variable → value."""
    folder = tmp_path_factory.mktemp("etc") / "sonovan"
    subprocess.run(["/bin/sh", UNITS / "env.sh", folder], check=True, capture_output=True)
    return {path.name: _variables(path) for path in folder.iterdir()}


def _variables(path: Path) -> dict[str, str]:
    assert path.stat().st_mode & 0o777 == 0o600
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if not line.startswith("#"))


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine; the other tests read the units")
    own = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, own)
    for program in ("bin/sh", "bin/bash", "opt/sonovan/bin/minio", "opt/sonovan/.venv/bin/sonovan"):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", tmp_path / program)
    for target in ("basic", "multi-user", "network", "shutdown", "sysinit"):  # the machine's own
        (own / f"{target}.target").write_text("[Unit]\nDescription=stands for the machine's own\n")
    names = [name if not name.endswith("@") else f"{name}segment-1" for name in SERVICES]
    told = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tmp_path}", *(f"{name}.service" for name in names), "sonovan.target"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unrecognized option" in told.stderr:
        skip_unless_ci("systemd-analyze is too old to look at another root")
    assert [
        line for line in told.stderr.splitlines() if not any(f"Unknown key '{key}'" in line for key in LATER_KEYS)
    ] == []
    assert told.returncode == 0


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_more_rights_than_it_needs(name: str) -> None:
    service = Unit(f"{name}.service")["Service"]
    assert service["User"].startswith("sonovan")
    assert f"u {service['User']} " in re.sub(" +", " ", (UNITS / "sysusers.conf").read_text())
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["UMask"] == "0077"
    assert service["StateDirectoryMode"] == "0700"


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_ends_is_started_again_for_ever(name: str) -> None:
    """As the supervisor does it (decision 0021): exit 5 is no exception, and there is no limit."""
    unit = Unit(f"{name}.service")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert "RestartPreventExitStatus" not in unit["Service"]
    if name != "sonovan-setup":  # it runs once and ends
        assert unit["Service"]["Restart"] == "always"
        assert unit["Service"]["RestartMaxDelaySec"] == "60"


def test_only_conventional_paths_stand_in_the_units() -> None:
    paths = {
        path
        for file in UNITS.iterdir()
        for path in re.findall(r"(?<![\w./%:}])/(?!/)[a-z][\w.-]*/[\w.-]+", file.read_text())
    }
    allowed = {"/opt/sonovan", "/etc/sonovan", "/var/lib", "/var/cache", "/var/log", "/bin/sh", "/bin/bash"}
    assert paths - allowed <= {"/dev/urandom", "/etc/sysusers.d"}


def test_no_secret_stands_in_a_unit_and_every_environment_file_is_written(written: dict[str, dict[str, str]]) -> None:
    for file in UNITS.glob("*.service"):
        text = file.read_text()
        assert not re.search(r"^(Environment|ExecStart)=.*(PASSWORD|SECRET)", text, re.MULTILINE)
        for named in re.findall(r"^EnvironmentFile=/etc/sonovan/(.+)$", text, re.MULTILINE):
            assert set(written) >= {named.replace("%i", f"{stage}-1") for stage in SETTINGS}
    secrets = {value for file in written.values() for name, value in file.items() if re.search("PASSWORD|SECRET", name)}
    # at the broker every account but the vans' and the admin; at the store every account and root
    assert len(secrets) == (len(Writer) - 1 + 1) + (len(ACCOUNT_SETTINGS) + 1)
    assert all(URL_SAFE.fullmatch(secret) for secret in secrets)


def test_each_account_of_people_has_a_file_of_its_own_and_nobody_elses_password(
    written: dict[str, dict[str, str]],
) -> None:
    for person in PEOPLE:
        own = written[f"{person}.env"]
        assert own["SONOVAN_KAFKA_USERNAME"] == person
        assert own["SONOVAN_KAFKA_PASSWORD"] == written["kafka.env"][f"SONOVAN_KAFKA_{person.upper()}_PASSWORD"]
        assert {name for name in own if name.startswith("SONOVAN_S3_")} == (
            {f"SONOVAN_S3_{part}" for part in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY")} if person in ACCOUNTS else set()
        )


def test_secrets_are_written_once(tmp_path: Path) -> None:
    for _ in range(2):
        subprocess.run(["/bin/sh", UNITS / "env.sh", tmp_path], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    subprocess.run(["/bin/sh", UNITS / "env.sh", tmp_path], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first


def test_each_worker_gets_the_settings_that_it_reads_and_no_others(written: dict[str, dict[str, str]]) -> None:
    assert set(SETTINGS) == {stage.value for stage in STAGES}
    for stage, own in SETTINGS.items():
        known, needed = set(), set()
        answers = (ReceiptSettings,) if stage in van_answered_topic("any").writers else ()
        for kind in (BrokerSettings, WorkerSettings, ObjectStoreSettings, own, *answers):
            prefix = kind.model_config["env_prefix"]
            known |= {f"{prefix}{field}".upper() for field in kind.model_fields}
            needed |= {f"{prefix}{name}".upper() for name, field in kind.model_fields.items() if field.is_required()}
        given = set(written[f"{stage}-1.env"]) | set(Unit("sonovan-worker@.service").environment())
        given = {name for name in given if name.startswith("SONOVAN_")}
        assert given <= known
        assert ("SONOVAN_RECEIPTS_KEY" in given) == bool(answers)
        assert needed <= given
        assert written[f"{stage}-1.env"]["SONOVAN_KAFKA_USERNAME"] == stage
        password = written[f"{stage}-1.env"]["SONOVAN_KAFKA_PASSWORD"]
        assert written["kafka.env"][f"SONOVAN_KAFKA_{stage.upper()}_PASSWORD"] == password


def test_the_console_and_the_retrier_get_settings_that_they_read_and_files_that_they_may_write(
    written: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("console", "retrier"):
        unit = Unit(f"sonovan-{name}.service")
        known = {"SONOVAN_STATE", "SONOVAN_INTENDED_USE"} if name == "console" else set()
        for kind in (BrokerSettings, ObjectStoreSettings, *([ConsoleSettings] if name == "console" else [])):
            known |= {f"{kind.model_config['env_prefix']}{field}".upper() for field in kind.model_fields}
        assert {each for each in written[f"{name}.env"] | unit.environment() if each.startswith("SONOVAN_")} <= known
        assert unit["Service"]["EnvironmentFile"] == f"/etc/sonovan/{name}.env"
        command = unit["Service"]["ExecStart"].split()[1:]
        assert command == (["console"] if name == "console" else ["rejected", "follow"])
    for variable, value in written["console.env"].items():
        monkeypatch.setenv(variable, value)
    settings = read_settings(ConsoleSettings)
    own = Unit("sonovan-console.service")["Service"]["StateDirectory"].split()
    assert [f"/var/lib/{each}" for each in own] == [
        str(Path(str(settings.key_file)).parent), str(Path(str(make_url(str(settings.catalogue_url)).database)).parent)
    ]  # fmt: skip
    assert make_url(str(settings.database_url)).database == f"/var/lib/{own[0]}/console.sqlite"
    stage = Unit("sonovan-worker@.service").environment()["SONOVAN_DATA_DIR"].replace("%i", "catalog-1")
    assert settings.catalogue_url == database_url(CatalogSettings(), Path(stage)), "what the worker catalog writes"
    assert settings.host == "127.0.0.1"


def test_the_setup_alone_has_the_stores_root_and_makes_the_account_of_each_worker(
    written: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, root = written["setup.env"], written["minio.env"]
    assert setup["SONOVAN_S3_ACCESS_KEY"] == root["MINIO_ROOT_USER"]
    assert setup["SONOVAN_S3_SECRET_KEY"] == root["MINIO_ROOT_PASSWORD"]
    for name, value in setup.items():
        monkeypatch.setenv(name, value)
    for account, kind in ACCOUNT_SETTINGS.items():
        keys = read_settings(kind)  # as `sonovan topics create --buckets` reads them
        assert account_of(keys.access_key) == account
        if account in STAGES:
            own = written[f"{account}-1.env"]
            assert own["SONOVAN_S3_ACCESS_KEY"] == keys.access_key
            assert own["SONOVAN_S3_SECRET_KEY"] == keys.secret_key.get_secret_value()


@pytest.mark.parametrize("instance", ["segment-1", "assess-2", "alert-10"])
def test_an_instance_names_stage_and_number(instance: str) -> None:
    line = Unit("sonovan-worker@.service")["Service"]["ExecStart"]
    line = line.replace("$$", "$").replace("%%", "%").replace("%i", instance)  # as systemd reads it
    told = subprocess.run(
        shlex.split(line.replace("exec /opt/sonovan/.venv/bin/sonovan", "echo")),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    stage, number = instance.split("-")
    assert told.stdout.split() == ["worker", stage, "--instance", number]


def test_the_store_runs_as_the_local_one_does(tmp_path: Path) -> None:
    local = minio.prepare(StateFolder(tmp_path / "state"), Path("minio"))
    unit = Unit("sonovan-minio.service")
    local_words = [re.sub(r":\d+$", ":PORT", word) for word in local.argv[1:]]
    assert [re.sub(r":\d+$", ":PORT", word) for word in unit["Service"]["ExecStart"].split()[1:]] == local_words
    told = {name: value for name, value in local.env.items() if not name.startswith("MINIO_ROOT")}
    assert unit.environment() == told


def test_the_broker_is_configured_as_the_local_one_and_takes_the_same_messages() -> None:
    unit = Unit("sonovan-kafka.service")
    assert unit.environment()["SONOVAN_KAFKA_MAX_MESSAGE_BYTES"] == str(MAX_MESSAGE_BYTES)
    local = _properties(
        kafka_config.properties(
            kafka_config.BrokerPlace(port=1, controller_port=2, vans_address="a", vans_name="n", vans_port=3),
            vans_keystore="k",
            admin=kafka.ADMIN, admin_password="a", controller_password="c",
            data="data", max_message_bytes=MAX_MESSAGE_BYTES,
        )
    )  # fmt: skip
    server = _properties((UNITS / "broker.properties").read_text())
    about_listeners = re.compile(r"listener|quorum|inter\.broker\.listener")
    for key, value in server.items():
        if not about_listeners.search(key):
            assert local[key] == value, key
    for key in ("listeners", "advertised.listeners"):
        assert all("//127.0.0.1:" in each for each in server[key].split(",") if not each.startswith("VANS://@"))
    script = (ROOT / "deploy" / "compose" / "broker.sh").read_text()
    assert "vans_address=${SONOVAN_VANS_ADDRESS:-127.0.0.1}" in script
    for key in ("sasl.enabled.mechanisms", "ssl.keystore.type", "ssl.enabled.protocols"):
        assert server[f"listener.name.vans.{key}"] == local[f"listener.name.vans.{key}"]


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_the_guide_names_every_file_and_the_versions_that_run_locally() -> None:
    guide = (ROOT / "docs" / "running.md").read_text()
    pom = (ROOT / "deploy" / "jars" / "pom.xml").read_text()
    (version,) = set(re.findall(r"<artifactId>kafka\w*_2.13</artifactId>\s*<version>([\d.]+)", pom))

    assert f"kafka_2.13-{version}" in guide
    assert "sh deploy/store/build.sh /opt/sonovan/bin" in guide
    assert all(name in guide for name in ("env.sh", "sysusers.conf", *(f"{name}" for name in SERVICES)))
