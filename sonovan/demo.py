"""`make demo`: real ultrasound and a simulated sweep from a van's spool to a report and an alert, on this machine.

Every command that it runs is printed as a user would type it. It stops what it started, unless KEEP=1.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sonovan import demo_scanner
from sonovan.centre import Centre, down, status, up
from sonovan.console_here import console_address
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord, SonovanError, Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.demo_typed import VAN, say, sonovan, title, typed
from sonovan.outputs import report_of
from sonovan.reports.alerts import alert_line
from sonovan.reports.words import Words
from sonovan.state import state_path
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.assess.report import pictures_of
from sonovan.transport.tail import read_all

SEED: Final = 4
"""A sweep past two lesions: one shadows and is taller than wide, the other is a cyst."""
READER: Final = "dr-1"
FRAMES: Final = 40
HEALTHY_SEED: Final = 46
HEALTHY_FRAMES: Final = 16
"""Sweeps of both sides without a lesion, in which nothing is found."""
SETTINGS: Final = {"SONOVAN_INTENDED_USE": "decision_support", "SONOVAN_CONSOLE_SECOND_FACTOR": "nobody"}
"""Of the demo's centre: categories and advice are shown, and the demo's reader needs no phone."""
QUESTIONS: Final = (
    "SELECT status, referred, round(CAST(suspicion AS NUMERIC), 2) AS suspicion, findings, frames FROM worklist",
    "SELECT organ, laterality, malignant, bi_rads, long_axis_mm, image_address FROM findings LIMIT 3",
    "SELECT side, image_address, predicted_dice, cnr, physician_conclusion FROM breast_records LIMIT 3",
)
"""What `make demo` asks the catalogue: what waits, what was found, and the programme's own records."""

ALERT_WITHIN_S: Final = 60.0
REPORT_WITHIN_S: Final = 180.0
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
        code = _run(path, keep)
    except SonovanError as error:
        say(f"the demo could not go on: {error}")
        code = 1
    finally:
        if keep:
            say("everything keeps running; `.venv/bin/sonovan down` stops it")
        else:
            down(path, progress=say)
    say(f"done in {time.monotonic() - began:.0f} s")
    return code


def _run(path: Path, keep: bool) -> int:
    title("Kafka, MinIO and the workers on this machine (the first time builds MinIO: a few minutes)")
    typed("up")
    centre = up(path, app_environment=os.environ | SETTINGS, console=True, progress=say)
    reader = centre.kafka("reader")

    title("A van with its own key and account")
    sonovan(path, "van", "enrol", VAN)

    title("Real ultrasound, sent by a scanner: the multi-frame file that pydicom ships (a heart, so it is refused)")
    real = _scanned(path, reader, keep)
    real_shown = _show(centre, reader, real)
    _describe(real_shown)

    title("A woman in whom nothing is found, and a simulated sweep with known lesions")
    healthy = _sent(
        path, "van", "simulate", "--sweeps", "2", "--lesions", "0", "--frames", str(HEALTHY_FRAMES),
        "--seed", str(HEALTHY_SEED),
    )  # fmt: skip
    simulated = _sent(path, "van", "simulate", "--sweeps", "1", "--frames", str(FRAMES), "--seed", str(SEED))
    simulated_shown = _show(centre, reader, simulated)
    _describe(simulated_shown)

    _describe(_show(centre, reader, healthy))

    title("The alert: somebody is told once of a suspicious lesion, and until somebody answers")
    say("it is raised while frames still arrive, and withdrawn where later ones show that two regions are one lesion;")
    say("every other lesion waits on the worklist, to be read in its turn")
    raised = _suspicious(reader, simulated)
    if len(raised) != 1:
        say(f"{len(raised)} alerts of suspicious lesions stand after {ALERT_WITHIN_S:.0f} s, not one; see the report")
        return 1
    (alert,) = raised
    say(f"alert {alert_line(alert)}")
    say(f"its id {alert.alert_id[:16]}, rule {alert.rule}, about a {alert.about.kind}")
    for words in (("alerts", "list"), ("alerts", "ack", alert.alert_id[:16], "--by", READER)):
        say(sonovan(path, *words).rstrip())

    title("The report, as pages and PDFs in English and Chinese")
    folder = str(simulated_shown.report.parent)
    say(sonovan(path, "export", "report", simulated, "--out", folder, accept=(0, 3)).rstrip())

    title("The catalogue: three questions")
    for question in QUESTIONS:
        say(sonovan(path, "query", question).rstrip())

    title("Is it still right? One page for the clinical lead")
    page = path / "demo" / "quality.html"
    say(sonovan(path, "quality", "report", "--out", str(page)).rstrip())

    title("The console: three women wait, one suspicious, one in whom nothing was found, one not seen well enough")
    console = _console(path)

    title("What to look at")
    say(f"console: {console}")
    say(f"report, real file:       {real_shown.report}")
    say(f"report, simulated sweep: {simulated_shown.report}")
    for picture in simulated_shown.overlays[:1]:
        say(f"overlay:                 {picture}")
    say(f"quality:                 {page}")
    say("topics:   .venv/bin/sonovan topics tail screening.assessed.v1")
    say(f"objects:  {centre.services.s3_console_url}, as reader: keys `reader.<s3-reader-access-key>` and")
    say(f"          `<s3-reader>`, both in {path}/secrets/secrets.json")
    say("these three need the services: run `make demo KEEP=1`, or `.venv/bin/sonovan up`")
    return 0 if simulated_shown.overlays else 1


