"""The broker runs the jars that are pinned by their sha256, and no others."""

import hashlib
from pathlib import Path

import pytest

from sonovan.centre import Centre
from sonovan.deploy.cache import JARS
from sonovan.deploy.launches import read_record

pytestmark = pytest.mark.services


def test_the_running_broker_has_the_pinned_jars_alone(centre: Centre) -> None:
    record = read_record(centre.state, "kafka")
    assert record is not None
    command = Path(f"/proc/{record.pid}/cmdline").read_text().split("\0")
    folder = Path(command[command.index("-cp") + 1])
    assert folder.name == "*", "every jar of one folder"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.parent.glob("*.jar")}
    lines = (JARS / "sha256sums").read_text().splitlines()
    assert found == {name: digest for digest, name in (line.split() for line in lines)}
