"""What a van reports of itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.van_reports import VanReported
from sonovan.producers.reporting import REPORT_EVERY_S, LinkSeen, Reporter
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import Spool
from tests.producers.visits import SIGNER, VISIT, vault_at

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SWEEP = "01900000-0000-7000-8000-000000000001"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", vault_at(tmp_path), clock=NOW.timestamp) as opened:
        yield opened


def test_a_report_counts_what_waits_and_since_when(spool: Spool) -> None:
    (source,) = simulated_sources("breast", 1, 3, 0)
    screening = spool.open_screening(VISIT, SIGNER, [source])
    compose_sequence(screening, source, SWEEP)
    reporter = Reporter(spool, SIGNER, now=lambda: NOW + timedelta(minutes=7))
    report = reporter.report(metered=True)
    assert (report.van_id, report.waiting, report.oldest_s, report.unfinished) == (SIGNER.van_id, 5, 420, 1)
    assert report.waiting_bytes == spool.status().waiting_bytes
    assert report.disk_free_bytes > 0
    assert report.metered
    screening.close()
    assert reporter.report(metered=False).unfinished == 0


def test_a_clock_that_was_set_back_gives_no_negative_age(spool: Spool) -> None:
    (source,) = simulated_sources("breast", 1, 1, 0)
    compose_sequence(spool.open_screening(VISIT, SIGNER, [source]), source, SWEEP)
    assert Reporter(spool, SIGNER, now=lambda: NOW - timedelta(days=3650)).report(metered=False).oldest_s == 0


def test_a_report_is_due_at_the_start_and_then_every_two_minutes(spool: Spool) -> None:
    seconds = [0.0]
    reporter = Reporter(spool, SIGNER, clock=lambda: seconds[0])
    assert reporter.due
    _, key, value = reporter.message(metered=False)
    assert VanReported.decode(open_envelope(value).header).van_id == key.decode() == SIGNER.van_id
    assert not reporter.due
    seconds[0] = REPORT_EVERY_S
    assert reporter.due


def test_the_link_is_measured_while_it_is_in_use_alone() -> None:
    link = LinkSeen()
    assert link.bits_per_s is None
    for handed_at, at in ((0.0, 1.0), (0.5, 2.0), (3600.0, 3601.0)):  # an hour without anything to send
        link.note(500_000, handed_at, at)
    assert link.bits_per_s == 4_000_000


def test_a_fast_clock_is_ahead_of_the_broker() -> None:
    link = LinkSeen()
    link.note_clock(NOW, NOW + timedelta(days=1))
    assert link.clock_ahead_s == 86_400


def test_a_centre_is_silent_from_the_first_try_on_until_it_answers() -> None:
    seconds = [0.0]
    link = LinkSeen(lambda: seconds[0])
    assert link.silent_s is None
    link.silent(certificate_refused=True)
    seconds[0] = 60.0
    link.silent()
    assert (link.silent_s, link.certificate_refused) == (60.0, False)
    link.answered()
    assert link.silent_s is None
