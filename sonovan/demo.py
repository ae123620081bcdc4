"""`make demo`: real ultrasound and a simulated sweep from a van's spool to a report and an alert, on this machine.

Every command that it runs is printed as a user would type it. It stops what it started, unless KEEP=1.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydicom import dcmread, examples

from sonovan.centre import Centre, down, status, up
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, SonovanError
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.outputs import report_of
from sonovan.producers.private_files import write_private
from sonovan.reports.alerts import alert_line
from sonovan.reports.words import Words
from sonovan.state import state_path
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.assess.report import pictures_of
from sonovan.transport.tail import read_all

VAN: Final = "demo"
SEED: Final = 4
"""A sweep past two lesions: one shadows and is taller than wide, the other is a cyst."""
READER: Final = "reader-1"
FRAMES: Final = 40
ALERT_WITHIN_S: Final = 60.0
RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a screening left to look at."""

    report: Path
    overlays: tuple[Path, ...]
    assessed: ScreeningAssessed


def main() -> int:
    """Run the demo; the exit code is 0 only if report, overlay and alert are all there."""
    began = time.monotonic()
    path = state_path(None)
    ran_before = any(row.state == "running" for row in status(path))
    keep = ran_before or os.environ.get("KEEP") == "1"
    try:
        code = _run(path)
    except SonovanError as error:
        _say(f"the demo could not go on: {error}")
        code = 1
    finally:
        if keep:
            _say("everything keeps running; `.venv/bin/sonovan down` stops it")
        else:
            down(path, progress=_say)
    _say(f"done in {time.monotonic() - began:.0f} s")
    return code


def _run(path: Path) -> int:
    _title("Kafka, MinIO and the workers on this machine (the first time builds MinIO: a few minutes)")
    _typed("up")
    centre = up(path, app_environment=os.environ | {"SONOVAN_INTENDED_USE": "decision_support"}, progress=_say)
    reader = centre.kafka("reader")

    _title("A van with its own key and account")
    _sonovan(path, "van", "enrol", VAN)

    _title("Real ultrasound: the multi-frame file that pydicom ships (a heart: no breast, so it is refused)")
    _say("(the file was made smaller after its regions were written; a copy has them at its size, else a van holds it)")
    real = _sent(
        path,
        "van",
        "send",
        str(_fitted(path / "demo")),
        "--organ",
        "breast",
        "--side",
        "left",
        "--consent",
        "screening,ai",
    )
    real_shown = _show(centre, reader, real)
    _describe(real_shown)

    _title("A simulated sweep with known lesions")
    simulated = _sent(path, "van", "simulate", "--sweeps", "1", "--frames", str(FRAMES), "--seed", str(SEED))
    simulated_shown = _show(centre, reader, simulated)
    _describe(simulated_shown)

    _title("The alert: somebody is told once of a suspicious lesion, and until somebody answers")
    _say("it is raised while frames still arrive, and withdrawn where later ones show that two regions are one lesion;")
    _say("every other lesion waits on the worklist, to be read in its turn")
    raised = _suspicious(reader, simulated)
    if len(raised) != 1:
        _say(f"{len(raised)} alerts of suspicious lesions stand after {ALERT_WITHIN_S:.0f} s, not one; see the report")
        return 1
    (alert,) = raised
    _say(f"alert {alert_line(alert)}")
    _say(f"its id {alert.alert_id[:16]}, rule {alert.rule}, about a {alert.about.kind}")
    for words in (("alerts", "list"), ("alerts", "ack", alert.alert_id[:16], "--by", READER)):
        _say(_sonovan(path, *words).rstrip())

    _title("The report, as pages and PDFs in English and Chinese")
    folder = str(simulated_shown.report.parent)
    _say(_sonovan(path, "export", "report", simulated, "--out", folder, accept=(0, 3)).rstrip())

    _title("What to look at")
    _say(f"report, real file:       {real_shown.report}")
    _say(f"report, simulated sweep: {simulated_shown.report}")
    for picture in simulated_shown.overlays[:1]:
        _say(f"overlay:                 {picture}")
    _say("topics:   .venv/bin/sonovan topics tail screening.assessed.v1")
    _say(f"objects:  {centre.services.s3_console_url}, as reader: keys `reader.<s3-reader-access-key>` and")
    _say(f"          `<s3-reader>`, both in {path}/secrets/secrets.json")
    _say("these two need the services: run `make demo KEEP=1`, or `.venv/bin/sonovan up`")
    return 0 if simulated_shown.overlays else 1


