"""`sonovan up`, `status`, `topics` and `down`, for real."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from minio import Minio

from sonovan.centre import Centre, attach, client_environment, down, start_worker, status, up
from sonovan.console_here import console_address
from sonovan.contracts.answers import RejectedRetried
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.deploy import services
from sonovan.deploy.ports import find_free
from sonovan.storage.keys import Bucket
from sonovan.transport.acls import every_entry
from sonovan.transport.admin import Administrator
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests import command
from tests.command import Told
from tests.conftest import skip_unless_ci
from tests.console.world import Browser
from tests.waiting import until

pytestmark = pytest.mark.services

RETRIED = Topic.REJECTED_RETRIED.value


def sonovan(state: Path, *arguments: str, code: int = 0) -> Told:
    told = command.sonovan(*arguments, environment={"SONOVAN_STATE": str(state)})
    assert told.returncode == code, told.stderr
    return told


def running(state: Path) -> dict[str, int]:
    return {row.name: row.pid for row in status(state) if row.pid is not None}


@pytest.fixture(scope="module")
def started(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre with one app, of this module alone."""
    path = tmp_path_factory.mktemp("up") / "state"
    try:
        yield up(path, apps=("alert",), app_environment={}, console=True)
    finally:
        down(path)


def retried() -> RejectedRetried:
    return RejectedRetried.model_validate(
        {"rejection_id": "0" * 64, "screening_id": mint_id(), "retried_at": "2026-01-01T00:00:00Z"}
    )


def test_a_second_up_restarts_nothing_and_keeps_what_was_written(started: Centre) -> None:
    before = running(started.path)
    record = retried().encode()
    with BoundedProducer(started.kafka("retrier")) as producer:
        producer.send(RETRIED, b"k", record).result(30)
    lines: list[str] = []
    again = up(started.path, apps=("alert",), app_environment={}, console=True, progress=lines.append)
    assert running(started.path) == before
    assert before.keys() == {"kafka", "minio", "alert", "console", "retrier"}
    assert again.services == started.services
    assert any("0 topics created" in line for line in lines)
    assert record in [message.value for message in read_all(again.kafka("retrier"), RETRIED)]


def test_an_app_gets_its_own_account_folder_and_settings(started: Centre) -> None:
    start_worker(
        started, "alert", 2, app_environment={"SONOVAN_ALERT_RETRY_LONGEST_S": "7", "SONOVAN_SHARED_DATA": "/x"}
    )
    try:
        (pid,) = [pid for name, pid in running(started.path).items() if name == "alert-2"]
        given = dict(pair.split("=", 1) for pair in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in pair)
        assert given["SONOVAN_KAFKA_USERNAME"] == "alert"
        assert given["SONOVAN_DATA_DIR"] == str(started.path / "apps" / "alert-2")
        assert given["SONOVAN_ALERT_RETRY_LONGEST_S"] == "7"
        assert "SONOVAN_SHARED_DATA" not in given
        assert Path(f"/proc/{pid}/cmdline").read_text().split("\0")[1:-1] == [
            "-m", "sonovan", "worker", "alert", "--instance", "2",
        ]  # fmt: skip
    finally:
        services.stop_one(started.state, "alert-2")


def test_the_console_runs_beside_the_apps_and_lets_in_who_has_an_account(started: Centre) -> None:
    address = console_address(started.path)
    assert address is not None
    (row,) = [row for row in status(started.path) if row.name == "console"]
    assert (row.healthy, row.ready, f"http://127.0.0.1:{row.port}") == (True, True, address)
    given = Path(f"/proc/{row.pid}/environ").read_text()
    assert "SONOVAN_KAFKA_USERNAME=console" in given
    password = sonovan(started.path, "console", "user", "add", "up-1", "--role", "auditor", "--lasting").stdout.strip()
    browser = Browser(int(address.rpartition(":")[2]))
    assert browser.log_in("up-1", password).headers["location"] == "/"
    assert "up-1" in browser.get("/").text
    sonovan(started.path, "console", "user", "disable", "up-1")
    assert browser.get("/").status == 303
    listed = json.loads(sonovan(started.path, "console", "user", "list", "--json").stdout)
    assert [(each["code"], each["disabled"]) for each in listed] == [("up-1", True)]
    sonovan(started.path, "console", "user", "add", "Zhang Wei", "--role", "reader", code=2)
    sonovan(started.path, "console", "user", "add", "up-2", "--role", "root", code=2)
    sonovan(started.path, "console", "user", "add", "reader-1", "--role", "reader", code=2)


def test_secrets_are_for_their_owner_alone(started: Centre) -> None:
    for folder, _, files in os.walk(started.path / "secrets"):
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE((Path(folder) / name).stat().st_mode) == 0o600


def test_client_environment_is_enough_to_reach_the_services(started: Centre) -> None:
    given = client_environment(started.path, "retrier")
    assert given["SONOVAN_KAFKA_USERNAME"] == "retrier"
    assert given["SONOVAN_S3_ENDPOINT"] == started.services.s3_endpoint
    van = started.enrol_van("up-1")
    assert client_environment(started.path, "van-up-1") == {
        "SONOVAN_KAFKA_BOOTSTRAP": van.bootstrap,
        "SONOVAN_KAFKA_USERNAME": "van-up-1",
        "SONOVAN_KAFKA_PASSWORD": van.password.get_secret_value(),
        "SONOVAN_KAFKA_CA": van.ca,
    }
    assert van.bootstrap != started.services.kafka_bootstrap


