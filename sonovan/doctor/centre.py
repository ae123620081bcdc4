"""Everything that a doctor looks at of a centre: that of a state folder, or one that settings name."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.centre import Centre, deploy_errors
from sonovan.contracts.broker import BrokerSettings
from sonovan.deploy import ports, services
from sonovan.deploy.authority import Authority
from sonovan.deploy.cache import jars_folder, minio_folder
from sonovan.deploy.launches import launched_names, read_launch
from sonovan.deploy.services import KAFKA, SERVICES, STORE, SUPERVISOR, StatusRow
from sonovan.deploy.state import StateFolder
from sonovan.doctor import broker, machine, store
from sonovan.doctor.databases import Kept, databases
from sonovan.doctor.line import Line, Lines, looked_at
from sonovan.storage.access import ACCOUNTS
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount

AWAY: Final = "sonovan up, or look at what stands above"
MADE: Final = "sonovan up (containers: the service certificates) makes those that are missing"


@dataclass(frozen=True, slots=True)
class Reached:
    """How the parts of a centre are reached; None for what this machine is not told of.

    keys: of the accounts of the object store. certificates: the folder of those of the listener for vans.
    """

    broker: BrokerSettings | None
    store: ObjectStoreSettings | None
    keys: dict[str, StoreAccount]
    kept: tuple[Kept, ...]
    weights: Path
    disks: tuple[Path, ...]
    low_mb: int
    certificates: Path | None


def look(reached: Reached, centre: Centre | None) -> Lines:
    """A line for each thing. centre: of a state folder of this machine, where there is one."""
    yield from machine.disks(reached.disks, reached.low_mb)
    yield from machine.python()
    yield from machine.weights(reached.weights)
    if centre is not None:
        yield from machine.java()
        yield from processes(services.status(centre.state))
        yield from builds(centre.state)
        yield from looked_at("certificate", lambda: _shown(centre), AWAY)
    if (folder := reached.certificates) is not None:
        yield from looked_at("certificate", lambda: _certificates(folder), MADE)
    if (settings := reached.broker) is not None:
        yield from looked_at("topics", lambda: broker.access(settings), AWAY)
        yield from looked_at("lag", lambda: broker.lag(settings, time.time()), AWAY)
    if (root := reached.store) is not None:
        yield from store.clock(root, datetime.now(UTC))
        yield from looked_at("buckets", lambda: store.buckets(root), AWAY)
        if reached.keys:
            keys = {account: reached.keys[account] for account in ACCOUNTS}
            yield from looked_at("account of the store", lambda: store.accounts(root, keys), AWAY)
    yield from databases(reached.kept)


def processes(rows: Iterable[StatusRow]) -> Lines:
    """A line for each process that was ever started in a state folder, its port and what a worker waits for with it."""
    for row in rows:
        if row.state == "stopped" and row.name not in SERVICES:
            continue  # stopped on purpose: a worker that nobody wants any more
        port = "" if row.port is None else f", port {row.port}"
        if row.state != "running":
            taken = row.port is not None and not ports.is_free(row.port)
            found = f"{row.state}{port}{', which another program has' if taken else ''}"
            remedy = "sonovan up takes another port" if taken else f"sonovan up; its log says why it ended: {row.log}"
            yield Line("process", row.name, found, "sonovan up" if row.state == "stopped" and not taken else remedy)
        elif row.healthy is False:
            yield Line("process", row.name, f"runs{port}, but does not answer", f"its log says why: {row.log}")
        elif row.ready is False or row.waiting:
            told = f"runs{port}: {row.waiting or 'not ready yet'}"
            standing_by = row.waiting.startswith("it stands by")
            yield Line("process", row.name, told, "" if standing_by else f"docs/runbook.md; its log: {row.log}")
        elif row.past.failing:
            yield Line("process", row.name, f"runs{port}, and keeps failing: {row.past.reason}", f"its log: {row.log}")
        else:
            yield Line("process", row.name, f"runs{port}")


def builds(state: StateFolder) -> Lines:
    """Whether the broker and the object store are of the versions that this program brings, and are watched."""
    folders = {KAFKA: jars_folder(), STORE: minio_folder()}
    names = launched_names(state)
    for name in (each for each in SERVICES if each in names):
        folder = folders[name]
        own = any(str(folder) in word for word in read_launch(state, name).argv)
        other = "of another version than this program brings"
        yield Line("version", name, folder.name if own else other, "" if own else "sonovan down, then sonovan up")
    if SUPERVISOR not in names:
        yield Line("process", SUPERVISOR, "was never started: what dies stays down", "sonovan up")


def _certificates(folder: Path) -> Lines:
    with deploy_errors():
        found = Authority(folder).described()
    if not found:
        yield Line("certificate", str(folder), "none", MADE)
    yield from machine.certificates(found, datetime.now(UTC))


def _shown(centre: Centre) -> Lines:
    shown = services.shows_its_certificate(centre.state)
    found = (
        "the broker shows the certificate of the folder" if shown else "the broker shows another certificate, or none"
    )
    yield Line("certificate", "shown to vans", found, "" if shown else "sonovan up")
