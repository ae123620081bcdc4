"""Fifty random kills of `assess` and `alert` while sweeps are sent and amended, and no hand mends anything.

`make bench-kills`.

A centre of its own is brought up as `sonovan up` does it, supervisor included. A van sends simulated sweeps one after
another through its spool (`sonovan van simulate --wait`), then what she feels, and an amendment (`sonovan van amend`):
another side, consent withdrawn, void, another woman. Meanwhile `assess` and `alert` are killed (SIGKILL) at pauses that
a seed decides, and after every fifth such kill one of Kafka, MinIO and `segment`. Kills and sweeps go in step: each
sweep gets its share of the kills, from the moment that it is being sent. At the end every frame, revision and alert is
counted: none may be missing, none may stand there with two contents, and each report, before and after it was amended,
must be the one that the embedded run makes of the same sweep. The count is printed and written to `results/kills.json`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Final, TypeVar

from benchmarks.kills_amended import Sent, amend, embedded, kinds_of
from benchmarks.shared import say
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, status, up
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.digests import result_digest
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed
from sonovan.contracts.topics import Topic
from sonovan.deploy.identity import ProcessRecord, is_running, send
from sonovan.deploy.launches import log_path, read_record
from sonovan.deploy.services import SUPERVISOR
from sonovan.deploy.state import StateFolder
from sonovan.producers.enrol import enrol
from sonovan.producers.items import Ids
from sonovan.producers.site import new_secret
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.stores import get_named
from sonovan.stream_apps.alert.rule_file import RuleFile
from sonovan.stream_apps.alert.step import alerts_of
from sonovan.transport.tail import read_all

RESULTS: Final = Path(__file__).parent / "results" / "kills.json"
VAN: Final = "kills"
STRUCK: Final = ("assess", "alert")
"""Whose kills are counted."""
BESIDE: Final = ("kafka", "minio", "segment")
EVERY: Final = 5
"""After so many kills one of BESIDE is killed as well."""
GIVE_UP_S: Final = 900.0
"""So long may a sweep, a process that should come back or the last alert take before the run counts as failed."""

PAUSES_S: Final = (0.5, 5.0)
LOOK_EVERY_S: Final = 0.1

RULES: Final = """format = 1
version = "two-frames"

[rules.persistent_lesion]
min_frames = 2
min_area_mm2 = 0
min_area_px = 0
min_score = 0

