"""How fast the catalogue is made from topics, how large it gets, and how long the worklist takes: results/catalog.json.

    python -m benchmarks.catalog --screenings 2000

Starts a broker and a PostgreSQL of its own, writes what so many screenings leave in the topics, and runs the rebuild
that `sonovan catalog rebuild` runs. Each synthetic screening has an opening, a clinical record, a closing, SWEEPS
sweeps with their closings, FRAMES frames in each, a preliminary revision and a complete one with FINDINGS findings (two
sightings of the first), one row of each sweep, and every tenth an alert that is raised. Real screenings have many more
frames: `--frames` says how many; the share of frames in the time is what grows.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, text

from benchmarks.shared import say
from sonovan.catalogue import rebuild
from sonovan.centre import Centre, down, up
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import seal_header
from sonovan.contracts.ids import alert_id, mint_id
from sonovan.contracts.limits import MIB
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import Consent, PlannedRegion, ScreeningOpened, VanEnrolled
from sonovan.transport.producer import BoundedProducer
from tests.clinical import records
from tests.storage.postgres import find_postgres, new_database, running_postgres

RESULTS: Final = Path(__file__).parent / "results" / "catalog.json"
VAN: Final = "bench"
SWEEPS: Final = 4
FRAMES: Final = 4
FINDINGS: Final = 2
PAGE: Final = 50
LOOKS: Final = 200
IN_FLIGHT: Final = 64 * MIB
WORKLIST: Final = "SELECT * FROM worklist LIMIT 50"  # PAGE rows, as a reader's page asks for them

_SCREENING: Final = mint_id(1)
_SWEEPS: Final = tuple(mint_id(2 + number) for number in range(SWEEPS))
_ALERT_ID: Final = alert_id("finding", "suspicious_lesion")
_NAMES: Final = (*map(records.sha, ("1", "2", "finding 1", "finding 2")), _ALERT_ID)
"""What names revisions, findings and the alert: other ones in each screening."""

Sent = tuple[Topic, Record]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog", description=__doc__)
    parser.add_argument("--screenings", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each sweep")
    parser.add_argument("--processes", type=int, default=2, help="that read topics")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    binaries = find_postgres()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed (initdb, pg_ctl)")
    with tempfile.TemporaryDirectory() as folder, running_postgres(binaries) as host:
        state = Path(folder) / "state"
        try:
            centre = up(state, apps=())
            loaded = load(centre, given.screenings, given.frames)
            found = measure(centre, new_database(host, "bench"), given.screenings, given.processes)
        finally:
            down(state)
    document = {
        "made_of": {"sweeps": SWEEPS, "frames_each": given.frames, "findings": FINDINGS, "sightings": FINDINGS + 1},
        "processes": given.processes,
        **loaded,
        **found,
    }
    given.out.write_text(json.dumps(document, indent=2) + "\n")
    say(json.dumps(document, indent=2))
    return 0


def load(centre: Centre, screenings: int, frames: int) -> dict[str, Any]:
    """Write what so many screenings leave in the topics; how many messages that were, and how long it took."""
    private = generate_key()
    began, written = time.monotonic(), 0
    with BoundedProducer(centre.kafka(), in_flight_bytes=IN_FLIGHT) as producer:
        enrolled = VanEnrolled.first(VAN, public_key(private), datetime.now(UTC))
        producer.send(Topic.VAN_ENROLLED, VAN.encode(), enrolled.encode()).result(30)
        last = None
        for topic, key, value in messages(screenings, frames, private):
            last = producer.send(topic, key, value)
            written += 1
            if written % 100_000 == 0:
                say(f"{written} messages written, {written / (time.monotonic() - began):.0f} a second")
        if last is not None:
            last.result(60)
        producer.flush(60)
    return {"messages": written, "written_s": round(time.monotonic() - began, 1)}


def messages(screenings: int, frames: int, private: bytes, begin: int = 0) -> Iterator[tuple[Topic, bytes, bytes]]:
    """What stands in the topics: one screening is written down, and of each other one its ids are other ones.

    begin: the number of the first screening; those of other numbers have other ids.
    """
    pattern = [(topic, record.encode()) for topic, record in one(frames)]
    alert = LesionAlerted.model_validate(_alert()).encode()
    for number in range(begin, begin + screenings):
        ids = [mint_id(1_700_000_000_000 + 1000 * number + each) for each in range(1 + SWEEPS)]
        named = [(each, records.sha(f"{each} of {number}")) for each in _NAMES]
        key = ids[0].encode()
        score = f'"malignant":{(number * 7919 % 1000) / 1000:.3f}'.encode()
        for topic, value in [*pattern, *([(Topic.LESION_ALERTED, alert)] if number % 10 == 0 else [])]:
            for old, new in [*zip((_SCREENING, *_SWEEPS), ids, strict=True), *named]:
                value = value.replace(old.encode(), new.encode())
            if topic == Topic.SCREENING_ASSESSED:
                value = value.replace(b'"malignant":0.5', score, 1)
            yield topic, key, seal_header(value, private) if TOPICS[topic].signed else value


def one(frames: int) -> list[Sent]:
    """One screening: what the van sends of it, its frames, and its revisions."""
    said: dict[str, Any] = {"screening_id": _SCREENING, "van_id": VAN}
    planned = tuple(PlannedRegion(organ="breast", side=side) for side in ("left", "right"))
    consent = Consent(screening=True, ai=True, research=True)
    found: list[Sent] = [
        (Topic.SCREENING_OPENED, ScreeningOpened(
            **said, subject_key="ab" * 32, site_code="site-1", opened_at=records.NOON, planned=planned, consent=consent,
        )),
        (Topic.FEATURES_RECORDED, FeaturesRecorded(**said, features_number=1, recorded_at=records.NOON, age_years=52)),
    ]  # fmt: skip
    for sweep in _SWEEPS:
        for index in range(frames):
            shown = (records.region(predicted_dice=0.8),) if index else ()
            frame = records.segmented(index, shown, sequence_id=sweep, **said)
            found.append((Topic.FRAME_SEGMENTED, frame))
        found.append((Topic.SEQUENCE_CLOSED, records.sequence_closed(frames, sequence_id=sweep, **said)))
    found.append((Topic.SCREENING_CLOSED, records.screening_closed(*_SWEEPS, **said)))
    for number, status in ((1, "preliminary"), (2, "complete")):
        revision = _revision(number, status, said)
        found += [
            (Topic.SEQUENCE_ASSESSED, SequenceAssessed(
                screening_id=_SCREENING, sequence_id=sweep, revision_id=revision.revision_id, organ="breast",
                laterality="left", frames=frames, assessable_frames=frames, findings=(),
            ))
            for sweep in _SWEEPS
        ]  # fmt: skip
        found.append((Topic.SCREENING_ASSESSED, revision))
    return found


def _revision(number: int, status: str, said: dict[str, Any]) -> ScreeningAssessed:
    twice = (records.sighting(sequence_id=_SWEEPS[0]), records.sighting(sequence_id=_SWEEPS[1]))
    first = records.finding(1, sightings=twice, malignant=0.5, malignant_range=(0.2, 0.8))
    second = records.finding(2, sequence_id=_SWEEPS[2], laterality="right", malignant=0.1)
    sides = tuple(records.adequacy(laterality=side) for side in ("left", "right"))
    return records.assessed(
        **said, revision_number=number, revision_id=records.sha(f"{number}"), status=status, adequacy=sides,
        findings=(first, second)[:FINDINGS], frames=SWEEPS * FRAMES,
    )  # fmt: skip


def _alert() -> dict[str, Any]:
    about = {"kind": "finding", "finding_id": records.sha("finding 1"), "organ": "breast", "laterality": "left"}
    revision = records.sha("2")
    return {
        "alert_id": _ALERT_ID, "screening_id": _SCREENING, "revision_id": revision,
        "raised_in": revision, "about": about, "state": "raised", "severity": "suspicious", "rule": "suspicious_lesion",
        "rules_version": "1.0", "because": ({"code": "malignant_score", "value": 0.9, "unit": "1"},), "evidence": (),
        "as_of": records.NOON,
    }  # fmt: skip


def measure(centre: Centre, url: str, screenings: int, processes: int) -> dict[str, Any]:
    """Make the catalogue from the topics; how fast, how large, and how long a page of the worklist takes then."""
    done = rebuild(url, centre.kafka("catalog"), centre.store("catalog"), processes=processes, say=say)
    engine = create_engine(url, connect_args={"options": "-c search_path=catalog"})
    with engine.connect() as connection:
        size = connection.execute(text(_SIZE)).scalar_one()
        counted = connection.execute(text("SELECT count(*) FROM screening")).scalar_one()
        if counted != screenings or done.left_out:
            raise SystemExit(f"{counted} of {screenings} screenings are there, {done.left_out} messages were left out")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
        times = []
        for _ in range(LOOKS):
            began = time.perf_counter()
            page = connection.execute(text(WORKLIST)).all()
            times.append(1000 * (time.perf_counter() - began))
    engine.dispose()
    if len(page) != min(PAGE, screenings):
        raise SystemExit("the page of the worklist is not full")
    return {
        "screenings": screenings,
        "rebuilt_s": round(done.seconds, 1),
        "screenings_per_s": round(screenings / done.seconds, 1),
        "messages_per_s": round(done.messages / done.seconds),
        "rows_per_s": round(done.rows / done.seconds),
        "worklist_p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        "bytes_per_screening": round(size / screenings),
    }


_SIZE: Final = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'catalog' AND c.relkind = 'r'
"""

if __name__ == "__main__":
    sys.exit(main())
