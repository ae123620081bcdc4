"""Ten minutes of fuzzed and hostile records beside honest vans, through a whole centre: `make bench-hostile`.

A centre is brought up as `sonovan up` does it, supervisor included. Honest vans screen at a steady pace, first alone
for a while (the reference), then beside vans that were taken over (`benchmarks/hostile_van.py`): these have valid keys
and accounts, and each sends so many bytes a second. Meanwhile the memory of every worker is read once a second. At the
end each honest frame and report is looked for, and how long it took. The exit code is 1 where a bound breaks: a
worker's memory, a restart, a frame or report that is missing, a wait. Written to `results/hostile.json`.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from benchmarks.hostile_van import WEIGHTS, HostileVan
from benchmarks.processes import memory_mib
from benchmarks.shared import VISIT, say
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, up
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MIB
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import STAGES, Topic
from sonovan.deploy.launches import log_path, read_record
from sonovan.deploy.services import SERVICES
from sonovan.producers.enrol import enrol, load_kafka, load_signer
from sonovan.producers.items import Item, mint_ids
from sonovan.producers.screening import compose
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.sources import CapturedFrame, LostFrame, Source
from sonovan.transport.producer import BoundedProducer, Pending
from sonovan.transport.tail import Tail

RESULTS: Final = Path(__file__).parent / "results" / "hostile.json"
WORKERS: Final = tuple(stage.value for stage in STAGES)

MEMORY_MIB: Final = {"segment": 1536, "assess": 1024, "alert": 512}
"""Above this no worker may go."""

TIMES: Final = 2.0
MORE_S: Final = {"p50": 5.0, "p95": 15.0, "max": 30.0}
"""Beside hostile vans an honest frame or report may take TIMES as long as alone, and so many seconds more.

A frame waits from its capture to its result, a report from the last frame's capture. Machines and what else they do
differ, so the time alone is measured in the same run.
"""

STOPPED: Final = "rejects too much"
DRAIN_S: Final = 300.0
SENT_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent. frames: of each honest screening, at `fps`, one every `every_s` seconds from each honest van.

    bytes_per_s: of each hostile van. kinds: of its attacks. reference_s: how long the honest vans are alone
    first. more_s: in place of MORE_S.
    """

    seconds: float
    reference_s: float
    honest: int = 2
    hostile: int = 2
    frames: int = 12
    fps: float = 4.0
    every_s: float = 20.0
    bytes_per_s: int = MIB // 4
    seed: int = 0
    kinds: Collection[str] = tuple(WEIGHTS)
    more_s: Mapping[str, float] = field(default_factory=lambda: MORE_S)


@dataclass
class Load:
    """What was sent: honest screenings with the names of their frames, hostile messages by kind."""

    screenings: dict[str, set[str]] = field(default_factory=dict)
    sweeps: list[tuple[str, str]] = field(default_factory=list)
    hostile: Counter[str] = field(default_factory=Counter)
    hostile_bytes: Counter[str] = field(default_factory=Counter)
    unsent: Counter[str] = field(default_factory=Counter)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, judge, write the results; the exit code is 1 where a bound breaks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="beside hostile vans")
    parser.add_argument("--reference-minutes", type=float, default=1.0, help="honest vans alone, before that")
    parser.add_argument("--kib-per-s", type=int, default=256, help="of each hostile van")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=list(WEIGHTS), default=list(WEIGHTS), help="of attacks")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    plan = Plan(
        60 * chosen.minutes,
        60 * chosen.reference_minutes,
        bytes_per_s=1024 * chosen.kib_per_s,
        seed=chosen.seed,
        kinds=chosen.kinds,
    )
    with tempfile.TemporaryDirectory(prefix="sonovan-hostile-") as folder:
        state = Path(folder) / "state"
        try:
            results = run(up(state, supervised=True, progress=say), plan)
        finally:
            down(state)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    say(json.dumps(results, indent=2))
    say("every bound held" if not results["broken"] else f"BROKEN: {'; '.join(results['broken'])}")
    return 1 if results["broken"] else 0


