"""What containers and caches are given: settings that nothing reads, passwords that changed, other jars and sources.

The scripts run as they run in a container; no engine runs them here.
"""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sonovan.deploy import cache
from sonovan.deploy.errors import DeployError
from tests.deploy.test_cache import GO_126, JAVA_17, MVN, programs
from tests.deploy.test_compose import BROKER_SCRIPT, COMPOSE, ROOT, WORKERS, services
from tests.programs import install, install_kafka
from tests.waiting import until

__all__ = ["programs", "services"]


def test_a_name_in_env_that_nothing_reads_stops_everything_before_it_starts(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    told = services["settings"]["volumes"]
    assert [part.split(":")[0] for part in told] == ["./deploy/compose/check.sh", "./.env", "./compose.yaml"]
    assert services["settings"]["entrypoint"][1:] == [part.split(":")[1] for part in told]
    assert "environment" not in services["settings"]
    first = {"settings": {"condition": "service_completed_successfully"}}
    assert services["certificates"]["depends_on"] == services["minio"]["depends_on"] == first
    assert services["broker"]["depends_on"] == {"certificates": {"condition": "service_completed_successfully"}}
    assert {"broker", "minio"} <= services["setup"]["depends_on"].keys()
    assert all("setup" in services[name]["depends_on"] for name in WORKERS)

    def checked(text: str) -> tuple[int, str]:
        (tmp_path / "env").write_text(text)
        script = ROOT / "deploy" / "compose" / "check.sh"
        run = subprocess.run(
            ["/bin/sh", script, tmp_path / "env", COMPOSE], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stderr

    taken = re.findall(r"\$\{(\w+):|^ +(SONOVAN_\w+):$", COMPOSE.read_text(), re.MULTILINE)
    written = "".join(f"{one or other}=x\n" for one, other in taken)
    assert "SONOVAN_ASSESS_REPORT_LANGUAGE=x" in written
    assert checked(f"# SONOVAN_NOTHING=1\n{written}COMPOSE_PROJECT_NAME=one\nHTTP_PROXY=\n") == (0, "")
    for line in (
        "SONOVAN_ASSESS_REPORT_LANGUAG=zh",
        "export SONOVAN_DISK_LOW=1",
        "  SONOVAN_KAFKA_USERNAME=admin",
        "sonovan_x=1",
    ):
        status, said = checked(f"{written}{line}\n")
        assert (status, line.split("=")[0].split()[-1] in said) == (2, True), line


def test_broker_script_refuses_a_missing_or_weak_password() -> None:
    environment = {"PATH": os.environ["PATH"], "SONOVAN_KAFKA_ADMIN_PASSWORD": "admin"}
    refused = subprocess.run(["/bin/bash", BROKER_SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "SONOVAN_KAFKA_ADMIN_PASSWORD" in refused.stderr


def test_broker_script_refuses_a_password_that_changed_after_formatting(tmp_path: Path) -> None:
    """Kafka's own scripts are small ones here: one formats, one would start the broker."""
    told = install_kafka(tmp_path) | {"SONOVAN_KAFKA_ASSESS_PASSWORD": "b" * 43}

    def begin(**changed: str) -> tuple[int, str]:
        run = subprocess.run(
            ["/bin/bash", BROKER_SCRIPT], env=told | changed, capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout + run.stderr

    assert begin() == (0, "started\n")
    assert begin() == (0, "started\n")
    status, said = begin(SONOVAN_KAFKA_ASSESS_PASSWORD="c" * 43)
    assert (status, said.split(": ")[1].split()) == (2, ["assess"])
    status, said = begin(SONOVAN_KAFKA_READER_PASSWORD="d" * 43)
    assert (status, said.split(": ")[1].split()) == (2, ["reader"])


def test_broker_script_shows_no_password_where_kafka_does_not_understand_its_arguments(tmp_path: Path) -> None:
    """Kafka's own tool repeats what it does not understand, broken into lines anywhere."""
    for script, shown in (
        (
            '[ "$1" = format ] || { echo id; exit; }; echo "[name=admin,pass"; echo "word=aaaaaaaaa]"; exit 1',
            "",
        ),
        ('[ "$1" = format ] || { echo id; exit; }; echo "No space left on device" >&2; exit 1', "No space left"),
        ('echo "12:00 INFO a line of a log"; echo id', "gave no id of a cluster"),
    ):
        told = install_kafka(tmp_path, storage=script)
        run = subprocess.run(["/bin/bash", BROKER_SCRIPT], env=told, capture_output=True, text=True, check=False)
        assert run.returncode == 5
        assert "aaaa" not in run.stdout + run.stderr
        assert shown in run.stderr
        assert not (tmp_path / "data" / "log").exists()


def test_broker_script_ends_the_broker_before_its_disk_is_full_and_waits_for_room(tmp_path: Path) -> None:
    """df tells what stands in a file; the broker is a process that sleeps."""
    free = tmp_path / "free"
    free.write_text("700000")
    told = install_kafka(tmp_path, server='touch "$KAFKA_DATA/started"; exec sleep 1000')
    install(tmp_path / "bin", df='echo head; echo "disk 1 1 $(cat "$FREE_KB") 1% /"')
    told |= {"PATH": f"{tmp_path / 'bin'}:{told['PATH']}", "FREE_KB": str(free)}
    with (tmp_path / "said").open("w") as said:
        broker = subprocess.Popen(["/bin/bash", BROKER_SCRIPT], env=told, stderr=said, stdout=said)
    try:
        heard = (tmp_path / "said").read_text
        until(lambda: "716 MB free: waiting for 1000" in heard(), "it waits for room", evidence=heard)
        assert not (tmp_path / "data" / "started").exists()
        free.write_text("1000000")
        until((tmp_path / "data" / "started").exists, "it starts", evidence=heard)
        free.write_text("400000")
        until(lambda: broker.poll() is not None, "it ends", evidence=heard)
        assert broker.returncode == -signal.SIGTERM
        assert "less than 500 MB free: Kafka is ended before it is full" in heard()
    finally:
        broker.kill()
        broker.wait()


def test_another_source_of_minio_than_the_pinned_one_is_not_built(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, java=JAVA_17, mvn=MVN, go=GO_126)
    monkeypatch.setenv("SUM", "h1:another")
    with pytest.raises(DeployError, match="not the one that was reviewed: h1:another"):
        cache.ensure_cached(print)
    assert (tmp_path / "count").read_text().split() == ["run"]  # Maven alone
    assert not cache.minio_folder().exists()


def test_jars_that_are_not_the_pinned_ones_are_named_and_not_used(programs: Path) -> None:
    other = MVN.replace("echo jar", 'echo extra > "$folder/extra.jar"; echo another')
    install(programs, java=JAVA_17, mvn=other, go=GO_126)
    with pytest.raises(DeployError, match=r"sha256sums: extra\.jar kafka\.jar"):
        cache.ensure_cached(print)
    assert not cache.jars_folder().exists()
