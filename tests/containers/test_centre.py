"""A centre in containers does what docs/operations.md says, a van outside, and loses nothing when containers die."""

import json
import os
import random
import re
import signal
import urllib.request
from typing import Final

import pytest

from sonovan.contracts.topics import STAGES
from tests.containers.counting import Centre
from tests.containers.engine import MEASURED, Project
from tests.waiting import elapse, until

pytestmark = [pytest.mark.services, pytest.mark.journeys, pytest.mark.timeout(900)]

ENDING: Final = {"settings", "certificates", "setup"}
"""Services that do one thing and end."""
KILLED: Final = ("broker", "minio", "database", *(stage.value for stage in STAGES))
KILLS: Final = 8
SWEEPS, FRAMES = 3, 40
SEED: Final = 17


def test_the_walk_through_ends_with_a_report_and_a_reader_who_may_come_in(
    project: Project, typed: dict[str, str]
) -> None:
    assert re.search(r"screening [\w-]+: 1 sequence, 24 frames; complete", typed["send"])
    page = (project.folder / "report" / "report.html").read_text()
    assert "UNSIGNED – NOT A RESULT" in page
    assert len(typed["read"].splitlines()[-1]) >= 12, "the reader's first password"
    address = f"http://127.0.0.1:{project.ports['CONSOLE_PUBLISHED_PORT']}"
    with urllib.request.urlopen(f"{address}/login", timeout=10) as answer:
        assert answer.status == 200
        assert b"password" in answer.read()


def test_every_service_is_well_or_has_ended_well(project: Project) -> None:
    for service in project.services():
        state = project.inspect(service)["State"]
        if service in ENDING:
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), service
        else:
            assert (state["Status"], state["Health"]["Status"]) == ("running", "healthy"), service


def test_no_container_has_rights_of_root_or_can_write_to_its_image(project: Project) -> None:
    for service in project.services():
        found = project.inspect(service)
        config, host = found["Config"], found["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert (config["User"] not in ("", "0", "root")) or (service == "settings" and host["NetworkMode"] == "none")
        if service not in ENDING:
            status = project.type(f"docker compose exec -T {service} cat /proc/1/status")
            assert re.search(r"^Uid:\s+1000\s", status, re.MULTILINE), service
            assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE), service
            assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE), service
            tried = f"if docker compose exec -T {service} sh -c 'echo x >/usr/bin/x' 2>&1; then exit 1; fi"
            assert "Read-only file system" in project.type(tried), service


def test_the_doctor_finds_broker_store_databases_and_certificates_well(typed: dict[str, str], project: Project) -> None:
    told = typed["look"]
    assert re.search(r"^\d+ looked at, 0 to mend$", told, re.MULTILINE), told
    for name in (
        *(
            "certificate authority",
            "certificate listener",
            "topics",
            "account segment",
            "clock object store",
            "buckets",
        ),
        *("account of the store segment", "account of the store reader", "database catalog", "database console"),
    ):
        assert f"well  {name}: " in told, name


def test_the_doctor_names_what_is_ill(project: Project) -> None:
    """A setting of one command alone: the centre goes on as it is."""
    asked = "docker compose run --rm -e SONOVAN_S3_SEGMENT_ACCESS_KEY=segment.of-another-centre doctor"
    told = project.type(f"{asked} && exit 1 || test $? = 3")
    assert "mend  account of the store segment: " in told
    assert ", 1 to mend" in told
    project.type("docker compose run --rm setup")  # the remedy, which changes nothing where all is well


def test_workers_and_the_console_answer_prometheus_on_this_machine_alone(project: Project) -> None:
    for name in MEASURED:
        port = project.ports[f"METRICS_{name.upper()}_PORT"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert re.search(r"^sonovan_(console_)?ready(\{.*\})? 1$", answer.read().decode(), re.MULTILINE), name
        bound = project.inspect(name)["HostConfig"]["PortBindings"]["9464/tcp"]
        assert [(each["HostIp"], each["HostPort"]) for each in bound] == [("127.0.0.1", str(port))]


def test_the_catalogue_stands_in_postgresql_where_the_console_reads_and_cannot_write(project: Project) -> None:
    def as_console(statement: str) -> str:
        asked = (
            f"PGPASSWORD=$SONOVAN_DATABASE_CONSOLE_PASSWORD psql -h 127.0.0.1 -U console -XAtc '{statement}' catalog"
        )
        return project.type(f'. ./.env; docker compose exec -T database bash -c "{asked}" 2>&1 || true').strip()

    until(
        lambda: as_console("SELECT count(*) FROM catalog.screenings") not in ("", "0"),
        "the screening stands in the catalogue",
    )
    assert "permission denied" in as_console("DELETE FROM catalog.alembic_version")


def test_nothing_is_lost_or_doubled_when_containers_are_killed_while_sweeps_come(project: Project) -> None:
    """kill -9 of the process of a container, as a crash is: the engine starts it again by itself."""
    if os.geteuid() != 0:
        pytest.skip("a process of a container can be killed by root alone")
    random_ = random.Random(SEED)
    words = f"--frames {FRAMES} --wait --json --give-up-s 240 --state van"
    sending = project.start(f"sonovan van simulate --sweeps 1 --seed 1 {words}")
    sent: dict[str, set[str]] = {}
    killed: list[str] = []
    for seed in range(1, SWEEPS + 1):
        while sending.poll() is None:
            elapse(random_.uniform(1.0, 4.0))
            if len(killed) < KILLS:
                killed.append(_kill(project, random_.choice(KILLED)))
        said, _ = sending.communicate()
        assert sending.returncode == 0, said
        told, _ = json.JSONDecoder().raw_decode(said, said.index("{"))  # what it says to people stands around it
        sent[told["screening_id"]] = {
            f"{one['sequence_id']}/{index:06d}" for one in told["sequences"] for index in range(one["frames"])
        }
        if seed < SWEEPS:
            sending = project.start(f"sonovan van simulate --sweeps 1 --seed {seed + 1} {words}")
    assert len(killed) == KILLS, killed
    for service in set(killed):
        until(
            lambda service=service: project.inspect(service)["State"].get("Health", {}).get("Status") == "healthy",
            f"{service} is well again",
        )
        assert project.inspect(service)["RestartCount"] >= 1, service
    centre = Centre.at(project.ports, project.secrets())
    assert set(centre.account(sent).values()) == {0}, (killed, centre.account(sent))
    assert {len(frames) for frames in sent.values()} == {FRAMES}


def _kill(project: Project, service: str) -> str:
    """kill -9 of a container's process, once it runs; the service's name."""
    pid = until(lambda: int(project.inspect(service)["State"]["Pid"]), f"{service} runs")
    os.kill(pid, signal.SIGKILL)
    return service