def test_the_commands_speak_of_the_running_centre(started: Centre) -> None:
    table = json.loads(sonovan(started.path, "status", "--json").stdout)
    assert {(row["name"], row["state"]) for row in table} >= {("kafka", "running"), ("minio", "running")}
    assert "kafka" in sonovan(started.path, "status").stdout
    assert sonovan(started.path, "topics", "check").stdout == ""
    assert "frame.captured.v1" in sonovan(started.path, "topics", "list").stdout
    record = retried()
    with BoundedProducer(started.kafka("retrier")) as producer:
        producer.send(RETRIED, b"poison", b"not a record").result(30)
        producer.send(RETRIED, b"good", record.encode()).result(30)
    shown = [
        json.loads(line) for line in sonovan(started.path, "topics", "tail", "rejected.retried").stdout.splitlines()
    ]
    assert {"invalid": "record_invalid", "key": "poison"}.items() <= next(
        line for line in shown if line["key"] == "poison"
    ).items()
    assert record.model_dump(mode="json") in [line.get("record") for line in shown]


def doctor(state: Path, code: int = 0) -> dict[str, dict[str, str]]:
    """The lines of the doctor that are to be mended, by what they are about."""
    lines = json.loads(sonovan(state, "doctor", "--json", code=code).stdout)["lines"]
    told = {f"{line['about']} {line['subject']}".strip(): line for line in lines}
    about = {line["about"] for line in lines}  # of lag none where no group has committed anything yet
    assert {"disk", "version", "weights", "process", "certificate", "topics", "account", "clock", "buckets"} <= about
    return {name: line for name, line in told.items() if not line["well"]}


def test_the_doctor_finds_a_running_centre_well_and_each_thing_that_is_broken(started: Centre) -> None:
    watched = {"process supervisor"}  # which this centre was started without
    assert doctor(started.path, 3).keys() == watched
    with Administrator(started.kafka()) as administrator:
        administrator._client.delete_acls([every_entry("alert")])
        administrator._client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, RETRIED, {"retention.ms": "1000"})]
        )
    root = started.store()
    client = Minio(root.endpoint, root.access_key, root.secret_key.get_secret_value(), secure=False, region="us-east-1")
    client.remove_bucket(Bucket.QUARANTINE)
    console = started.state.apps / "console" / "console.sqlite"
    with closing(sqlite3.connect(console)) as connection:
        (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    services.kill_one(started.state, "alert")
    ill = doctor(started.path, 3)
    assert ill.keys() - watched == {"account alert", "topics", "buckets", "database console", "process alert"}
    assert RETRIED in ill["topics"]["found"]
    assert Bucket.QUARANTINE in ill["buckets"]["found"]
    with closing(sqlite3.connect(console)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (head,))
        connection.commit()
    sonovan(started.path, "topics", "create", "--buckets")  # the remedies that the lines name
    up(started.path, apps=("alert",), app_environment={}, console=True)
    assert doctor(started.path, 3).keys() == watched


@contextmanager
def prometheus(folder: Path, targets: str) -> Iterator[str]:
    """Debian's Prometheus over the configuration that is shipped; its address."""
    program = shutil.which("prometheus")
    if program is None:
        skip_unless_ci("prometheus is not there (Debian: prometheus)")
    for name in ("rules.yaml", "prometheus.yaml"):
        shutil.copy(Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / name, folder)
    text = (folder / "prometheus.yaml").read_text()
    (folder / "prometheus.yaml").write_text(text.replace("15s", "1s"))
    (folder / "targets.json").write_text(targets)
    address = f"127.0.0.1:{find_free()}"
    argv = [str(program), "--config.file=prometheus.yaml", f"--web.listen-address={address}"]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(argv, cwd=folder, stdout=said, stderr=said)
        try:
            yield address
        finally:
            process.terminate()
            process.wait(30)


def asked(address: str, expression: str) -> dict[str, str]:
    """What Prometheus has of an expression, by job; nothing while it does not answer."""
    try:
        with urlopen(f"http://{address}/api/v1/query?query={quote(expression)}", timeout=5) as answer:
            found = json.load(answer)["data"]["result"]
    except (OSError, ValueError):
        return {}
    return {each["metric"].get("job", ""): each["value"][1] for each in found}


def test_prometheus_reads_the_workers_and_the_console(started: Centre, tmp_path: Path) -> None:
    with prometheus(tmp_path, sonovan(started.path, "targets").stdout) as address:
        until(
            lambda: asked(address, "sonovan_ready") == {"sonovan-alert": "1"}, what="the worker is read", deadline_s=60
        )
        until(
            lambda: asked(address, "sonovan_console_ready") == {"sonovan-console": "1"},
            what="the console is read",
            deadline_s=60,
        )
        assert asked(address, 'sonovan_partitions{stage="alert",instance="1"} > 0').keys() == {"sonovan-alert"}
        assert asked(address, "sonovan_disk_free_bytes > 0").keys() == {"sonovan-alert"}
        told = asked(address, 'sum by (job) (sonovan_console_requests_total{door="/login"})')
        assert told.keys() == {"sonovan-console"}
        services.kill_one(started.state, "alert")
        ended = {"sonovan-alert": "0", "sonovan-console": "1"}
        until(lambda: asked(address, "up") == ended, what="the worker that ended is seen", deadline_s=60)


def test_down_ends_just_what_up_started_and_up_brings_all_back(started: Centre) -> None:
    record = retried().encode()
    with BoundedProducer(started.kafka("retrier")) as producer:
        producer.send(RETRIED, b"k", record).result(30)
    for _twice in range(2):
        sonovan(started.path, "down")
        assert running(started.path) == {}
    told = sonovan(started.path, "topics", "check", code=4)
    assert told.stderr.count("\n") == 1
    sonovan(started.path, "up", "--no-apps")
    assert running(started.path).keys() == {"kafka", "minio", "supervisor"}
    assert record in [message.value for message in read_all(attach(started.path).kafka("retrier"), RETRIED)]
