"""The segment worker as a process, between a real broker and a real MinIO, with a real runtime and a tiny network."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from sonovan.centre import Centre
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.digests import result_digest
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import APP_IDS, Topic, Writer, van_answered_topic
from sonovan.deploy.answers import answer_of
from sonovan.deploy.launches import read_record
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Message, Tail, read_all
from tests import waiting
from tests.models.tiny_onnx import write_weights
from tests.stream_apps.segment.frames import TestVan, bright_disc

pytestmark = pytest.mark.services

DEADLINE_S = 90.0
until = partial(waiting.until, deadline_s=DEADLINE_S)


class WorkerProcess:
    """One `sonovan worker segment`."""

    def __init__(self, centre: Centre, folder: Path, weights: Path, instance: int, **environment: str) -> None:
        self.folder = folder / f"segment-{instance}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{mint_id()}.log"
        given = {
            "SONOVAN_DATA_DIR": str(self.folder),
            "SONOVAN_MODELS_WEIGHTS_DIR": str(weights),
            "SONOVAN_MODELS_PROVIDER": "openvino",
            "SONOVAN_MODELS_PRECISION": "fp32",
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sonovan", "worker", "segment", "--instance", str(instance)],
                env=given | centre.environment("segment") | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return answer_of(self.folder / "health.json", "/readyz", pid=self.process.pid)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def leave(self) -> tuple[int, float]:
        """Exit code and seconds after SIGTERM."""
        asked_at = time.monotonic()
        self.process.terminate()
        return self.process.wait(30), time.monotonic() - asked_at


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(centre: Centre, tmp_path: Path) -> Iterator[Start]:
    """Starts workers and waits until they hold partitions; ends them with the test."""
    weights = write_weights(tmp_path / "weights")
    started: list[WorkerProcess] = []

    def begin(instance: int = 1, *, wait: bool = True, **environment: str) -> WorkerProcess:
        worker = WorkerProcess(centre, tmp_path, weights, instance, **environment)
        started.append(worker)
        if wait:
            until(lambda: worker.ready, "worker is ready")
        return worker

    yield begin
    for worker in started:
        worker.kill()


@pytest.fixture
def van(centre: Centre) -> TestVan:
    """An enrolled van."""
    van = TestVan(van_id=f"van-{mint_id()[-10:]}")
    centre.enrol_van(van.van_id)
    send(centre, [(Topic.VAN_ENROLLED, van.van_id.encode(), van.enrolled().encode())])
    return van


def send(centre: Centre, messages: list[tuple[str, bytes, bytes]]) -> None:
    with BoundedProducer(centre.kafka(), in_flight_bytes=8 * 1024 * 1024) as producer:
        pending = [producer.send(topic, key, value) for topic, key, value in messages]
        for one in pending:
            one.result(30)


def send_frames(centre: Centre, van: TestVan, indices: range) -> None:
    key = van.sequence_id.encode()
    send(centre, [(Topic.FRAME_CAPTURED, key, van.frame(index, bright_disc(index, 240, 320))) for index in indices])


def results(centre: Centre, van: TestVan) -> list[FrameSegmented]:
    records = [message.decode() for message in read_all(centre.kafka(), Topic.FRAME_SEGMENTED)]
    return [one for one in records if isinstance(one, FrameSegmented) and one.van_id == van.van_id]


def rejections(centre: Centre, *van_ids: str | None) -> list[RecordRejected]:
    records = [message.decode() for message in read_all(centre.kafka(), Topic.RECORD_REJECTED)]
    return [one for one in records if isinstance(one, RecordRejected) and one.van_id in van_ids]


def receipts(centre: Centre, van: TestVan) -> list[VanAnswered]:
    records = [message.decode() for message in read_all(centre.kafka(), van_answered_topic(van.van_id).name)]
    return [one for one in records if isinstance(one, VanAnswered)]


def wait_for_results(centre: Centre, van: TestVan, count: int) -> None:
    """Until so many different frames of the van are segmented."""
    seen: set[str] = set()

    def enough(message: Message) -> bool:
        record = message.decode()
        if isinstance(record, FrameSegmented) and record.van_id == van.van_id:
            seen.add(record.frame_id)
        return len(seen) >= count

    with Tail(centre.kafka(), Topic.FRAME_SEGMENTED) as tail:
        for _ in tail.messages(until=enough, deadline_s=DEADLINE_S):
            pass
    assert len(seen) >= count, f"{len(seen)} of {count} frames were segmented"


def committed_to_the_end(centre: Centre) -> bool:
    admin = KafkaAdminClient(**client_options(centre.kafka()))
    try:
        group = APP_IDS[Writer.SEGMENT]
        offsets = admin.list_group_offsets({group: None})[group]
    finally:
        admin.close()
    committed = {part.partition: at.offset for part, at in offsets.items() if part.topic == Topic.FRAME_CAPTURED}
    with Tail(centre.kafka(), Topic.FRAME_CAPTURED) as tail:
        return all(committed.get(number, 0) == end for number, end in tail.ends().items())


def assert_each_frame_once(centre: Centre, van: TestVan, count: int) -> None:
    """Every frame has a result, no frame two contents, everything is stored and answered."""
    found = results(centre, van)
    contents = {(one.frame_id, result_digest(one)) for one in found}
    assert len({frame for frame, _ in contents}) == len(contents) == count
    store = MinioStore(centre.store("reader"))
    for one in found:
        assert store.exists(Bucket.FRAMES, one.image_key)
        assert one.mask_key is None or store.exists(Bucket.MASKS, one.mask_key)
    stored = {answer.item_id for answer in receipts(centre, van) if answer.kind == "stored"}
    assert stored == {frame for frame, _ in contents}
    until(lambda: committed_to_the_end(centre), "offsets are committed to the end")


def test_frames_become_results_objects_and_receipts(centre: Centre, van: TestVan, start: Start) -> None:
    start()
    send_frames(centre, van, range(40))
    wait_for_results(centre, van, 40)
    assert_each_frame_once(centre, van, 40)
    found = results(centre, van)
    assert {one.provider for one in found} == {"openvino/fp32"}
    assert all(one.regions for one in found)
    # What a van has sent beyond its turn is read back later, so that only the first of them come in their order.
    assert sorted(one.frame_index for one in found) == list(range(40))


def test_what_cannot_be_used_is_rejected_kept_and_answered_and_nothing_stops(
    centre: Centre, van: TestVan, start: Start
) -> None:
    start()
    stranger = TestVan(van_id=f"van-{mint_id()[-10:]}")
    forged = TestVan(van.van_id, generate_key(), van.screening_id, van.sequence_id)
    poison = b"poison " + van.van_id.encode()
    key = van.sequence_id.encode()
    bad = [poison, forged.frame(1), van.frame(2)[:-100], van.frame(3, rows=1000)]
    send(
        centre,
        [
            (Topic.FRAME_CAPTURED, key, van.frame(0)),
            *((Topic.FRAME_CAPTURED, key, value) for value in bad),
            (Topic.FRAME_CAPTURED, key, van.frame(0, bright_disc(9))),
            (Topic.FRAME_CAPTURED, stranger.sequence_id.encode(), stranger.frame(0)),
            (Topic.FRAME_CAPTURED, key, van.frame(5)),
        ],
    )
    wait_for_results(centre, van, 2)
    until(lambda: len(rejections(centre, stranger.van_id)) == 1, "the unknown van is rejected")
    reasons = Counter(one.reason for one in rejections(centre, van.van_id))
    assert reasons == {"signature_invalid": 1, "pixels_corrupt": 1, "frame_contradicts_stored": 1}
    (unknown,) = rejections(centre, stranger.van_id)
    assert (unknown.reason, unknown.retryable, unknown.verified) == ("van_unknown", True, False)
    store = MinioStore(centre.store("retrier"))
    assert store.get(Bucket.QUARANTINE, unknown.quarantine_key) == stranger.frame(0)
    contents = {hashlib.sha256(value).hexdigest() for value in bad}
    unreadable = [one for one in rejections(centre, None) if one.content_sha256 in contents]
    assert all(store.get(Bucket.QUARANTINE, one.quarantine_key) in bad for one in unreadable)
    assert [one.reason for one in unreadable] == ["envelope_corrupt", "envelope_corrupt"]
    answers = Counter((answer.kind, answer.reason) for answer in receipts(centre, van))
    assert answers == {
        ("stored", None): 2,
        ("rejected", "pixels_corrupt"): 1,
        ("rejected", "frame_contradicts_stored"): 1,
    }
    until(lambda: committed_to_the_end(centre), "offsets are committed to the end")


def test_a_frame_waits_for_its_van_to_become_known(centre: Centre, start: Start) -> None:
    start(SONOVAN_SEGMENT_UNKNOWN_VAN_WAIT_S="60")
    van = TestVan(van_id=f"van-{mint_id()[-10:]}")
    centre.enrol_van(van.van_id)
    send_frames(centre, van, range(1))
    send(centre, [(Topic.VAN_ENROLLED, van.van_id.encode(), van.enrolled().encode())])
    wait_for_results(centre, van, 1)
    assert rejections(centre, van.van_id) == []


def test_a_killed_worker_loses_nothing(centre: Centre, van: TestVan, start: Start) -> None:
    for taken in (1, 15, 40):
        worker = start(wait=False)
        if taken == 1:
            send_frames(centre, van, range(60))
        wait_for_results(centre, van, taken)
        worker.kill()
    start()
    wait_for_results(centre, van, 60)
    assert_each_frame_once(centre, van, 60)


def test_a_second_worker_joins_and_leaves(centre: Centre, van: TestVan, start: Start) -> None:
    start(1)
    sent = 0
    for step in range(3):
        if step == 1:
            second = start(2)
        if step == 2:
            code, elapsed_s = second.leave()
            assert code == 0
            assert elapsed_s < 10
        for _ in range(6):  # sequences, and so partitions
            van.sequence_id = mint_id()
            send_frames(centre, van, range(8))
            sent += 8
    wait_for_results(centre, van, sent)
    assert_each_frame_once(centre, van, sent)


@pytest.fixture
def pause_store(centre: Centre) -> Iterator[Callable[[bool], None]]:
    """Stops and continues MinIO's process: connections open, nothing answers."""
    record = read_record(centre.state, "minio")
    assert record is not None

    def pause(stopped: bool) -> None:
        os.kill(record.pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    yield pause
    pause(False)


def test_without_a_store_a_worker_holds_its_offsets_and_leaves_in_time(
    centre: Centre, van: TestVan, start: Start, pause_store: Callable[[bool], None]
) -> None:
    worker = start()
    send_frames(centre, van, range(10))
    wait_for_results(centre, van, 10)
    until(lambda: committed_to_the_end(centre), "the first frames are committed")
    pause_store(True)
    send_frames(centre, van, range(10, 60))
    until(lambda: "not ready, trying again" in worker.log.read_text(), "the worker noticed")
    assert not committed_to_the_end(centre)
    code, elapsed_s = worker.leave()
    assert (code, elapsed_s < 10) == (0, True)
    assert len(results(centre, van)) == 10
    second = start()
    until(lambda: "not ready, trying again" in second.log.read_text(), "the second worker waits too")
    pause_store(False)
    wait_for_results(centre, van, 60)
    assert_each_frame_once(centre, van, 60)


def test_partitions_are_handed_over_while_the_store_is_away(
    centre: Centre, van: TestVan, start: Start, pause_store: Callable[[bool], None]
) -> None:
    first = start(1)
    pause_store(True)
    for _ in range(6):
        van.sequence_id = mint_id()
        send_frames(centre, van, range(4))
    until(lambda: "not ready, trying again" in first.log.read_text(), "the first worker waits")
    start(2)
    pause_store(False)
    wait_for_results(centre, van, 24)
    assert_each_frame_once(centre, van, 24)


def test_a_provider_that_cannot_be_given_ends_the_worker(start: Start) -> None:
    worker = start(wait=False, SONOVAN_MODELS_PROVIDER="cuda")
    assert worker.process.wait(60) == 5
    assert "cuda" in worker.log.read_text()


def test_a_misspelt_setting_ends_the_worker_by_name(start: Start) -> None:
    worker = start(wait=False, SONOVAN_SEGMENT_INFLIGHT="3")
    assert worker.process.wait(60) == 2
    assert "SONOVAN_SEGMENT_INFLIGHT (did you mean SONOVAN_SEGMENT_IN_FLIGHT?)" in worker.log.read_text()


def test_without_a_broker_a_worker_says_so(start: Start) -> None:
    worker = start(wait=False, SONOVAN_KAFKA_BOOTSTRAP="127.0.0.1:9", SONOVAN_KAFKA_CONNECT_TIMEOUT_S="2")
    assert worker.process.wait(60) == 4
    assert "127.0.0.1:9" in worker.log.read_text()


def test_a_wrong_password_ends_the_worker_and_stays_out_of_its_log(start: Start) -> None:
    worker = start(wait=False, SONOVAN_KAFKA_PASSWORD="mistaken", SONOVAN_KAFKA_CONNECT_TIMEOUT_S="3")
    assert worker.process.wait(60) == 4
    assert "refuses the account segment" in worker.log.read_text()
    assert "mistaken" not in worker.log.read_text()
