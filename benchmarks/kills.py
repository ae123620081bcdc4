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
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Final

from benchmarks.accounting import RULES, account, newest, records
from benchmarks.kills_amended import Sent, amend, embedded, kinds_of
from benchmarks.shared import say
from benchmarks.van_vault import vault_of
from sonovan.centre import Centre, down, status, up
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.deploy.identity import ProcessRecord, is_running, send
from sonovan.deploy.launches import log_path, read_record
from sonovan.deploy.services import SUPERVISOR
from sonovan.deploy.state import StateFolder
from sonovan.producers.enrol import enrol
from sonovan.producers.items import Ids
from sonovan.producers.site import new_secret

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

SETTINGS: Final = {
    # One runtime for workers and embedded runs, whatever this machine would choose.
    "SONOVAN_MODELS_PROVIDER": "openvino",
    "SONOVAN_MODELS_PRECISION": "fp32",
}


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

    def revisions() -> dict[str, ScreeningAssessed]:
        return newest(records(centre.kafka("reader"), Topic.SCREENING_ASSESSED, ScreeningAssessed, screenings))

    def amended() -> bool:
        found = revisions()
        return all(found[one.ids.screening_id].amendments for one in sent)

    _until(amended, "each screening is amended")
    expected = {frame_id for one in sent for frame_id in one.frame_ids}
    counted = account(centre, expected, screenings, _until)
    return counted, {name: one.revision_id for name, one in revisions().items()}


def _until(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > give_up_at:
            raise Failed(f"not within {GIVE_UP_S:g} s: {what}")
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