def run(centre: Centre, plan: Plan) -> dict[str, Any]:
    """Everything over a centre whose workers run: send, measure, judge. `broken` in the result lists the bounds that
    did not hold."""
    names = [f"{kind}-{mint_id()[-8:]}" for kind in ["honest"] * plan.honest + ["hostile"] * plan.hostile]
    for name in names:
        enrol(vault_of(centre.path, name), name, centre.enrol_van(name), centre.kafka("registrar"))
    honest, hostile = names[: plan.honest], names[plan.honest :]
    stopped = {name: _log(centre, name).count(STOPPED) for name in WORKERS}
    rejections = Tail(centre.kafka("reader"), Topic.RECORD_REJECTED, "now")
    with Memory(centre) as memory:
        say(f"{plan.reference_s:g} s of honest vans alone")
        alone = send(centre, plan, honest, [], plan.reference_s)
        reference = waits_of(centre, alone)
        say(f"{plan.seconds:g} s beside hostile vans, {_waited(reference)} before")
        load = send(centre, plan, honest, hostile, plan.seconds)
        waits = waits_of(centre, load)
    told = [record for each in rejections.to_the_end(DRAIN_S) if isinstance(record := each.decode(), RecordRejected)]
    results: dict[str, Any] = {
        "seconds": plan.seconds,
        "honest": {"vans": plan.honest, "screenings": len(load.screenings), **waits},
        "honest_alone": {"screenings": len(alone.screenings), **reference},
        "bounds": {"memory_mib": MEMORY_MIB, "times_alone": TIMES, "and_more_s": dict(plan.more_s)},
        "peak_mib": dict(memory.peak_mib),
        "restarts": memory.restarts,
        "hostile": {
            "vans": plan.hostile,
            "kib_per_s_each": plan.bytes_per_s // 1024,
            "records": dict(sorted(load.hostile.items())),
            "mib": {name: round(size / MIB, 1) for name, size in sorted(load.hostile_bytes.items())},
            "unsent": dict(load.unsent),
        },
        "rejected": dict(sorted(Counter(one.reason for one in told).items())),
        "quarantine": {
            "kept": sum(one.kept for one in told),
            "not_kept": sum(not one.kept for one in told),
            "mib": round(_stored_bytes(centre, {one.quarantine_key for one in told if one.kept}) / MIB, 1),
        },
        "stopped_by_share": [name for name in WORKERS if _log(centre, name).count(STOPPED) > stopped[name]],
        "seed": plan.seed,
        "measured_on": datetime.now(UTC).date().isoformat(),
    }
    return results | {"broken": broken(results)}


def broken(results: dict[str, Any]) -> list[str]:
    """The bounds that did not hold, in words."""
    found = [
        f"{name} took {peak} MiB, at most {MEMORY_MIB[name]}"
        for name, peak in results["peak_mib"].items()
        if name in MEMORY_MIB and peak > MEMORY_MIB[name]
    ]
    found += [f"{name} was started again {count} times" for name, count in results["restarts"].items() if count]
    for part in ("honest", "honest_alone"):
        lost = results[part]["lost"]
        found += [f"{part}: {count} {what} lost" for what, count in lost.items() if count]
    for what in ("frame_wait_s", "report_wait_s"):
        beside, alone = results["honest"][what], results["honest_alone"][what]
        if not beside or not alone:
            found.append(f"{what}: nothing came that could be measured")
            continue
        bounds = {name: TIMES * alone[name] + more for name, more in results["bounds"]["and_more_s"].items()}
        found += [
            f"{what} {name}: {beside[name]}, at most {bound:.1f}"
            for name, bound in bounds.items()
            if beside[name] > bound
        ]
    if results["stopped_by_share"]:
        found.append(f"{', '.join(results['stopped_by_share'])} stopped, for it rejected too much")
    return found


