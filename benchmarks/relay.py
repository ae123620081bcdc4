"""A SOCKS5 relay that carries at most so many bits a second each way, for all connections together.

It stands for a van's link: Kafka's clients go where the broker says it is, so a plain relay would be left at once.
Source: RFC 1928, without authentication.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_CHUNK: Final = 4096
_BUFFER: Final = 64 * 1024
"""Of the kernel, on either side: what lies there has passed the link as far as a sender can tell. It holds a segment of
the loopback device: with less the kernel waits between segments, and TLS got a third of the rate."""


class _Bucket:
    """Gives way to bytes at a rate; who comes waits for those before."""

    def __init__(self, bits_per_s: float) -> None:
        self._bits_per_s, self._free_at = bits_per_s, time.monotonic()
        self._turn = threading.Lock()

    def pass_through(self, size: int) -> None:
        """Wait until so many bytes have passed."""
        with self._turn:
            self._free_at = max(self._free_at, time.monotonic()) + size * 8 / self._bits_per_s
            until = self._free_at
        time.sleep(max(0.0, until - time.monotonic()))


class Relay:
    """A running relay. carried: bytes of each way, up and down, without those of the handshake."""

    def __init__(self, bits_per_s: float) -> None:
        self._buckets = {"up": _Bucket(bits_per_s), "down": _Bucket(bits_per_s)}
        self.carried = {"up": 0, "down": 0}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._fallen = False

    @property
    def address(self) -> str:
        """As `BrokerSettings.proxy` takes it."""
        return f"socks5://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self) -> None:
        """Accept connections until `close`."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def cut(self) -> None:
        """End every connection that is there; new ones are accepted."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def fall(self, *, silently: bool = False) -> None:
        """Let nobody through until `heal`.

        Connections that are there end; with `silently` they stay open and carry nothing any more, not after `heal`
        either, as where a modem got another address.
        """
        self._fallen = True
        if silently:
            self._silent |= self._open
        else:
            self.cut()

    def heal(self) -> None:
        """Let new connections through again."""
        self._fallen = False

    def close(self) -> None:
        """Accept nothing more, and end what is there."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _relay(self, client: socket.socket) -> None:
        with client:
            if self._fallen:
                return
            server = _asked_for(client)
            with server:
                for each in (client, server):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
                self._open |= {client, server}
                if self._fallen:  # while it was being opened
                    self._open -= {client, server}
                    return
                back = threading.Thread(target=self._pump, args=(server, client, "down"), daemon=True)
                back.start()
                self._pump(client, server, "up")
                back.join()
                self._open -= {client, server}
                self._silent -= {client, server}

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if source in self._silent:
                    continue
                self._buckets[way].pass_through(len(data))
                self.carried[way] += len(data)
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(mbit_per_s: float) -> Iterator[Relay]:
    """A relay that runs until the block ends."""
    running = Relay(mbit_per_s * 1e6)
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join()


def _asked_for(client: socket.socket) -> socket.socket:
    """Answer the handshake; the connection that was asked for."""
    _, methods = _exactly(client, 2)
    _exactly(client, methods)
    client.sendall(b"\x05\x00")
    _, _, _, kind = _exactly(client, 4)
    if kind == 1:
        host = socket.inet_ntoa(_exactly(client, 4))
    elif kind == 3:
        host = _exactly(client, _exactly(client, 1)[0]).decode()
    else:
        host = socket.inet_ntop(socket.AF_INET6, _exactly(client, 16))
    port = int.from_bytes(_exactly(client, 2), "big")
    server = socket.create_connection((host, port))
    client.sendall(b"\x05\x00\x00\x01" + bytes(6))
    return server


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise ConnectionError("the connection ended within its handshake")
    return data
