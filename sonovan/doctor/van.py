"""Everything that a doctor looks at of a van: what it keeps, what it was given when it was enrolled, and its centre."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import SonovanError
from sonovan.contracts.van_reports import VanReported
from sonovan.doctor import machine
from sonovan.doctor.line import Line, Lines, looked_at
from sonovan.producers import receipts, site
from sonovan.producers.gateway.settings import read_options
from sonovan.producers.reporting import Reporter
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault
from sonovan.stream_apps.alert.van_faults import USUAL, VanBounds, faults_by_report
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tls import authorities_until

SENT_WITHIN_S: Final = 30.0
TRUSTED_DAYS: Final = 60
"""An authority of the centre that counts for fewer days is told of: another one has to be brought to the van."""

REMEDIES: Final = {
    "van_spool": "let the van stand at a good link, or: sonovan van spool export (docs/runbook.md#van_spool)",
    "van_disk": "sonovan van spool purge, then send what waits (docs/runbook.md#van_disk)",
    "van_clock": "set this machine's clock (docs/runbook.md#van_clock)",
    "van_link": "another card, place or hour (docs/runbook.md#van_link)",
    "van_rejects": "sonovan van spool status names them; sonovan van spool retry (docs/runbook.md#van_rejects)",
}


def look(
    vault: Vault, spool: Spool, kafka: Callable[[], BrokerSettings], reporter: Callable[[], Reporter], weights: Path
) -> Lines:
    """A line for each thing of a van whose vault is open. kafka, reporter: raise where the van is not enrolled."""
    yield from machine.python()
    yield from machine.weights(weights)
    yield from looked_at("settings", lambda: _options(vault.folder), "correct van.toml (docs/van.md)")
    yield from looked_at("spool", lambda: spool_whole(spool.folder / "spool.sqlite"), "keep the folder, ask for help")
    yield from given(vault)
    yield from looked_at("centre", lambda: _centre(kafka(), reporter()), "sonovan van enrol, by the centre")


def _options(folder: Path) -> Lines:
    read_options(folder, None)
    yield Line("settings", "van.toml", "is as it must be, or not there")


def spool_whole(file: Path) -> Lines:
    """The line of the spool's database."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            told = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        told = f"{type(error).__name__}: {error}"
    remedy = (
        "" if told == "ok" else "copy the van's folder to another disk before anything else; its frames lie beside it"
    )
    yield Line("spool", "", "whole" if told == "ok" else f"damaged: {told[:100]}", remedy)


def given(vault: Vault) -> Lines:
    """What a van is given when it is enrolled."""
    keys = receipts.pinned(vault)
    unsigned = "the centre's key is not known: receipts cannot be believed"
    yield Line("key of the centre", "", f"{len(keys)} known" if keys else unsigned, "" if keys else "enrol it again")
    check = site.check(vault)
    found = "there" if check else "not there: a woman's visits cannot be joined"
    yield Line("secret of the site", "", found, "" if check else "sonovan van site import (docs/van.md)")


def authority(until: datetime, now: datetime) -> Line:
    """The line of the authority that counts longest."""
    left = (until - now).days
    remedy = "at the centre: sonovan certificates rotate --authority; then bring trusted.pem: sonovan van trust FILE"
    return Line("certificate", "authority", f"{left} days left", remedy if left < TRUSTED_DAYS else "")


def _centre(kafka: BrokerSettings, reporter: Reporter) -> Lines:
    if kafka.ca is not None:
        yield authority(authorities_until(kafka.ca)[-1], datetime.now(UTC))
    try:
        with BoundedProducer(kafka) as producer:
            topic, key, value = reporter.message(metered=False)
            sent = producer.send(topic, key, value).result(SENT_WITHIN_S)
            reporter.link.note_clock(sent.appended_at, datetime.now(UTC))
    except SonovanError as error:
        yield Line(
            "centre", kafka.bootstrap, str(error), "is the link there, and the centre up? sonovan van spool status"
        )
    else:
        yield Line("centre", kafka.bootstrap, "answers, knows this van, and has its report of now")
    yield from reported(reporter.report(metered=False))


def reported(report: VanReported, bounds: VanBounds = USUAL) -> Lines:
    """A line for each fault that the centre would see in a report, by the usual bounds; one line where it sees none."""
    faults = faults_by_report(report, bounds)
    for code, because in faults.items():
        yield Line("van", code, ", ".join(map(_told, because)), REMEDIES[code])
    if not faults:
        clock = "not compared" if report.clock_ahead_s is None else f"{report.clock_ahead_s:g} s ahead of the broker's"
        free_gib = report.disk_free_bytes / 2**30
        told = f"{report.waiting} items wait, {report.rejected} rejected, {free_gib:.1f} GiB free, clock {clock}"
        yield Line("van", report.van_id, told)


def _told(because: Because) -> str:
    return f"{because.code} {because.value} {because.unit or ''}".strip()