def _console(path: Path) -> str:
    """The console's address and how to log in, in one line, with a new password each time."""
    known = [each["code"] for each in json.loads(sonovan(path, "console", "user", "list", "--json"))]
    words = ("reset", READER, "--lasting") if READER in known else ("add", READER, "--role", "reader", "--lasting")
    password = sonovan(path, "console", "user", *words).strip()
    return f"{console_address(path)}, account {READER}, password {password}"


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
    say(
        f"revision {assessed.revision_number} ({assessed.status}): {assessed.frames} frames, "
        f"{len(assessed.findings)} outlined regions; unsigned, not a result"
    )
    words = Words()
    for row in assessed.adequacy:
        why = f" ({words.reasons(row)})" if row.reasons else ""
        say(f"  {words.place(row.organ, row.laterality, row.region)}: {words.level(row.level)}{why}")
    for finding in assessed.findings:
        best = finding.best
        score = f"outline scored {best.score_mean:.2f} (no probability of cancer)"
        say(f"  region on {words.frames_seen(best)}, {words.size(best)}, {score}")


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
    document = json.loads(sonovan(path, *words, "--van", VAN, "--wait", "--json", accept=(0, 3)))
    return str(document["screening_id"])


def _scanned(path: Path, reader: BrokerSettings, keep: bool) -> str:
    """Have a scanner send a screening to the van, wait for its report, and return its id."""
    slip, screening_id = demo_scanner.registered(path)
    file = demo_scanner.scanned(path / "demo", slip)
    with demo_scanner.serving(path, keep) as van:
        demo_scanner.send(file, van.port)
        demo_scanner.closed(path, screening_id)
        deadline = time.monotonic() + REPORT_WITHIN_S
        while not any(
            each.status == "complete"
            for each in _records(reader, Topic.SCREENING_ASSESSED, ScreeningAssessed, screening_id)
        ):
            if time.monotonic() > deadline:
                raise Transient(f"screening {screening_id} is not complete after {REPORT_WITHIN_S:.0f} s")
            time.sleep(0.5)
        say(sonovan(path, "van", "lights", "--van", VAN, accept=(0, 3)).rstrip())
    return screening_id


if __name__ == "__main__":
    sys.exit(main())
