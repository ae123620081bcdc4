"""A stage with one topic and one step, added to a copy of the project: its own folder, and rows of the topic table.

Nothing else of the copy is changed; what a stage needs elsewhere (command, accounts, grants, group, buckets, tests of
rooms) must follow from these.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
COPIED = ("contracts", "stream_apps", "sonovan")

STAGE = '''"""Counts revisions by status."""

from sonovan.contracts.results import ScreeningAssessed, ScreeningTicked
from sonovan.contracts.topics import Topic, Writer
from sonovan.stream_apps.stage import Given, Message, Outcome, Outgoing, Stage


async def open_stage(given: Given) -> Stage:
    return Stage(name=Writer.COUNTED, reads=(Topic.SCREENING_ASSESSED,), process=count)


def count(message: Message) -> Outcome:
    assessed = ScreeningAssessed.decode(message.value)
    told = ScreeningTicked(screening_id=assessed.screening_id)
    return Outcome(records=((Outgoing(Topic.SCREENING_COUNTED, assessed.screening_id, told),),))
'''

TABLE = {
    '    ALERT = "alert"\n': '    ALERT = "alert"\n    COUNTED = "counted"\n',
    '    LESION_ALERTED = "lesion.alerted.v1"\n': (
        '    LESION_ALERTED = "lesion.alerted.v1"\n    SCREENING_COUNTED = "screening.counted.v1"\n'
    ),
    '_CONSOLE, _QUALITY, _PROMOTER},\n             "a revision': (
        '_CONSOLE, _QUALITY, _PROMOTER, Writer.COUNTED},\n             "a revision'
    ),
    "        _row(Topic.LESION_ALERTED,": (
        '        _row(Topic.SCREENING_COUNTED, "screening_id", ScreeningTicked, {Writer.COUNTED}, set(),\n'
        '             "how many revisions there are"),\n'
        "        _row(Topic.LESION_ALERTED,"
    ),
}

DRIVE = """
import asyncio, json, tempfile
from pathlib import Path
from sonovan.centre import APPS
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.topics import APP_IDS, STAGES, Topic
from sonovan.stream_apps.counted.stage import open_stage
from sonovan.transport.grants import all_grants
from tests.stream_apps.cases import CASES
from tests.stream_apps.memory import Run

case = CASES["alert"](Path(tempfile.mkdtemp()))
stage = asyncio.run(open_stage(None))

async def live():
    worker = Run(case.world, lambda world, tables: stage)
    await worker.take(case.world.open_messages())
    await worker.end()

asyncio.run(live())
sent = case.world.sent
print(json.dumps({
    "stages": list(STAGES), "apps": list(APPS), "app_id": APP_IDS["counted"],
    "grants": sorted(f"{g.operation} {g.name}" for g in all_grants(set()) if g.account == "counted"),
    "sent": [topic for topic, _, _ in sent],
    "rejected_by": [RecordRejected.decode(value).stage for topic, _, value in sent if topic == Topic.RECORD_REJECTED],
    "open": len(case.world.open_messages()),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with one folder and some rows more."""
    top = tmp_path_factory.mktemp("added")
    for name in os.listdir(TOP):
        if name in COPIED:
            shutil.copytree(TOP / name, top / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        elif not name.startswith("."):
            (top / name).symlink_to(TOP / name)
    (top / "stream_apps" / "counted").mkdir()
    (top / "stream_apps" / "counted" / "__init__.py").write_text('"""A stage that only a test has."""\n')
    (top / "stream_apps" / "counted" / "stage.py").write_text(STAGE)
    table = top / "contracts" / "topics.py"
    text = table.read_text()
    for old, new in TABLE.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    table.write_text(text)
    return top


def run(top: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A Python of the copy, seen to end with `code`."""
    environment = {**os.environ, "PYTHONPATH": str(top), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, *words]
    ran = subprocess.run(argv, cwd=top, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr
    return ran


def test_it_is_run_by_the_shell_and_has_its_account_grants_and_group(copy: Path) -> None:
    found = json.loads(run(copy, "-c", DRIVE).stdout)
    assert found["stages"] == found["apps"] == ["segment", "assess", "alert", "counted", "catalog", "quality"]
    assert found["app_id"] == "sonovan-counted"
    assert {
        "READ screening.assessed.v1",
        "READ sonovan-counted",
        "WRITE record.rejected.v1",
        "WRITE screening.counted.v1",
    } <= set(found["grants"])
    assert sorted(found["sent"]) == ["record.rejected.v1", *["screening.counted.v1"] * 3]
    assert (found["rejected_by"], found["open"]) == (["counted"], 0)


def test_the_command_knows_it_and_starts_its_shell(copy: Path) -> None:
    assert "segment|assess|alert|counted|catalog|quality" in run(copy, "-m", "sonovan", "worker", "--help").stdout
    told = run(copy, "-m", "sonovan", "worker", "counted", code=5).stderr
    assert "SONOVAN_KAFKA_BOOTSTRAP" in told  # it got as far as its settings
