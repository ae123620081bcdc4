"""What is pinned, with the advisories that are known of it: `make audit`, which is `python -m sonovan.deploy.audit`.

Pinned are Python packages (the locks), Kafka's jars (`jars/sha256sums`), the Go modules of MinIO (`store/modules`),
base images (the Dockerfiles) and Debian's packages in them. Advisories stand in `advisories.toml` with the day on which
they were looked up: nothing is asked over the network, so the answer is as old as that file.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

ROOT: Final = Path(__file__).resolve().parents[1]
OLD_AFTER_DAYS: Final = 60
LOCKS: Final = (
    "requirements.lock",
    "requirements-dev.lock",
    "training/requirements.lock",
    "tests/consumers/requirements.lock",
    "benchmarks/peers/requirements.lock",
)
BY_NAME_ALONE: Final = ""
"""The version of what is installed in whichever version its source has that day."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package in one version. kind: python, jar, go, image or debian. where: the file that pins it."""

    kind: str
    package: str
    version: str
    where: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is known of some versions of a package.

    affected: sets of versions as Python writes them (`>=4.1,<4.1.2`); one that contains the version is enough.
    accepted: why an affected version is used all the same; None where it is not.
    """

    kind: str
    package: str
    ids: tuple[str, ...]
    affected: tuple[SpecifierSet, ...]
    lets: str
    accepted: str | None

    def affects(self, pin: Pin) -> bool:
        """Whether the pinned version is in an affected set; a version that says nothing counts as affected."""
        if (pin.kind, pin.package) != (self.kind, self.package):
            return False
        version = read_version(pin.version)
        return version is None or any(versions.contains(version, prereleases=True) for versions in self.affected)


def read_version(text: str) -> Version | None:
    """The version as Python compares it, also of `v1.2.3+incompatible`, `3.30.2-GA` and `3.11-slim`.

    None where it begins with no number.
    """
    text = text.removeprefix("v").partition("+")[0]
    try:
        return Version(text)
    except InvalidVersion:
        begins = re.match(r"\d+(\.\d+)*(-\d+)?", text)
        return Version(begins[0]) if begins else None


def read_advisories(file: Path) -> tuple[date, list[Advisory]]:
    """The day on which they were looked up, and all of them. Raises KeyError, TypeError or ValueError else."""
    told = tomllib.loads(file.read_text())
    looked_up = told["looked_up"]
    if not isinstance(looked_up, date):
        raise TypeError(f"{file}: looked_up is no date")
    return looked_up, [
        Advisory(
            each["kind"],
            each["package"],
            tuple(each["ids"]),
            tuple(SpecifierSet(versions) for versions in each["affected"]),
            each["lets"],
            each.get("accepted"),
        )
        for each in told["advisory"]
    ]


def pins(top: Path) -> list[Pin]:
    """All that the files of the repository at `top` pin, each once for each file."""
    return list(dict.fromkeys((*_python(top), *_jars(top), *_go(top), *_images(top))))


def _python(top: Path) -> Iterator[Pin]:
    for lock in LOCKS:
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (top / lock).read_text(), re.MULTILINE):
            yield Pin("python", name, version, lock)


def _jars(top: Path) -> Iterator[Pin]:
    where = "deploy/jars/sha256sums"
    for name, version in re.findall(r"  (.+?)-(\d[\w.-]*)\.jar$", (top / where).read_text(), re.MULTILINE):
        yield Pin("jar", name, version, where)


def _go(top: Path) -> Iterator[Pin]:
    where = "deploy/store/modules"
    for name, version in re.findall(r"^([^\s#]+) (v\S+)$", (top / where).read_text(), re.MULTILINE):
        yield Pin("go", name, version, where)
    where = "deploy/store/build.sh"
    script = (top / where).read_text()
    for name, version in re.findall(r"^module=(\S+)\nversion=(\S+)$", script, re.MULTILINE):
        yield Pin("go", name, version, where)


def _images(top: Path) -> Iterator[Pin]:
    for file in sorted((top / "deploy").glob("**/Dockerfile")):
        where, text = str(file.relative_to(top)), re.sub(r"^ *#.*\n", "", file.read_text(), flags=re.MULTILINE)
        for name, version in re.findall(r"^(?:FROM |ARG BASE=)([^\s:@$]+):([^\s]+)", text, re.MULTILINE):
            yield Pin("image", name, version, where)
        for version in re.findall(r"^ARG GO=(\S+)", text, re.MULTILINE):
            yield Pin("go", "golang.org/toolchain", version, where)
        for installed in re.findall(r"apt-get install ([^&]+)", text):
            for name in (word for word in installed.split() if not word.startswith(("-", "\\"))):
                package, _, version = name.partition("=")
                yield Pin("debian", package, version or BY_NAME_ALONE, where)


def main(top: Path = ROOT, today: date | None = None) -> int:
    """Write what is known to stdout; returns 1 where a pin is affected and that was not accepted, else 0."""
    looked_up, advisories = read_advisories(top / "deploy" / "advisories.toml")
    pinned = pins(top)
    affected = [(pin, known) for pin in pinned for known in advisories if known.affects(pin)]
    for pin, known in affected:
        state = f"accepted: {known.accepted}" if known.accepted else "OPEN"
        _say(f"{pin.where}: {pin.package} {pin.version}: {', '.join(known.ids)}: {known.lets}; {state}")
    by_name = [
        pin for pin in pinned if pin.version == BY_NAME_ALONE or (pin.kind == "image" and "@" not in pin.version)
    ]
    for pin in by_name:
        mend = (
            "by its version, not by its bytes: make pin-images"
            if pin.kind == "image"
            else "as its image has it that day"
        )
        _say(f"{pin.where}: {pin.package} {pin.version}".rstrip() + f": taken {mend}")
    kinds = [pin.kind for pin in pinned]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    still_open = sum(known.accepted is None for _, known in affected)
    _say(
        f"{len(pinned)} pins ({counted}) against {len(advisories)} entries of {looked_up}: "
        f"{len(affected) - still_open} accepted, {still_open} open"
    )
    age = ((today or datetime.now(UTC).date()) - looked_up).days
    if age > OLD_AFTER_DAYS:
        sys.stderr.write(f"deploy/advisories.toml is {age} days old: look the advisories up again\n")
    return 1 if still_open else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
