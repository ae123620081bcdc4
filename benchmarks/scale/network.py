"""Hosts that are network namespaces of this machine, joined by one bridge, on which this machine has an address, too.

Nothing beyond this machine reaches them: the bridge is joined to no other interface, and no address is translated.
Source: ip-netns(8), which also tells of /etc/netns, ip-link(8), nft(8).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sonovan.deploy.cluster import Host

NEEDED: Final = ("ip", "nft")
_NET: Final = "10.213.7"
_HERE: Final = 254
_FILES: Final = Path("/etc/netns")
"""What lies below it in a folder of a namespace's name, its processes see in /etc."""


class Network:
    """The hosts of one run; a context manager that takes away what it made, and only that."""

    def __init__(self, names: Sequence[str], known_as: Mapping[str, Sequence[str]]) -> None:
        """known_as: a name by which each host knows several of them; who connects to it tries one after the other.

        Raises SystemExit where this machine cannot have such hosts.
        """
        lacking = [tool for tool in NEEDED if shutil.which(tool) is None]
        if os.geteuid() != 0 or lacking:
            raise SystemExit(f"hosts are network namespaces: run as root, with {' and '.join(lacking or NEEDED)}")
        mark = f"s{os.getpid() % 100_000}"
        self._bridge = f"{mark}b"
        self.hosts = {
            name: Host(name, f"{_NET}.{number}", ("ip", "netns", "exec", f"{mark}-{name}"))
            for number, name in enumerate(names, 1)
        }
        self._spaces = {name: f"{mark}-{name}" for name in names}
        self._links = {name: f"{mark}v{number}" for number, name in enumerate(names, 1)}
        known = [f"{self.hosts[name].address} {called}" for called, several in known_as.items() for name in several]
        self._known = "".join(f"{line}\n" for line in ["127.0.0.1 localhost", *known])

    def __enter__(self) -> Self:
        try:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{_NET}.{_HERE}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            for name, host in self.hosts.items():
                self._join(name, host)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    @contextmanager
    def cut(self, some: Sequence[str], others: Sequence[str]) -> Iterator[None]:
        """While this block runs, packets between `some` hosts and `others` are dropped, both ways; nobody is told."""
        apart = ", ".join(self.hosts[name].address for name in others)
        rules = f"""table inet cut {{
            chain received {{ type filter hook input priority 0; policy accept; ip saddr {{ {apart} }} drop; }}
            chain sent {{ type filter hook output priority 0; policy accept; ip daddr {{ {apart} }} drop; }}
        }}
        """
        done: list[str] = []
        try:
            for name in some:
                _run(["ip", "netns", "exec", self._spaces[name], "nft", "-f", "-"], rules)
                done.append(name)
            yield
        finally:
            for name in done:
                _run(["ip", "netns", "exec", self._spaces[name], "nft", "delete", "table", "inet", "cut"])

    def _join(self, name: str, host: Host) -> None:
        space, outside, inside = self._spaces[name], self._links[name], "eth0"
        _ip("netns", "add", space)
        (_FILES / space).mkdir(parents=True)
        (_FILES / space / "hosts").write_text(self._known)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", space)
        _ip("link", "set", outside, "master", self._bridge, "up")
        _ip("-n", space, "addr", "add", f"{host.address}/24", "dev", inside)
        _ip("-n", space, "link", "set", inside, "up")
        _ip("-n", space, "link", "set", "lo", "up")

    def _remove(self) -> None:
        for space in self._spaces.values():
            if (Path("/var/run/netns") / space).exists():
                _ip("netns", "delete", space)
            shutil.rmtree(_FILES / space, ignore_errors=True)
        with suppress(OSError):  # others may have files there
            _FILES.rmdir()
        if (Path("/sys/class/net") / self._bridge).exists():
            _ip("link", "delete", self._bridge)


def _ip(*words: str) -> None:
    _run(["ip", *words])


def _run(command: Sequence[str], told: str = "") -> None:
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
