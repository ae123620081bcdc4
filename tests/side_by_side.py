"""What `make test` runs: five pytest processes side by side. Two start the real services, one has the console with its
servers, threads and browsers, one a container engine, and the last one runs the rest, among it tests that fork.

Tests of services often wait, so that two such processes beside the computing ones use two cores up; more would only
slow each other down. The engine's one test, which mostly waits for packages, ends long before them. Each of those of
services has its own broker and store. Each process collects its own files alone, and none waits for another, so that
one that hangs or crashes holds nobody else up. What stands behind the command goes to all.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
MARKER: Final = "pytest.mark.services"
SPINE: Final = "tests/journeys/test_spine.py"
"""The longest of the journeys: beside the attacks it makes a part that takes about as long as the others do."""
ENGINE: Final = "tests/deploy/test_engine_runs.py"
APART: Final = ("training", "containers")
"""Rooms whose tests `make test-training` and `make containers-test` run."""
_LOOK_S: Final = 1.0
_PROGRESS: Final = re.compile(r"\[ *\d+%\]\s*$")


def starts_services(file: str) -> bool:
    """Whether tests of this file, by its path in the repository, may start services.

    Attacks are of both kinds: a file of them that starts services says so by the marker `services`.
    """
    room = file.split("/")[1]
    return room in ("consumers", "journeys", "services") or (room == "attacks" and MARKER in (ROOT / file).read_text())


def parts() -> dict[str, list[str]]:
    """The test files of each process, by its name; without those that have a command of their own."""
    found: dict[str, list[str]] = {"attacks": [], "services": [], "console": [], "engine": [], "rest": []}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        room = file.split("/")[1]
        part = "attacks" if room == "attacks" or file == SPINE else "services"
        part = part if starts_services(file) else "console" if room == "console" else "rest"
        part = "engine" if file == ENGINE else part
        if room not in APART:
            found[part].append(file)
    return found


def run(part: str, files: list[str], options: list[str]) -> int:
    """Run one process and say what it says: its progress as it comes, the rest when it ends. Its exit status.

    It writes into a file and not a pipe, which a service that outlives it would keep open.
    """
    argv = [sys.executable, "-m", "pytest", "-q", *options, *files]
    begun, rest = "", ""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("w") as writing:
            process = subprocess.Popen(argv, cwd=ROOT, stdout=writing, stderr=subprocess.STDOUT)
        with said.open() as reading:
            while True:
                ended = _ended(process)
                lines = (begun + reading.read()).splitlines(keepends=True)
                begun = lines.pop() if lines and not ended and not lines[-1].endswith("\n") else ""
                for line in lines:
                    if _PROGRESS.search(line):
                        print(f"{part}: {line}", end="", flush=True)
                    else:
                        rest += line
                if ended:
                    break
    print(f"== {part}\n{rest}", flush=True)
    return process.returncode


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_LOOK_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def main() -> int:
    """Run all parts; 1 where one of them failed."""
    options = sys.argv[1:]
    with ThreadPoolExecutor() as pool:
        ended = dict(zip(parts(), pool.map(lambda item: run(item[0], item[1], options), parts().items()), strict=True))
    print(", ".join(f"{part}: {'passed' if code == 0 else f'failed ({code})'}" for part, code in ended.items()))
    return int(any(ended.values()))


if __name__ == "__main__":
    raise SystemExit(main())
