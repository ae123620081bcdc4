"""Loopback ports: found once, then remembered, so that what was written down about a service stays true."""

import random
import socket

from sonovan.deploy.errors import DeployError

# Below Linux's ephemeral range (from 32768): an outgoing connection never takes a remembered port.
CANDIDATES = range(20_000, 32_000)
LOOPBACK = "127.0.0.1"
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections in TIME_WAIT from the last run do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def find_free(avoid: frozenset[int] = frozenset()) -> int:
    """Return a free loopback port that is not in `avoid`. Raises DeployError when none is found."""
    for port in random.sample(CANDIDATES, ATTEMPTS):
        if port not in avoid and is_free(port):
            return port
    raise DeployError(f"no free port between {CANDIDATES.start} and {CANDIDATES.stop} on {LOOPBACK}")