class Memory:
    """Reads the resident memory of every process of a centre once a second, as a context manager."""

    EVERY_S: Final = 1.0

    def __init__(self, centre: Centre) -> None:
        self._centre, self._end = centre, Event()
        self.peak_mib: dict[str, float] = {}
        self._pids: dict[str, set[int]] = {}
        self._thread = Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def restarts(self) -> dict[str, int]:
        """How often each process was another one than before."""
        return {name: len(pids) - 1 for name, pids in self._pids.items()}

    def _watch(self) -> None:
        while not self._end.wait(self.EVERY_S):
            for name in (*WORKERS, *SERVICES):
                record = read_record(self._centre.state, name)
                if record is not None:
                    self._pids.setdefault(name, set()).add(record.pid)
                    self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), _resident_mib(record.pid))


def _resident_mib(pid: int) -> float:
    """A process's resident memory in MiB; 0 where it is gone."""
    try:
        return memory_mib(pid)
    except (OSError, RuntimeError):
        return 0.0


def send(centre: Centre, plan: Plan, honest: Sequence[str], hostile: Sequence[str], seconds: float) -> Load:
    """Let all vans, which are enrolled by these names, send for so long; what was sent."""
    load, until = Load(), time.monotonic() + seconds
    with ThreadPoolExecutor(len(honest) + len(hostile)) as pool:
        running = [pool.submit(_screen, centre, plan, load, name, until, number) for number, name in enumerate(honest)]
        running += [
            pool.submit(_attack, centre, plan, load, name, honest, until, plan.seed + number)
            for number, name in enumerate(hostile)
        ]
        for each in running:
            each.result()
    return load


def _screen(centre: Centre, plan: Plan, load: Load, van: str, until: float, number: int) -> None:
    """Honest screenings at their pace, each complete.

    Hostile vans learn the ids of one once its opening is with the broker: before that they exist on the honest van
    alone, and nobody guesses the random bits of an id. (Whoever opens a screening first owns it; docs/security.md.)
    """
    source = simulated_sources("breast", 1, plan.frames, 7 + number)[0]
    frames = [shot for shot in source.read() if isinstance(shot, CapturedFrame)]
    signer, pending = load_signer(vault_of(centre.path, van), van), list[Pending]()
    with BoundedProducer(load_kafka(vault_of(centre.path, van), van), in_flight_bytes=8 * MIB) as producer:

        def put(item: Item) -> None:
            if item.frame_index is not None:
                load.screenings[item.screening_id].add(item.item_id)
            pending.append(producer.send(item.topic, item.key, item.value, item.headers, deadline_s=SENT_WITHIN_S))
            if item.topic is Topic.SCREENING_OPENED:
                pending[-1].result(SENT_WITHIN_S)
                load.sweeps.append((ids.screening_id, ids.sequence_ids[0]))

        while (begun := time.monotonic()) < until:
            ids = mint_ids(1)
            load.screenings[ids.screening_id] = set()
            compose([_paced(source, frames, plan.fps)], VISIT, signer, put, ids=ids)
            for each in pending:
                each.result(SENT_WITHIN_S)
            pending.clear()
            time.sleep(max(min(begun + plan.every_s, until) - time.monotonic(), 0.0))


def _paced(source: Source, frames: Sequence[CapturedFrame], fps: float) -> Source:
    def read() -> Iterable[CapturedFrame | LostFrame]:
        start = time.monotonic()
        for index, frame in enumerate(frames):
            time.sleep(max(start + index / fps - time.monotonic(), 0.0))
            yield frame

    return replace(source, read=lambda: iter(read()), frame_count=len(frames))