[rules.suspicious_lesion]
min_malignant = 0
"""
"""Whatever is outlined on two frames is told, and whatever has a score is suspicious; the other rules are as a site has
them that sets none: this is not about the numbers."""

SETTINGS: Final = {
    # One runtime for workers and embedded runs, whatever this machine would choose.
    "SONOVAN_MODELS_PROVIDER": "openvino",
    "SONOVAN_MODELS_PRECISION": "fp32",
}

RecordT = TypeVar("RecordT", bound=Record)


class Failed(Exception):
    """The run could not be ended as planned."""


@dataclass
class Pacing:
    """Kills and sweeps go in step: sweep n begins after its share of the kills, and a kill waits for its sweep."""

    kills: int
    sweeps: int
    killed: int = 0
    begun: int = 0
    failed: bool = False
    changed: Condition = field(default_factory=Condition)

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.failed or condition(), GIVE_UP_S) or self.failed:
                raise Failed(f"given up waiting for {what}")

    def begin(self, sweep: int) -> None:
        """Wait until the sweep may begin, and let its kills begin."""
        self._wait(lambda: self.killed * self.sweeps >= sweep * self.kills, f"the kills before sweep {sweep}")
        with self.changed:
            self.begun = sweep + 1
            self.changed.notify_all()

    def may_kill(self) -> None:
        """Wait until the sweep to which the next kill belongs is being sent."""
        self._wait(lambda: self.killed * self.sweeps < self.begun * self.kills, f"the sweep of kill {self.killed}")

    def has_killed(self) -> None:
        """Count a kill."""
        with self.changed:
            self.killed += 1
            self.changed.notify_all()

    def give_up(self) -> None:
        """Let nobody wait any longer."""
        with self.changed:
            self.failed = True
            self.changed.notify_all()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, count, write the results; the exit code is 1 where anything is lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of assess and alert; others come beside them")
    parser.add_argument("--sweeps", type=int, default=4)
    parser.add_argument("--frames", type=int, default=40, help="of each sweep")
    parser.add_argument("--seed", type=int, default=0, help="decides which process is killed when")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="sonovan-kills-") as folder:
        state, rules = Path(folder) / "state", Path(folder) / "rules.toml"
        rules.write_text(RULES)
        os.environ["SONOVAN_ALERT_RULES_FILE"] = str(rules)
        try:
            results = _run(state, chosen.kills, chosen.sweeps, chosen.frames, chosen.seed)
        finally:
            down(state, progress=say)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    say(json.dumps(results, indent=2))
    sound = not any(results["lost"].values()) and not any(results["doubled"].values())
    sound = sound and results["reports_like_embedded"] == results["amended_like_embedded"] == chosen.sweeps
    say(f"{results['kills']} kills: " + ("nothing lost, nothing doubled" if sound else "NOT SOUND"))
    return 0 if sound else 1


def _run(state: Path, kills: int, sweeps: int, frames: int, seed: int) -> dict[str, Any]:
    centre = up(state, supervised=True, progress=say)
    vault = vault_of(state, VAN)
    enrol(vault, VAN, centre.enrol_van(VAN, None), centre.kafka("registrar"))
    new_secret(vault)
    pacing, killed, sent = Pacing(kills, sweeps), Counter[str](), list[Sent]()
    began = time.monotonic()
    killer = Thread(target=_kill, args=(state, pacing, seed, killed))
    killer.start()
    try:
        for sweep in range(sweeps):
            pacing.begin(sweep)
            sent.append(_send(state, sweep, frames))
            say(f"sweep {sweep + 1} of {sweeps} has its report")
            wrong = amend(state, VAN, sent[-1], GIVE_UP_S)
            if wrong:
                raise Failed("; ".join(wrong))
            say(f"sweep {sweep + 1} is amended: {sent[-1].kind}")
    except BaseException:
        pacing.give_up()
        say(log_path(centre.state, SUPERVISOR).read_text())
        raise
    finally:
        killer.join()
    if pacing.killed < kills:
        raise Failed(f"only {pacing.killed} of {kills} processes could be killed")
    took_s = time.monotonic() - began
    _all_run(state)
    counted, last = _account(centre, sent)
    expected = {one: embedded(one, frames, vault) for one in sent}
    restarts = {row.name: row.past.count for row in status(state) if row.name in (*STRUCK, *BESIDE)}
    return {
        "kills": pacing.killed,
        "killed": dict(sorted(killed.items())),
        "restarts": restarts,
        "sweeps": len(sent),
        "amended": kinds_of(sent),
        **counted,
        "reports_like_embedded": sum(made[0] == one.revision_id for one, made in expected.items()),
        "amended_like_embedded": sum(made[1] == last[one.ids.screening_id] for one, made in expected.items()),
        "seed": seed,
        "took_s": round(took_s),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }


def _kill(state: Path, pacing: Pacing, seed: int, killed: Counter[str]) -> None:
    chance = random.Random(seed)
    folder = StateFolder(state)
    try:
        while pacing.killed < pacing.kills:
            time.sleep(chance.uniform(*PAUSES_S))
            pacing.may_kill()
            names = [chance.choice(STRUCK), *([chance.choice(BESIDE)] if pacing.killed % EVERY == EVERY - 1 else [])]
            for name in names:
                send(_running(folder, name), signal.SIGKILL)
                killed[name] += 1
            pacing.has_killed()
            say(f"kill {pacing.killed} of {pacing.kills}: {' and '.join(names)}")
    except Exception as error:  # whatever it is, the sender must not wait for kills that never come
        say(f"no more kills: {error}")
        pacing.give_up()


def _running(folder: StateFolder, name: str) -> ProcessRecord:
    """The process of this name, once it runs."""
    give_up_at = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up_at:
        record = read_record(folder, name)
        if record is not None and is_running(record):
            return record
        time.sleep(LOOK_EVERY_S)
    raise Failed(f"{name} did not come back within {GIVE_UP_S:g} s")


def _send(state: Path, sweep: int, frames: int) -> Sent:
    """Send one simulated sweep as a van does, and wait for its report."""
    words = ["van", "simulate", "--sweeps", "1", "--frames", str(frames), "--seed", str(sweep), "--van", VAN]
    words += ["--wait", "--json", "--give-up-s", f"{GIVE_UP_S:g}", "--state", str(state)]
    ran = subprocess.run([sys.executable, "-m", "sonovan", *words], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise Failed(f"sweep {sweep} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    told = json.loads(ran.stdout)
    ids = Ids(told["screening_id"], tuple(each["sequence_id"] for each in told["sequences"]))
    frame_ids = {f"{one['sequence_id']}/{index:06d}" for one in told["sequences"] for index in range(one["frames"])}
    return Sent(ids, sweep, frozenset(frame_ids), told["revision_id"])


def _all_run(state: Path) -> None:
    def well() -> bool:
        return all(row.state == "running" and row.healthy is not False for row in status(state))

    _until(well, "everything runs again")


def _account(centre: Centre, sent: Sequence[Sent]) -> tuple[dict[str, Any], dict[str, str]]:
    """Count what stands in the topics, once each screening is amended and the alerts that the revisions call for are
    there; and the newest revision of each screening."""
    screenings = {one.ids.screening_id for one in sent}
    kafka = centre.kafka("reader")

    def records(topic: Topic, kind: type[RecordT]) -> list[RecordT]:
        found = [record for message in read_all(kafka, topic) if isinstance(record := message.decode(), kind)]
        return [record for record in found if getattr(record, "screening_id", None) in screenings]

    def amended() -> bool:
        found = _newest(records(Topic.SCREENING_ASSESSED, ScreeningAssessed))
        return all(found[one.ids.screening_id].amendments for one in sent)

    _until(amended, "each screening is amended")
    results = records(Topic.FRAME_SEGMENTED, FrameSegmented)
    revisions = records(Topic.SCREENING_ASSESSED, ScreeningAssessed)
    sequences = records(Topic.SEQUENCE_ASSESSED, SequenceAssessed)
    called_for = _alerts_called_for(revisions)

    def alerts() -> list[LesionAlerted]:
        return records(Topic.LESION_ALERTED, LesionAlerted)

    _until(lambda: called_for <= {_alert(one) for one in alerts()}, "every alert is told")
    told = alerts()
    expected = {frame_id for one in sent for frame_id in one.frame_ids}
    complete = {one.screening_id for one in revisions if one.status == "complete"}
    last = {name: one.revision_id for name, one in _newest(revisions).items()}
    return {
        "frames": len(expected),
        "results": len({one.frame_id for one in results}),
        "revisions": len({one.revision_id for one in revisions}),
        "reports": len(complete),
        "alerts": len({one.alert_id for one in told}),
        "rejected": len(records(Topic.RECORD_REJECTED, RecordRejected)),
        "lost": {
            "frames": len(expected - {one.frame_id for one in results}),
            "objects": _missing_objects(centre, results, revisions),
            "reports": len(screenings - complete),
            "revisions": _gaps(revisions),
            "alerts": len(called_for - {_alert(one) for one in told}),
        },
        # A record may stand in a topic twice (at least once); what counts is one content for each name.
        "doubled": {
            "results": _doubled(((one.frame_id, one.fingerprint), result_digest(one)) for one in results),
            "revisions": _doubled((one.revision_id, one.encode()) for one in revisions)
            + _doubled(((one.screening_id, one.revision_number), one.revision_id) for one in revisions),
            "sequences": _doubled(((one.revision_id, one.sequence_id), one.encode()) for one in sequences),
            "alerts": _doubled((_alert(one), one.encode()) for one in told)
            + len({_alert(one) for one in told} - called_for),
        },
        "sent_again": {
            "results": len(results) - len({one.frame_id for one in results}),
            "revisions": len(revisions) - len({one.revision_id for one in revisions}),
            "alerts": len(told) - len({_alert(one) for one in told}),
        },
    }, last


def _newest(revisions: Iterable[ScreeningAssessed]) -> dict[str, ScreeningAssessed]:
    """The revision with the highest number, by screening."""
    return {one.screening_id: one for one in sorted(revisions, key=lambda each: each.revision_number)}


def _alert(record: LesionAlerted) -> tuple[str, str, str]:
    return record.alert_id, record.state, record.revision_id


def _alerts_called_for(revisions: Iterable[ScreeningAssessed]) -> set[tuple[str, str, str]]:
    """The alerts that the rules make of the revisions, each screening's in the order of its numbers."""
    rules = RuleFile.model_validate(tomllib.loads(RULES)).rule_set
    known: dict[str, LesionAlerted] = {}
    called_for = set()
    by_number = {(one.screening_id, one.revision_number): one for one in revisions}
    for _, revision in sorted(by_number.items()):
        mine = {name: one for name, one in known.items() if one.screening_id == revision.screening_id}
        for alert in alerts_of(revision, mine, rules):
            known[alert.alert_id] = alert
            called_for.add(_alert(alert))
    return called_for


