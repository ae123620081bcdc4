"""`make upgrade-trial FROM=REF`: centre and van of an older version go on under this one, and the way back is tried.

The older version runs from a work tree and an environment of its own. Under it one screening is reported, one has a
side that is still to be scanned, with frames that nobody has looked at yet, and of one the van was killed while it
sent. Then this version starts on the same state folder, the screenings are finished, and everything is counted: no
frame without a result, the first report byte for byte what it was. Where the versions have different networks, what
has results of both takes the newer one as docs/operations.md says. At last the older version starts on that folder
again: it works, or it refuses with a reason, and this version goes on afterwards.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.upgrade.trees import ROOT, older
from tests.waiting import elapse, until

FRAMES: Final = 24
LONG: Final = 400
"""Frames of the sweep in the middle of which the van is killed."""
TODAY: Final = datetime.now(UTC).date().isoformat()
AT_LEAST: Final = 20
"""Frames of it that are at the centre before."""
STORED: Final = ("report.json", "report.html")
"""Of an exported report what is stored; pages and PDFs are made when they are exported, by the version that does it."""
SET_ASIDE: Final = 3
"""What `sonovan van send` ends with where frames wait for an operator's eye."""
WITHIN_S: Final = 1200.0
CONSENT: Final = ("--consent", "screening,ai")


@dataclass(frozen=True)
class Version:
    """One version of the program, by the folder that it runs from."""

    tree: Path
    state: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command of this version over the state folder."""
        own = {"SONOVAN_STATE": str(self.state), "SONOVAN_VAN_PASSPHRASE": "words of an upgrade"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
        return subprocess.Popen(
            [str(self.tree / ".venv/bin/sonovan"), *words],
            cwd=self.state.parent,
            env=kept | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ends(self, *words: str) -> tuple[int, str, str]:
        """What a command ends with: its exit code and what it printed on either stream."""
        process = self.start(*words)
        printed, told = process.communicate(timeout=WITHIN_S)
        return process.returncode, printed, told

    def run(self, *words: str, also: int = 0) -> str:
        """What a command prints. Raises RuntimeError where it ends with neither 0 nor `also`."""
        code, printed, told = self.ends(*words)
        if code not in (0, also):
            raise RuntimeError(f"{self.tree.name}: sonovan {' '.join(words)} ended with {code}\n{printed}{told}")
        return printed

    def asked(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query to the catalogue."""
        return list(json.loads(self.run("query", query, "--json")))


def sent(version: Version, sweep: Path, side: str, *more: str) -> str:
    """Send a sweep; the screening's id."""
    told = version.run(
        "van", "send", str(sweep), "--organ", "breast", "--side", side, *CONSENT, *more, "--json", also=SET_ASIDE
    )
    return str(json.loads(told)["screening_id"])


def cut(version: Version, sweep: Path) -> str:
    """Kill the van while it sends a long sweep, once some frames are there; the unfinished screening's id."""
    known = set(frames_of(version))
    process = version.start(
        "van", "send", str(sweep), "--organ", "breast", "--side", "left", *CONSENT, "--plan", "left"
    )

    def begun() -> str | None:
        found = (name for name, frames in frames_of(version).items() if name not in known and frames >= AT_LEAST)
        return next(found, None)

    try:
        screening_id = until(begun, f"{AT_LEAST} frames of the long sweep are at the centre", deadline_s=WITHIN_S)
    finally:
        process.kill()
        process.communicate()
    assert screening_id is not None
    return screening_id


def release(version: Version) -> None:
    """Send what the van holds for an operator's eye: simulated speckle may look like letters."""
    for held in json.loads(version.run("van", "held", "--json")):
        version.run("van", "release", held["frame_id"])
    version.run("van", "spool", "retry")


def frames_of(version: Version) -> dict[str, int]:
    """Screening → how many frames have a result, by whichever network."""
    found = version.asked(
        "SELECT screening_id, count(*) AS frames FROM "
        "(SELECT DISTINCT screening_id, sequence_id, frame_index FROM frames) f GROUP BY screening_id"
    )
    return {each["screening_id"]: each["frames"] for each in found}


