"""`sonovan van reports`: what the vans said of themselves last, at the centre.

The rooms are imported inside the command: `sonovan --help` stays quick.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from sonovan.cli.van_options import AsJson, State
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.contracts.van_reports import VanReported
    from sonovan.stream_apps.vans import VanRegistry
    from sonovan.transport.tail import Message


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest report of a van, and when the broker appended it."""

    report: "VanReported"
    appended_at: datetime


def newest_reports(registry: "VanRegistry", messages: "Iterable[Message]") -> "dict[str, Newest]":
    """The newest report of each van, of messages in the order of their appending. What its van did not sign is left
    out: any van may write into the topic.
    """
    from sonovan.contracts.envelope import open_envelope
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.van_reports import VanReported

    found: dict[str, Newest] = {}
    for message in messages:
        try:
            envelope = open_envelope(message.value or b"")
            report = VanReported.decode(envelope.header)
            registry.verify(report.van_id, message.appended_at, envelope)
        except InvalidRecord:
            continue
        found[report.van_id] = Newest(report, message.appended_at)
    return found


def told(van_id: str, newest: Newest | None, now: datetime) -> str:
    """A line for people."""
    if newest is None:
        return f"{van_id}: silent for a week or longer"
    report, minutes = newest.report, round((now - newest.appended_at).total_seconds() / 60)
    words = [f"{report.waiting} items wait ({report.waiting_bytes / 2**20:.1f} MiB)"]
    if report.oldest_s is not None:
        words.append(f"the oldest for {report.oldest_s // 60} min")
    words += [f"{count} {what}" for what, count in _counts(report) if count]
    words.append(f"{report.disk_free_bytes / 2**30:.1f} GiB of disk free")
    if report.clock_ahead_s is not None and abs(report.clock_ahead_s) >= 10:
        words.append(f"its clock is {abs(report.clock_ahead_s):.0f} s {'fast' if report.clock_ahead_s > 0 else 'slow'}")
    if report.link_bits_per_s is not None:
        words.append(f"link {report.link_bits_per_s / 1e6:.1f} Mbit/s{', metered' if report.metered else ''}")
    return f"{van_id}: {minutes} min ago: {', '.join(words)}; sonovan {report.version}"


def _counts(report: "VanReported") -> list[tuple[str, int]]:
    return [("held", report.held), ("rejected", report.rejected), ("screenings unfinished", report.unfinished)]


def reports(as_json: AsJson = False, state: State = None) -> None:
    """Show what each enrolled van reported last: what waits, since when, disk, clock, link."""
    from sonovan.centre import attach
    from sonovan.contracts.topics import Topic
    from sonovan.contracts.van import VanEnrolled
    from sonovan.stream_apps.vans import VanRegistry
    from sonovan.transport.tail import read_all

    reader = attach(state_path(state)).kafka("reader")
    registry, vans = VanRegistry(), set[str]()
    for message in read_all(reader, Topic.VAN_ENROLLED):
        if message.value is not None:
            van = VanEnrolled.decode(message.value)
            registry.learn(van)
            (vans.discard if van.newest.revoked_at else vans.add)(van.van_id)
    newest = newest_reports(registry, read_all(reader, Topic.VAN_REPORTED))
    if as_json:
        rows = [
            {"van_id": each, "appended_at": None, "report": None}
            if each not in newest
            else {
                "van_id": each,
                "appended_at": newest[each].appended_at.isoformat(),
                "report": newest[each].report.model_dump(mode="json"),
            }
            for each in sorted(vans)
        ]
        typer.echo(json.dumps(rows))
        return
    now = datetime.now(UTC)
    typer.echo("\n".join(told(each, newest.get(each), now) for each in sorted(vans)) or "no van is enrolled")
