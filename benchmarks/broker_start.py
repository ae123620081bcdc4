"""How long the broker takes until the admin can log in, with its stored classes and without, in turns.

    python -m benchmarks.broker_start --rounds 5

Prints a line for each start and the ratio of the medians. JDK_JAVA_OPTIONS counts, as it does for `sonovan up`.
"""

import argparse
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sonovan.deploy import kafka
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.classes import ensure_archive
from sonovan.deploy.launches import Launch
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.state import StateFolder

GIVE_UP_S = 180.0


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the admin could log in, and those that the broker computed until then."""

    wall_s: float
    cpu_s: float


def started(state: StateFolder, launch: Launch) -> Start:
    """Start a broker, wait for it, and end it. Raises SystemExit where it does not come."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        with subprocess.Popen(
            launch.argv, cwd=launch.cwd, env=os.environ | launch.env, stdout=said, stderr=said
        ) as running:
            try:
                while not kafka.healthy(state):
                    if running.poll() is not None or time.monotonic() - began > GIVE_UP_S:
                        raise SystemExit("the broker did not start")
                    time.sleep(0.05)
                return Start(time.monotonic() - began, _cpu_s(running.pid))
            finally:
                running.terminate()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start brokers of both kinds in turns and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    java, jars, _ = ensure_cached(print)
    archive = ensure_archive(java, jars, print)
    if archive is None:
        raise SystemExit("there are no stored classes to compare with")
    found: dict[str, list[Start]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as folder:
        state = StateFolder(Path(folder) / "state")
        for number in range(rounds):
            for kind, stored in (("without", None), ("with", archive)):
                with state.lock():
                    launch = kafka.prepare(
                        state,
                        java,
                        jars,
                        max_message_bytes=1024 * 1024,
                        vans=VansListenerSettings.model_construct(),
                        progress=print,
                        archive=stored,
                    )
                found[kind].append(started(state, launch))
                print(f"{number + 1} {kind} stored classes: {found[kind][-1]}", flush=True)
    for what in ("wall_s", "cpu_s"):
        middle = {kind: median(getattr(each, what) for each in starts) for kind, starts in found.items()}
        ratio = middle["with"] / middle["without"]
        print(f"{what}: {middle['with']:.1f} with, {middle['without']:.1f} without, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