def _fitted(folder: Path) -> Path:
    """A copy of pydicom's multi-frame file whose regions lie within its picture, which has half its original size."""
    dataset = dcmread(examples.get_path("ybr_color"))
    for region in dataset.SequenceOfUltrasoundRegions:
        for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1"):
            setattr(region, f"RegionLocation{corner}", region[f"RegionLocation{corner}"].value // 2)
        region.PhysicalDeltaX, region.PhysicalDeltaY = 2 * region.PhysicalDeltaX, 2 * region.PhysicalDeltaY
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "heart.dcm"
    dataset.save_as(path)
    return path


def _show(centre: Centre, reader: BrokerSettings, screening_id: str) -> Shown:
    """Fetch the newest report of a screening, and draw the key frames of its findings."""
    revisions = _records(reader, Topic.SCREENING_ASSESSED, ScreeningAssessed, screening_id)
    assessed = max(revisions, key=lambda each: each.revision_number)
    frames = {each.frame_id: each for each in _records(reader, Topic.FRAME_SEGMENTED, FrameSegmented, screening_id)}
    store = MinioStore(centre.store("reader"))
    folder = centre.path / "demo" / screening_id
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.html"
    if assessed.report_html_key is None:
        raise InvalidRecord("record_invalid", f"screening {screening_id} has no report yet")
    report.write_bytes(report_of(assessed, store)[0])
    overlays = []
    for number, finding in enumerate(assessed.findings, start=1):
        picture = folder / f"finding-{number}.png"
        picture.write_bytes(pictures_of(finding, finding.best, frames[finding.best.key_frame_id], store).outlined)
        overlays.append(picture)
    return Shown(report, tuple(overlays), assessed)


def _describe(shown: Shown) -> None:
    assessed = shown.assessed
    _say(
        f"revision {assessed.revision_number} ({assessed.status}): {assessed.frames} frames, "
        f"{len(assessed.findings)} outlined regions; unsigned, not a result"
    )
    words = Words()
    for row in assessed.adequacy:
        why = f" ({words.reasons(row)})" if row.reasons else ""
        _say(f"  {words.place(row.organ, row.laterality, row.region)}: {words.level(row.level)}{why}")
    for finding in assessed.findings:
        best = finding.best
        score = f"outline scored {best.score_mean:.2f} (no probability of cancer)"
        _say(f"  region on {words.frames_seen(best)}, {words.size(best)}, {score}")


def _records(reader: BrokerSettings, topic: Topic, kind: type[RecordT], screening_id: str) -> list[RecordT]:
    key = screening_id.encode()
    return [kind.decode(message.value) for message in read_all(reader, topic) if message.key == key and message.value]


def _suspicious(reader: BrokerSettings, screening_id: str) -> list[LesionAlerted]:
    """The alerts of suspicious lesions that stand once there is one, or at the deadline, whatever there is then."""
    deadline = time.monotonic() + ALERT_WITHIN_S
    while True:
        newest = {each.alert_id: each for each in _records(reader, Topic.LESION_ALERTED, LesionAlerted, screening_id)}
        found = [each for each in newest.values() if each.severity == "suspicious" and each.state != "withdrawn"]
        if len(found) == 1 or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _sent(path: Path, *words: str) -> str:
    """Send a screening, wait for its report, and return its id."""
    document = json.loads(_sonovan(path, *words, "--van", VAN, "--wait", "--json", accept=(0, 3)))
    return str(document["screening_id"])


def _sonovan(path: Path, *words: str, accept: tuple[int, ...] = (0,)) -> str:
    """Run one command as typed; its stdout."""
    _typed(*words)
    argv = [sys.executable, "-m", "sonovan", *words]
    environment = os.environ | {"SONOVAN_STATE": str(path), "SONOVAN_VAN_PASSPHRASE": _passphrase(path)}
    ran = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode not in accept:
        raise InvalidRecord("record_invalid", f"`sonovan {' '.join(words)}` ended with {ran.returncode}")
    return ran.stdout


def _passphrase(path: Path) -> str:
    """What opens the demo's van. Nobody types it, so it lies beside what it opens, as a real van's never does."""
    kept = path / "demo" / "passphrase"
    if not kept.exists():
        write_private(kept, secrets.token_hex(16))
    return kept.read_text(encoding="utf-8")


def _typed(*words: str) -> None:
    _say(f"$ sonovan {' '.join(words)}")


def _title(text: str) -> None:
    _say(f"\n== {text}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
