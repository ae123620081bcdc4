"""axe-core, the accessibility checker of others: fetched from npm, known by its hash, run inside a page."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tests.chromium import Tab
from tests.conftest import skip_unless_ci

PACKAGE: Final = "axe-core@4.14.1"
SHA256: Final = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def fetched(folder: Path) -> str:
    """The checker's script. Skips where npm is missing, and fails in CI."""
    if shutil.which("npm") is None:
        skip_unless_ci("npm is missing (Debian: npm): axe-core cannot be fetched")
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256, f"{PACKAGE} is not what it was"
    with tarfile.open(archive) as files:
        found = files.extractfile("package/axe.min.js")
        assert found is not None
        return found.read().decode("utf-8")


def violations(tab: Tab, script: str) -> list[str]:
    """What breaks a rule on the page that is open, one line for each place: rule, element, why."""
    tab.until("true")
    tab.run(f"{script}; undefined")
    asked = json.dumps({"runOnly": list(RULES), "resultTypes": ["violations"]})
    found = tab.run(f"axe.run(document, {asked}).then((done) => JSON.stringify(done.violations))")
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()[:200]})"
        for rule in json.loads(found)
        for node in rule["nodes"]
    ]
