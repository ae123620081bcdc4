"""A van in a container, as docs/operations.md starts it: a study reaches the centre, and its report comes back."""

import json
import re
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.accounting import records
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.deploy.ports import find_free
from tests.containers.counting import Centre
from tests.containers.engine import ROOT, Project
from tests.containers.pages import blocks_of
from tests.journeys.test_van import FRAMES, KNOWN, SLIP
from tests.journeys.van import sweep
from tests.journeys.van_day import TITLES, study
from tests.producers.gateway.vans import send
from tests.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.journeys, pytest.mark.timeout(600)]

VAN: Final = "van-2"
COMPOSE: Final = "docker compose -f deploy/compose/van.yaml"


@dataclass(frozen=True)
class Laptop:
    """The van's laptop. project: of its one container. said: what it told while the van was started."""

    project: Project
    port: int
    page_port: int
    said: str

    def van(self, words: str) -> str:
        """What a command of the van says."""
        return self.project.type(f"{COMPOSE} exec -T van sonovan van {words}")

    def told(self, words: str) -> Any:
        """The document that a command of the van prints."""
        return json.loads(self.van(f"{words} --json 2>/dev/null"))

    def inspect(self) -> dict[str, Any]:
        container = self.project.type(f"{COMPOSE} ps --all --quiet van").strip()
        found: dict[str, Any] = json.loads(self.project.type(f"docker inspect {container}"))[0]
        return found


@pytest.fixture(scope="module")
def laptop(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop without a centre: the page's commands, with the settings that whoever enrols is told."""
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "deploy" / "compose").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "compose" / "van.yaml", folder / "deploy" / "compose")
    shutil.copy(project.folder / "trusted.pem", folder)
    port = find_free()
    page_port = find_free(frozenset({port}))
    (folder / "van.toml").write_text(
        f'port = {port}\n\n[page]\nconsent_text = "v3"\nsite = "site-1"\nport = {page_port}\n'
    )
    its = replace(project, folder=folder, name=f"{project.name}-van")
    enrol, serve, stop = blocks_of("operations.md", "A van in a container")
    try:
        said = its.type(f"{_told(project)}\n{enrol}")
        said += its.type(serve)
        until(
            lambda: "listens on" in its.type(f"{COMPOSE} logs van"),
            "the van listens",
            evidence=lambda: its.type(f"{COMPOSE} logs van"),
        )
        yield Laptop(its, port, page_port, said)
        its.type(stop)
        assert its.type(f"{COMPOSE} ps --all --quiet").strip() == ""
    finally:
        its.type(f"{COMPOSE} down --volumes --timeout 20")


def _told(project: Project) -> str:
    """The settings by which a van is enrolled, as the page names them."""
    secrets, ports = project.secrets(), project.ports
    shown = project.type("docker compose run --rm --no-deps segment receipts show")
    given = {
        "SONOVAN_ENROL_BROKER": f"127.0.0.1:{ports['BROKER_PORT']}",
        "SONOVAN_ENROL_VANS": f"127.0.0.1:{ports['VANS_PORT']}",
        "SONOVAN_ENROL_RECEIPTS": ",".join(re.findall(r"[0-9a-f]{64}", shown)),
        "SONOVAN_KAFKA_ADMIN_PASSWORD": secrets["SONOVAN_KAFKA_ADMIN_PASSWORD"],
        "SONOVAN_KAFKA_REGISTRAR_PASSWORD": secrets["SONOVAN_KAFKA_REGISTRAR_PASSWORD"],
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in given.items())


def test_a_study_that_a_scanner_sends_reaches_the_centre_and_its_report_comes_back(
    project: Project, laptop: Laptop, tmp_path: Path
) -> None:
    laptop.van(f"register --slip {SLIP} --organ breast --consent screening,ai")
    scan(laptop.port, study(tmp_path / "left.dcm", sweep(FRAMES), "L", SLIP, **KNOWN))

    def composed() -> dict[str, Any] | None:
        found = laptop.told("screenings")
        return found[0] if found and found[0]["frames"] == FRAMES else None

    screening = until(composed, "the study is in her screening")
    assert screening is not None
    screening_id = str(screening["screening_id"])
    laptop.van(f"close {screening_id}")

    kafka = Centre.at(project.ports, project.secrets()).kafka

    def reported() -> set[str]:
        revisions = records(kafka, Topic.SCREENING_ASSESSED, ScreeningAssessed, {screening_id})
        whole = {one.revision_id for one in revisions if (one.status, one.frames) == ("complete", FRAMES)}
        answers = records(kafka, van_answered_topic(VAN).name, VanAnswered, {screening_id})
        return whole & {str(one.revision_id) for one in answers if one.kind == "report"}

    until(reported, "the report of all frames is on its way back to the van", evidence=_logs_of(laptop))
    results = records(kafka, Topic.FRAME_SEGMENTED, FrameSegmented, {screening_id})
    assert len({one.frame_id for one in results}) == FRAMES
    until(
        lambda: laptop.told("lights")["van"]["green"],
        "the van may leave: the centre's signed receipts of everything are there",
        evidence=_logs_of(laptop),
    )


def scan(port: int, file: Path) -> None:
    """Send a study as a scanner does: with DCMTK's program, or where that is missing with pynetdicom."""
    if shutil.which("storescu") is None:
        assert send(port, file) == [0]
        return
    argv = ["storescu", "-v", *TITLES, "127.0.0.1", str(port), str(file)]
    ran = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_operators_page_answers_on_the_laptop_alone(laptop: Laptop) -> None:
    address = laptop.van("page").split()[-1]
    assert address.startswith(f"http://127.0.0.1:{laptop.page_port}/")
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.status == 200
    for port in (laptop.port, laptop.page_port):
        assert places(port) == {"0100007F"}, "of the network's two tables, as the kernel writes 127.0.0.1"


def places(port: int) -> set[str]:
    """Where this machine listens at a port: the addresses in the tables of IPv4 and IPv6."""
    rows = [line.split() for version in ("tcp", "tcp6") for line in _table(version)]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}


def _table(version: str) -> list[str]:
    path = Path("/proc/net") / version
    return path.read_text().splitlines()[1:] if path.exists() else []


def test_the_vans_container_has_no_rights_and_knows_no_secret_of_the_centre(project: Project, laptop: Laptop) -> None:
    found = laptop.inspect()
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert found["Config"]["User"] not in ("", "0", "root")
    told = laptop.project.type(f"{COMPOSE} logs van") + laptop.said
    assert "words of a test" not in told
    known = {each.partition("=")[2] for each in found["Config"]["Env"]}
    secrets = {value for value in project.secrets().values() if len(value) >= 40}
    assert secrets
    assert not known & secrets


def _logs_of(laptop: Laptop) -> Any:
    return lambda: laptop.project.type(f"{COMPOSE} logs --tail 40 van")
