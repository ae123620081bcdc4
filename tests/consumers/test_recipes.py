"""The recipes of docs/consuming.md, run as they stand there against a real broker.

The one for kafka-python runs everywhere; the others need `.venv-consumers` and kcat, which `make test-consumers` makes.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan import analyse
from sonovan.analysis import Analysis
from sonovan.centre import Centre
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.topics import Topic
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from sonovan.transport.producer import BoundedProducer
from tests.stream_apps.catalog.scene import changes

pytestmark = pytest.mark.services

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "consuming.md"
OTHERS = TOP / ".venv-consumers" / "bin" / "python"


def recipe(heading: str) -> str:
    """The first block of code under a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```(?:sh|python)\n(.*?)```", section, re.DOTALL)
    assert found, f"no recipe under {heading}"
    return found[1]


@pytest.fixture(scope="module")
def analysed() -> Analysis:
    """One screening, analysed in this process: its records are those that the workers would have written."""
    return analyse(simulate_sweep("breast", frames=12, seed=7).frames, organ="breast", side="left")


@pytest.fixture(scope="module")
def folder(centre: Centre, analysed: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `ana.properties`; the screening's records stand in the topics."""
    path = tmp_path_factory.mktemp("ana")
    revision = analysed.screening
    key = revision.screening_id.encode()
    with BoundedProducer(centre.kafka("assess")) as producer:
        producer.send(Topic.SCREENING_ASSESSED, key, revision.encode()).result(30)
    with BoundedProducer(centre.kafka("segment")) as producer:
        for frame in analysed.frames:
            producer.send(Topic.FRAME_SEGMENTED, key, frame.encode()).result(30)
    state = ["--state", str(centre.path)]
    assert run(build(), ["consumer", "enrol", "ana", "--out", str(path / "ana.properties"), *state]) == 0
    yield path
    assert run(build(), ["consumer", "revoke", "ana", *state]) == 0


def told(command: list[str], folder: Path, **variables: str) -> str:
    """What a recipe prints."""
    environment = os.environ | variables
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def other_python() -> str:
    if not OTHERS.is_file():
        pytest.skip("needs .venv-consumers: make test-consumers")
    return str(OTHERS)


def test_kcat(folder: Path, analysed: Analysis) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("needs kcat: make test-consumers")
    library = {} if kafka_4_lets_in(told(["kcat", "-V"], folder)) else {"LD_PRELOAD": newer_librdkafka()}
    lines = told(["/bin/sh", "-euc", recipe("kcat")], folder, **library).splitlines()
    assert analysed.screening.encode().decode() in lines


def kafka_4_lets_in(version: str) -> bool:
    """Whether kcat's librdkafka is 2.6.1 or newer: what is older cannot log in to Kafka 4 (edenhill/kcat issue 462)."""
    found = re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", version)
    assert found, version
    return tuple(map(int, found.groups())) >= (2, 6, 1)


def newer_librdkafka() -> str:
    """The library that confluent-kafka brings, as the page advises."""
    (library,) = Path(other_python()).parents[1].glob("lib/python*/site-packages/confluent_kafka.libs/librdkafka*")
    return str(library)


def test_kafka_python(folder: Path, analysed: Analysis) -> None:
    assert row(analysed) in told([sys.executable, "-c", recipe("kafka-python")], folder)


def test_confluent_kafka(folder: Path, analysed: Analysis) -> None:
    printed = told([other_python(), "-c", recipe("confluent-kafka")], folder).splitlines()
    assert {f"{frame.frame_id} {len(frame.regions)}" for frame in analysed.frames} <= set(printed)


def test_pandas(folder: Path, analysed: Analysis) -> None:
    printed = told([other_python(), "-c", recipe("pandas")], folder)
    assert row(analysed) in [" ".join(line.split()) for line in printed.splitlines()]
    assert all(finding.finding_id in printed for finding in analysed.screening.findings)


def test_spark(folder: Path, analysed: Analysis) -> None:
    script = folder / "recipe.py"
    script.write_text(recipe("Spark"), encoding="utf-8")
    printed = told([other_python(), str(script)], folder)
    assert row(analysed) in [" ".join(line.replace("|", " ").split()) for line in printed.splitlines()]


def test_duckdb(analysed: Analysis, tmp_path: Path) -> None:
    python = other_python()
    folder = tmp_path / "apps" / "catalog"
    folder.mkdir(parents=True)
    database = open_database(f"sqlite:///{folder / 'catalog.sqlite'}")
    database.prepare()
    with database.writing() as connection:
        write(connection, changes([analysed.screening]))
    database.close()
    asked = ["query", "SELECT * FROM findings", "--parquet", str(tmp_path / "findings.parquet")]
    assert run(build(), [*asked, "--state", str(tmp_path)]) == 0
    printed = told([python, "-c", recipe("DuckDB")], tmp_path)
    lesions = len(analysed.screening.findings)
    assert f"'left', {lesions}" in printed


def row(analysed: Analysis) -> str:
    """The screening as the recipes print it: its id, revision, status and how many findings it has."""
    revision = analysed.screening
    return f"{revision.screening_id} {revision.revision_number} {revision.status} {len(revision.findings)}"
