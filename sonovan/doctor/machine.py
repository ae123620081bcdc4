"""What a machine itself must have: room on its disks, programs of the right versions, certificates, whole weights."""

import shutil
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from sonovan.deploy.authority import RENEWED_WITH_DAYS_LEFT, Described
from sonovan.deploy.errors import ToolMissing
from sonovan.deploy.tools import JAVA, find_tools
from sonovan.doctor.line import Line, Lines
from sonovan.models.errors import ModelError
from sonovan.models.registry import read_companion, read_registry, read_variants, read_weights

OLDEST_PYTHON: Final = (3, 11)
MEGA: Final = 1_000_000


def disks(folders: Iterable[Path], low_mb: int) -> Lines:
    """A line for each disk of these folders, which need not exist yet. low_mb: million bytes that must be free."""
    seen = set()
    for folder in folders:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        yield disk(there, shutil.disk_usage(there).free // MEGA, low_mb)


def disk(folder: Path, free_mb: int, low_mb: int) -> Line:
    """The line of one disk."""
    found = f"{free_mb:,} MB free"
    if free_mb >= low_mb:
        return Line("disk", str(folder), found)
    return Line(
        "disk", str(folder), f"{found}, fewer than {low_mb:,}",
        "make room (docs/runbook.md#disk): workers take nothing until there is some, and go on by themselves",
    )  # fmt: skip


def python() -> Lines:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info[:2] < OLDEST_PYTHON
    yield Line("version", "python", version, "install Python 3.11 or newer and make .venv again" if old else "")


def java() -> Lines:
    """Java, which the broker of a centre needs."""
    try:
        yield Line("version", "java", str(find_tools(JAVA)["java"]))
    except ToolMissing as error:
        yield Line("version", "java", "not usable", str(error))


def certificates(described: Iterable[Described], now: datetime) -> Lines:
    """A line for each certificate. now: with a zone."""
    for each in described:
        left = (each.expires_at - now).days
        found = f"until {each.expires_at:%Y-%m-%d}, {left} days left"
        if each.what == "authority before":
            yield Line(
                "certificate", each.what, f"{found}; two authorities count",
                "once every van trusts the new one (docs/running.md): sonovan certificates retire",
            )  # fmt: skip
            continue
        whole = " --authority" if each.what == "authority" else ""
        late = left < RENEWED_WITH_DAYS_LEFT
        yield Line("certificate", each.what, found, f"sonovan certificates rotate{whole}" if late else "")


def weights(folder: Path) -> Lines:
    """A line for each network of the registry: its files against the sha256 that the registry names."""
    remedy = f"put the files of the release back into {folder} (git checkout, or install again): sonovan models verify"
    try:
        entries = read_registry(folder).models
    except ModelError as error:
        yield Line("weights", "registry", str(error), remedy)
        return
    for entry in entries:
        try:
            read_weights(entry, folder)
            read_variants(entry, folder)
            for role in entry.companions:
                read_companion(entry, role, folder)
        except ModelError as error:
            yield Line("weights", entry.id, str(error), remedy)
        else:
            yield Line("weights", entry.id, f"sha256 {entry.sha256[:16]}…, as the registry names it")
