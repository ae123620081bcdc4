"""Kafka and MinIO for real, in state folders of their own: start, stop, power cuts, secrets.

The first run on a machine fetches Kafka's jars and builds MinIO into the user's cache (minutes).
"""

import os
import re
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from minio import Minio

from sonovan.deploy.cache import cache_folder, jars_folder
from sonovan.deploy.classes import ensure_archive
from sonovan.deploy.errors import DeployError, ToolMissing
from sonovan.deploy.launches import read_launch, read_record
from sonovan.deploy.probes import authenticates
from sonovan.deploy.services import RunningServices, kill_one, start_one, start_services, status, stop, stop_one
from sonovan.deploy.state import StateFolder
from sonovan.deploy.tools import JAVA, find_tools

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("service_tools")]

SMALL, LARGE = 2 * 1024 * 1024, 32 * 1024 * 1024


def up(state: StateFolder, max_message_bytes: int = LARGE) -> RunningServices:
    return start_services(state, progress=print, max_message_bytes=max_message_bytes)


def pids(state: StateFolder) -> dict[str, int | None]:
    return {row.name: row.pid for row in status(state)}


def kafka_settings(services: RunningServices) -> dict[str, str]:
    return {
        "bootstrap_servers": services.kafka_bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": services.kafka_admin_username,
        "sasl_plain_password": services.kafka_admin_password,
    }


def make_topic(services: RunningServices, name: str) -> None:
    admin = KafkaAdminClient(**kafka_settings(services))
    admin.create_topics([NewTopic(name, 1, 1, topic_configs={"flush.messages": "1"})])
    admin.close()


def topics(services: RunningServices) -> set[str]:
    admin = KafkaAdminClient(**kafka_settings(services))
    names = set(admin.list_topics())
    admin.close()
    return names


def port_of(services: RunningServices) -> int:
    return int(services.kafka_bootstrap.rpartition(":")[2])


def store(services: RunningServices) -> Minio:
    keys = {"access_key": services.s3_access_key, "secret_key": services.s3_secret_key}
    return Minio(services.s3_endpoint, secure=False, **keys)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StateFolder, RunningServices]]:
    """One running folder for the tests that leave it running; its name is one that a careless path would trip over."""
    state = StateFolder(tmp_path_factory.mktemp("shared") / "Zustand, größe")
    try:
        yield state, up(state)
    finally:
        stop(state)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    yield folder
    stop(folder)


def test_the_broker_maps_the_classes_that_a_jvm_has_loaded_before(shared: tuple[StateFolder, RunningServices]) -> None:
    state, _ = shared
    maps = Path(f"/proc/{pids(state)['kafka']}/maps").read_text(encoding="utf-8")
    assert re.search(r"-classes-\w+/kafka-\d+\.jsa", maps)


