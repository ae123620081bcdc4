"""What one worker of `assess` takes a second through Kafka: `make bench-assess` writes `results/assess.json`.

Frames are segmented once; then screenings of them stand in the topics under many ids, in the order in which a van
uploads, before the worker starts. What it takes is told by the broker's times, from its first answer to its last. So
the rows, their changelogs, the revisions of each level and the stored report are all in the figure. A second round
has closings of screenings that nobody opened: the cheapest record that a van can send.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import PEAK, cpu_s, memory_mib
from benchmarks.shared import say
from benchmarks.van_vault import vault_of
from sonovan import models
from sonovan.centre import Centre, down, start_worker, up
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import seal
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id, upload_order
from sonovan.contracts.limits import MIB
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van import Consent, ScreeningClosed, ScreeningOpened, SequenceClosed, VanEnrolled
from sonovan.deploy import services
from sonovan.producers.enrol import enrol, load_signer
from sonovan.producers.items import Item, Signer, Visit, mint_ids
from sonovan.producers.screening import compose
from sonovan.producers.simulate import simulated_sources
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from sonovan.stream_apps.vans import VanRegistry
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Message, Tail

RESULTS: Final = Path(__file__).parent / "results" / "assess.json"
VAN: Final = "bench"
AGREED: Final = Consent(screening=True, ai=True)
SWEEPS: Final = 2
GIVE_UP_S: Final = 900.0
VAN_FRAMES_PER_S: Final = 5.0
"""Of a van that screens all day, in the mean: docs/scale.md."""

Values = Sequence[tuple[Topic, str, bytes]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assess", description=__doc__)
    parser.add_argument("--screenings", type=int, default=6, help=f"of {SWEEPS} sweeps")
    parser.add_argument("--frames", type=int, default=300, help="of each sweep")
    parser.add_argument("--closings", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sonovan-assess-") as folder:
        state = Path(folder) / "state"
        try:
            results = _measure(up(state, apps=(), progress=say), chosen.screenings, chosen.frames, chosen.closings)
        finally:
            down(state)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    say(json.dumps(results, indent=2))
    return 0


def _measure(centre: Centre, screenings: int, frames: int, closings: int) -> dict[str, Any]:
    enrol(vault_of(centre.path, VAN), VAN, centre.enrol_van(VAN, None), centre.kafka("registrar"))
    signer = load_signer(vault_of(centre.path, VAN), VAN)
    segmented = _segmented(centre, signer, frames)
    say(f"{frames} frames are segmented")
    queued = [_screening(signer, segmented) for _ in range(screenings)]
    complete = set[str]()

    def reported(answer: VanAnswered) -> bool:
        if answer.kind == "report" and answer.status == "complete" and answer.screening_id is not None:
            complete.add(answer.screening_id)
        return len(complete) == screenings

    took_s, cpu_s, peak = _took(centre, [each for values in queued for each in values], reported)
    results = screenings * SWEEPS * frames
    small = [_closing(signer, mint_id(), mint_id(), ["ab" * 32]) for _ in range(closings)]
    wanted = {record.item_id for record in small}

    def answered(answer: VanAnswered) -> bool:
        wanted.discard(answer.item_id)
        return not wanted

    sealed = [(Topic.SEQUENCE_CLOSED, each.screening_id, seal(each, signer.private_key)) for each in small]
    closings_s, closings_cpu_s, _ = _took(centre, sealed, answered)
    return {
        "results_per_s": round(results / took_s, 1),
        "ms_per_result": round(1000 * took_s / results, 2),
        "cpu_ms_per_result": round(1000 * cpu_s / results, 2),
        "screenings_per_s": round(screenings / took_s, 3),
        "vans_per_worker": int(results / took_s / VAN_FRAMES_PER_S),
        "vans_per_core": int(results / cpu_s / VAN_FRAMES_PER_S),
        "closings_per_s": round(closings / closings_s, 1),
        "cpu_ms_per_closing": round(1000 * closings_cpu_s / closings, 2),
        "peak_rss_mib": peak,
        "screenings": screenings,
        "frames_per_screening": SWEEPS * frames,
        "mean_result_bytes": round(sum(len(each.encode()) for each in segmented) / len(segmented)),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


def _segmented(centre: Centre, signer: Signer, frames: int) -> list[FrameSegmented]:
    """The results of one sweep, its objects stored."""
    items: list[Item] = []
    visit = Visit(subject_key="0" * 64, site_code="site-1", consent=AGREED)
    compose(simulated_sources("breast", 1, frames, 7), visit, signer, items.append, ids=mint_ids(1))
    registry, now = VanRegistry(), datetime.now(UTC)
    registry.learn(VanEnrolled.first(VAN, public_key(signer.private_key), now))
    segmenter, store = models.load(), MinioStore(centre.store("segment"))
    found = []
    for item in items:
        if item.topic is Topic.FRAME_CAPTURED:
            frame = segment_envelope(item.value, append_time=now, registry=registry, segmenter=segmenter)
            put_objects(store, frame)
            found.append(frame.record)
    return found


def _screening(signer: Signer, segmented: Sequence[FrameSegmented]) -> Values:
    """All that `assess` reads of one screening of SWEEPS sweeps of these frames, in the order in which it comes."""
    screening_id, sequences = mint_id(), [mint_id() for _ in range(SWEEPS)]
    hashes = [each.pixels_sha256 for each in segmented]
    opening = ScreeningOpened(
        screening_id=screening_id,
        van_id=VAN,
        subject_key="0" * 64,
        site_code="site-1",
        opened_at=datetime.now(UTC),
        consent=AGREED,
    )
    closing = ScreeningClosed(
        screening_id=screening_id,
        van_id=VAN,
        closing_number=1,
        sequence_ids=tuple(sequences),
        closed_at=datetime.now(UTC),
    )

    def signed(topic: Topic, record: Record) -> tuple[Topic, str, bytes]:
        return topic, screening_id, seal(record, signer.private_key)

    def results() -> Iterator[tuple[Topic, str, bytes]]:
        for index in upload_order(len(segmented)):
            for sequence_id in sequences:
                own = segmented[index].model_copy(update={"screening_id": screening_id, "sequence_id": sequence_id})
                yield Topic.FRAME_SEGMENTED, screening_id, own.encode()

    return [
        signed(Topic.SCREENING_OPENED, opening),
        *(signed(Topic.SEQUENCE_CLOSED, _closing(signer, screening_id, each, hashes)) for each in sequences),
        *results(),
        signed(Topic.SCREENING_CLOSED, closing),
    ]


def _closing(signer: Signer, screening_id: str, sequence_id: str, hashes: Sequence[str]) -> SequenceClosed:
    return SequenceClosed(
        screening_id=screening_id,
        sequence_id=sequence_id,
        van_id=signer.van_id,
        closing_number=1,
        frame_count=len(hashes),
        frames_digest=frames_digest(hashes),
        organ="breast",
        laterality="left",
        closed_at=datetime.now(UTC),
    )


def _took(centre: Centre, values: Values, last: Callable[[VanAnswered], bool]) -> tuple[float, float, float]:
    """Seconds from the first answer to the one that `last` accepts, the worker's CPU time meanwhile, its peak in MiB.

    The CPU time begins where the worker holds its partitions: what other work on the machine takes is not in it.
    """
    moments: list[datetime] = []

    def done(message: Message) -> bool:
        answer = message.decode()
        moments.append(message.appended_at)
        return isinstance(answer, VanAnswered) and last(answer)

    with Tail(centre.kafka("reader"), van_answered_topic(VAN).name, "now") as tail:
        with BoundedProducer(centre.kafka(), in_flight_bytes=8 * MIB) as producer:
            for topic, key, value in values:
                producer.send(topic, key.encode(), value)
            producer.flush(GIVE_UP_S)
        say(f"{len(values)} records stand in the topics")
        start_worker(centre, "assess")
        row = next(row for row in services.status(centre.state) if row.name == "assess")
        try:
            before_s = cpu_s(row.pid or 0)
            for _ in tail.messages(until=done, deadline_s=GIVE_UP_S):
                pass
            used_s, peak = cpu_s(row.pid or 0) - before_s, memory_mib(row.pid or 0, PEAK)
        finally:
            services.stop_one(centre.state, "assess")
    return (moments[-1] - moments[0]).total_seconds(), used_s, peak


if __name__ == "__main__":
    sys.exit(main())