def take_over(version: Version, screening_id: str) -> int:
    """Where frames of the screening are of the network before, have it take the present one as a whole.

    Returns of how many networks its results were.
    """
    networks = version.asked(f"SELECT DISTINCT model_id, fingerprint FROM frames WHERE screening_id = '{screening_id}'")
    if len(networks) > 1:
        (model,) = {each["model_id"] for each in networks}
        version.run("replay", "--from", TODAY, "--model", model)
        version.run("models", "promote", screening_id, "--model", model, "--by", "op-1")
    return len(networks)


def finished(version: Version, screenings: set[str]) -> dict[str, str] | None:
    """Screening → status, once the newest revision of each is complete."""
    told = {
        each["screening_id"]: each["status"] for each in version.asked("SELECT screening_id, status FROM screenings")
    }
    if all(told.get(each) == "complete" for each in screenings):
        return told
    elapse(2.0)
    return None


def main() -> int:
    """Run the trial, print what was counted as JSON; 1 where something was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.trial", description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="reference", required=True, help="the older version: a commit or a tag")
    reference = parser.parse_args().reference
    with tempfile.TemporaryDirectory(prefix="sonovan-upgrade-") as name, older(reference, Path(name)) as tree:
        folder = Path(name)
        before, now = Version(tree, folder / "state"), Version(ROOT, folder / "state")
        try:
            counted = _trial(before, now, folder)
        finally:
            now.ends("down")
    print(json.dumps({"from": reference, **counted}, indent=1))
    return int(counted["lost"] != 0 or bool(counted["reports_changed"]))


def _trial(before: Version, now: Version, folder: Path) -> dict[str, Any]:
    before.run("up")
    before.run("van", "enrol", "van-1")
    sweeps = []
    for seed, frames in ((7, FRAMES), (8, FRAMES), (9, FRAMES), (10, LONG)):
        before.run("van", "simulate", "--frames", str(frames), "--seed", str(seed), "--out", str(folder / str(seed)))
        sweeps.append(folder / str(seed) / "sweep_0")
    reported = sent(before, sweeps[0], "left", "--plan", "left", "--wait")
    release(before)
    until(lambda: frames_of(before) == {reported: FRAMES} or elapse(2.0), "a result each", deadline_s=WITHIN_S)
    until(lambda: finished(before, {reported}), "its report holds all frames", deadline_s=WITHIN_S)
    report = before.run("export", "report", reported, "--out", str(folder / "report-before"))
    cut_off = cut(before, sweeps[3])
    half = sent(before, sweeps[1], "left")
    before.run("down")  # at once: frames of both wait in the log, and workers have looked at few or none of them
    _say(f"under {before.tree.name}: {reported} reported, {half} with a side to come, {cut_off} cut off; {report}")

    now.run("up")
    now.run("van", "spool", "retry")
    sent(now, sweeps[2], "right", "--into", half)
    now.run("van", "send", str(sweeps[3]), "--organ", "breast", "--side", "left", "--into", cut_off, also=SET_ASIDE)
    release(now)
    expected = {reported: FRAMES, half: 2 * FRAMES, cut_off: LONG}
    until(lambda: frames_of(now) == expected or elapse(2.0), f"a result each: {expected}", deadline_s=WITHIN_S)
    networks = {"with_a_side_to_come": take_over(now, half), "cut_off": take_over(now, cut_off)}
    statuses = until(lambda: finished(now, set(expected)), "every screening is complete", deadline_s=WITHIN_S)
    now.run("export", "report", reported, "--out", str(folder / "report-after"))
    changed = [
        name
        for name in STORED
        if (folder / "report-before" / name).read_bytes() != (folder / "report-after" / name).read_bytes()
    ]
    now.run("down")

    code, printed, told = before.ends("up")
    back: dict[str, Any] = {"code": code, "told": (told or printed).strip().splitlines()[-3:]}
    if code == 0:
        again = sent(before, sweeps[0], "left", "--plan", "left", "--wait")
        back["a_screening_more"] = frames_of(before).get(again)
    before.ends("down")
    now.run("up")
    kept = {name: count for name, count in frames_of(now).items() if name in expected}
    return {
        "frames": sum(expected.values()),
        "lost": sum(expected.values()) - sum(kept.values()),
        "reports_changed": changed,
        "networks": networks,
        "statuses": sorted(statuses[each] for each in expected),
        "back": back,
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