def test_an_archive_of_classes_that_rotted_makes_no_broker_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, home = cache_folder(), tmp_path / "cache"
    (home / "sonovan").mkdir(parents=True)
    for folder in kept.iterdir():
        if not folder.name.startswith(".") and "-classes-" not in folder.name:
            (home / "sonovan" / folder.name).symlink_to(folder)
    java = find_tools(JAVA)["java"]
    archive = ensure_archive(java, jars_folder(), print)
    assert archive is not None
    damaged = home / "sonovan" / archive.parent.name / archive.name
    damaged.parent.mkdir()
    whole = archive.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2] + b"rotten" + whole[len(whole) // 2 + 6 :])
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    state = StateFolder(tmp_path / "state")
    try:
        services = up(state)
        assert str(damaged) in " ".join(read_launch(state, "kafka").argv)
        assert authenticates(port_of(services), services.kafka_admin_username, services.kafka_admin_password)
    finally:
        stop(state)


def test_a_jvm_does_without_an_archive_that_is_gone(service_tools: None, tmp_path: Path) -> None:
    argv = [find_tools(JAVA)["java"], f"-XX:SharedArchiveFile={tmp_path / 'gone.jsa'}", "-XX:+VerifySharedSpaces"]
    assert subprocess.run([*argv, "-version"], capture_output=True, check=False).returncode == 0


def test_both_are_healthy_and_take_the_admin(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    assert {row.name: (row.state, row.healthy) for row in status(state)} == {
        "kafka": ("running", True),
        "minio": ("running", True),
    }
    assert "__consumer_offsets" not in topics(services)
    assert store(services).list_buckets() == []


def test_second_up_is_harmless(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    before = pids(state)
    assert up(state) == services
    assert pids(state) == before


def test_two_ups_at_once_start_one_of_each(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    stop(state)
    found: list[RunningServices] = []
    both = [threading.Thread(target=lambda: found.append(up(StateFolder(state.path)))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(300)
    assert found == [services, services]
    assert len([row for row in status(state) if row.healthy]) == 2


def test_wrong_password_and_unknown_user_are_refused(shared: tuple[StateFolder, RunningServices]) -> None:
    _, services = shared
    assert authenticates(port_of(services), services.kafka_admin_username, services.kafka_admin_password)
    assert not authenticates(port_of(services), services.kafka_admin_username, "wrong")
    assert not authenticates(port_of(services), "stranger", services.kafka_admin_password)
    settings = kafka_settings(services) | {"sasl_plain_password": "wrong"}
    with pytest.raises(KafkaError):
        KafkaAdminClient(**settings, bootstrap_timeout_ms=3000)


def test_anonymous_clients_are_refused(shared: tuple[StateFolder, RunningServices]) -> None:
    _, services = shared
    with pytest.raises(KafkaError):
        KafkaAdminClient(bootstrap_servers=services.kafka_bootstrap, bootstrap_timeout_ms=3000)


def test_secrets_are_private_and_in_no_command_line_or_log(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    holders = [path for path in state.path.rglob("*") if path.is_file() and _holds(path, services)]
    assert {path.parent.name for path in holders} == {"secrets", "kafka", "run"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
    shown = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert "kafka.Kafka" in shown
    assert services.kafka_admin_password not in shown
    assert services.s3_secret_key not in shown


def _holds(path: Path, services: RunningServices) -> bool:
    content = path.read_bytes()
    return services.kafka_admin_password.encode() in content or services.s3_secret_key.encode() in content


def _link(handle: Path) -> str:
    try:
        return os.readlink(handle)
    except FileNotFoundError:  # closed since it was listed; a listening socket stays
        return ""


def test_only_loopback_listens(shared: tuple[StateFolder, RunningServices]) -> None:
    state, _ = shared
    inodes = {
        link.removeprefix("socket:[").rstrip("]")
        for pid in pids(state).values()
        for handle in Path(f"/proc/{pid}/fd").iterdir()
        if (link := _link(handle)).startswith("socket:")
    }
    listening = [
        fields[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and fields[9] in inodes
    ]
    assert len(listening) >= 4  # broker, controller, store, store's console
    loopback = ("0100007F:", "0000000000000000FFFF00000100007F:", "00000000000000000000000001000000:")
    assert [address for address in listening if not address.startswith(loopback)] == []


def test_two_folders_run_side_by_side(shared: tuple[StateFolder, RunningServices], state: StateFolder) -> None:
    first_state, first = shared
    second = up(state)
    assert second.kafka_admin_password != first.kafka_admin_password
    assert second.kafka_bootstrap != first.kafka_bootstrap
    make_topic(second, "second.only.v1")
    assert "second.only.v1" not in topics(first)
    stop(state)
    assert all(row.healthy for row in status(first_state))


def test_foreign_process_with_a_recorded_pid_survives(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    kill_one(state, "minio")
    ours = read_record(state, "minio")
    assert ours is not None
    with subprocess.Popen(["sleep", "1000"]) as foreigner:
        try:
            forged = ours.model_copy(update={"pid": foreigner.pid})
            (state.run / "minio.process.json").write_text(forged.model_dump_json())
            stop_one(state, "minio")
            assert foreigner.poll() is None
        finally:
            foreigner.kill()
    start_one(state, "minio")
    assert store(services).list_buckets() == []


def test_up_after_a_power_cut_recovers_what_was_written(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    make_topic(services, "kept.v1")
    producer = KafkaProducer(**kafka_settings(services), acks="all")
    producer.send("kept.v1", b"still here").get(30)
    producer.close()
    store(services).make_bucket("kept")
    kill_one(state, "kafka")
    kill_one(state, "minio")
    assert {row.state for row in status(state)} == {"ended"}
    assert up(state) == services
    settings = kafka_settings(services)
    consumer = KafkaConsumer("kept.v1", **settings, auto_offset_reset="earliest", consumer_timeout_ms=30000)
    assert next(consumer).value == b"still here"
    consumer.close()
    assert store(services).bucket_exists("kept")


def test_one_service_goes_away_and_comes_back_at_its_address(shared: tuple[StateFolder, RunningServices]) -> None:
    state, services = shared
    stop_one(state, "minio")
    assert {row.name: row.state for row in status(state)} == {"kafka": "running", "minio": "stopped"}
    start_one(state, "minio")
    assert store(services).bucket_exists("absent") is False


def test_other_message_size_restarts_only_the_broker(state: StateFolder) -> None:
    services = up(state, SMALL)
    make_topic(services, "large.v1")
    before = pids(state)
    producer = KafkaProducer(**kafka_settings(services), max_request_size=LARGE)
    with pytest.raises(KafkaError):
        producer.send("large.v1", bytes(3 * SMALL)).get(30)
    producer.close()
    up(state, LARGE)
    producer = KafkaProducer(**kafka_settings(services), max_request_size=LARGE)
    assert producer.send("large.v1", bytes(3 * SMALL)).get(30).offset == 0
    producer.close()
    assert pids(state)["minio"] == before["minio"]
    assert pids(state)["kafka"] != before["kafka"]


def test_lost_secrets_are_named_before_anything_starts(state: StateFolder) -> None:
    state.prepare()
    (state.kafka / "data").mkdir()
    (state.kafka / "data" / "meta.properties").write_text("")
    with pytest.raises(DeployError, match="lost the secrets"):
        up(state)
    assert status(state) == []


def test_missing_java_is_named(state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ToolMissing, match="java not found: install a JDK 17"):
        up(state)
    assert status(state) == []