def _missing_objects(centre: Centre, results: Iterable[FrameSegmented], revisions: Iterable[ScreeningAssessed]) -> int:
    store = MinioStore(centre.store())
    named: set[tuple[str, str | None, str | None]] = set()
    for result in results:
        named.add((Bucket.FRAMES, result.image_key, result.image_sha256))
        named.add((Bucket.MASKS, result.mask_key, result.mask_sha256))
    for one in revisions:
        named.add((Bucket.REPORTS, one.report_html_key, one.report_html_sha256))
        named.add((Bucket.REPORTS, one.report_json_key, one.report_json_sha256))
    return sum(not _stands(store, bucket, key, sha256) for bucket, key, sha256 in named if key and sha256)


def _stands(store: MinioStore, bucket: str, key: str, sha256: str) -> bool:
    """Whether the object is there, and the one that its record names."""
    try:
        return bool(get_named(store, bucket, key, sha256))
    except (KeyError, InvalidRecord):
        return False


def _gaps(revisions: Iterable[ScreeningAssessed]) -> int:
    """How many numbers below each screening's highest no revision has."""
    numbers: dict[str, set[int]] = {}
    for one in revisions:
        numbers.setdefault(one.screening_id, set()).add(one.revision_number)
    return sum(max(each) - len(each) for each in numbers.values())


def _doubled(pairs: Iterable[tuple[Hashable, Hashable]]) -> int:
    """How many names have more than one content."""
    contents: dict[Hashable, set[Hashable]] = {}
    for name, content in pairs:
        contents.setdefault(name, set()).add(content)
    return sum(len(each) > 1 for each in contents.values())


def _until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > give_up_at:
            raise Failed(f"not within {GIVE_UP_S:g} s: {what}")
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