def _attack(centre: Centre, plan: Plan, load: Load, van: str, honest: Sequence[str], until: float, seed: int) -> None:
    """Hostile messages, so many bytes a second; where the broker throttles the van, fewer."""
    attacker = HostileVan(load_signer(vault_of(centre.path, van), van), list(honest), load.sweeps, seed, plan.kinds)
    begun, sent, pending = time.monotonic(), 0, list[Pending]()
    with BoundedProducer(
        load_kafka(vault_of(centre.path, van), van), in_flight_bytes=64 * MIB, delivery_timeout_s=SENT_WITHIN_S
    ) as producer:
        for each in attacker.messages():
            due = begun + sent / plan.bytes_per_s
            if max(due, time.monotonic()) >= until:
                break
            time.sleep(max(due - time.monotonic(), 0.0))
            pending.append(producer.send(each.topic, each.key, each.value))
            sent += len(each.value) + len(each.key)
            load.hostile[each.kind] += 1
            load.hostile_bytes[each.kind] += len(each.value)
        for one in pending:
            try:
                one.result(SENT_WITHIN_S)
            except Exception as error:  # a hostile van that is throttled or refused is no failure of this run
                load.unsent[type(error).__name__] += 1


def waits_of(centre: Centre, load: Load) -> dict[str, Any]:
    """How long honest frames and reports took, once all are there or DRAIN_S have passed; what is lost."""
    give_up_at = time.monotonic() + DRAIN_S
    frames: dict[str, tuple[datetime, datetime]] = {}
    reports: dict[str, datetime] = {}
    expected = {name for names in load.screenings.values() for name in names}
    with (
        Tail(centre.kafka("reader"), Topic.FRAME_SEGMENTED) as results,
        Tail(centre.kafka("reader"), Topic.SCREENING_ASSESSED) as revisions,
    ):
        while (len(frames) < len(expected) or len(reports) < len(load.screenings)) and time.monotonic() < give_up_at:
            for message in results.to_the_end(DRAIN_S):
                result = _of(message.value, FrameSegmented, message.key, load)
                if isinstance(result, FrameSegmented) and result.frame_id in expected:
                    frames.setdefault(result.frame_id, (result.captured_at, message.appended_at))
            for message in revisions.to_the_end(DRAIN_S):
                revision = _of(message.value, ScreeningAssessed, message.key, load)
                if isinstance(revision, ScreeningAssessed) and revision.status == "complete":
                    reports.setdefault(revision.screening_id, message.appended_at)
            time.sleep(0.5)
    frame_waits = [(appended - captured).total_seconds() for captured, appended in frames.values()]
    report_waits = [
        (reports[screening] - max(frames[name][0] for name in names if name in frames)).total_seconds()
        for screening, names in load.screenings.items()
        if screening in reports
    ]
    return {
        "frames": len(expected),
        "lost": {"frames": len(expected - frames.keys()), "reports": len(load.screenings.keys() - reports.keys())},
        "frame_wait_s": _summary(frame_waits),
        "report_wait_s": _summary(report_waits),
    }


def _of(value: bytes | None, kind: type[Record], key: bytes | None, load: Load) -> Record | None:
    """The record, where it is of an honest screening: others are not even decoded."""
    return kind.decode(value) if value and key and key.decode(errors="replace") in load.screenings else None


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[18] if len(seconds) > 1 else seconds[0]
    return {"p50": round(statistics.median(seconds), 2), "p95": round(p95, 2), "max": round(max(seconds), 2)}


def _waited(waits: dict[str, Any]) -> str:
    return f"frames waited {waits['frame_wait_s']} s, reports {waits['report_wait_s']} s"


def _log(centre: Centre, name: str) -> str:
    path = log_path(centre.state, name)
    return path.read_text(errors="replace") if path.exists() else ""


def _stored_bytes(centre: Centre, keys: set[str]) -> int:
    from minio import Minio

    settings = centre.store()
    client = Minio(
        settings.endpoint, settings.access_key, settings.secret_key.get_secret_value(), secure=False, region="us-east-1"
    )
    found = client.list_objects("sonovan-quarantine", recursive=True)
    return sum(each.size or 0 for each in found if each.object_name in keys)


if __name__ == "__main__":
    os.environ.setdefault("SONOVAN_MODELS_PROVIDER", "openvino")
    sys.exit(main())
