"""Ask a running service whether it is well, in its own protocol, with the standard library alone."""

import base64
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import struct
import urllib.error
import urllib.request

TIMEOUT_S = 3.0
LONGEST_ANSWER = 4096

_SASL_HANDSHAKE, _SASL_AUTHENTICATE = 17, 36


def answers_ok(url: str) -> bool:
    """Whether an HTTP GET of `url` answers 200, and MinIO's own header does not say that it is still starting."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200) and "x-minio-server-status" not in answer.headers
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return False


def told_by(url: str) -> tuple[bool, str]:
    """Whether an HTTP GET of `url` answers 200, and the text of the answer, its lines joined; empty without one."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200), _line(answer.read(LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        return False, _line(error.read(LONGEST_ANSWER))
    except (OSError, http.client.HTTPException):
        return False, ""


def _line(answer: bytes) -> str:
    return "; ".join(answer.decode(errors="replace").split("\n")).strip("; ")


def certificate_at(host: str, port: int) -> str | None:
    """The sha256 (hex) of the certificate that a TLS server shows, whoever signed it; None where nothing answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as plain, context.wrap_socket(plain) as connection:
            shown = connection.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
    return None if shown is None else hashlib.sha256(shown).hexdigest()


def authenticates(port: int, username: str, password: str, host: str = "127.0.0.1") -> bool:
    """Whether the Kafka broker on `host` and `port` lets this SCRAM-SHA-512 user in and proves to know it.

    Source: RFC 5802 for the exchange; Kafka protocol guide, SaslHandshake v1 and SaslAuthenticate v0.
    """
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as connection:
            mechanism = b"SCRAM-SHA-512"
            _ask(connection, _SASL_HANDSHAKE, 1, struct.pack(">h", len(mechanism)) + mechanism)
            return _scram(connection, username, password)
    except (OSError, ValueError, LookupError, struct.error):
        return False


def _scram(connection: socket.socket, username: str, password: str) -> bool:
    nonce = secrets.token_urlsafe(18)
    client_first = f"n={username},r={nonce}"
    server_first = _exchange(connection, f"n,,{client_first}")
    fields = _fields(server_first)
    if not fields["r"].startswith(nonce):
        return False
    client_last = f"c=biws,r={fields['r']}"
    proved = f"{client_first},{server_first},{client_last}".encode()
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = _sign(salted, b"Client Key")
    signature = _sign(hashlib.sha512(client_key).digest(), proved)
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    server_last = _fields(_exchange(connection, f"{client_last},p={proof}"))
    return hmac.compare_digest(base64.b64decode(server_last["v"]), _sign(_sign(salted, b"Server Key"), proved))


def _exchange(connection: socket.socket, message: str) -> str:
    sent = message.encode()
    answer = _ask(connection, _SASL_AUTHENTICATE, 0, struct.pack(">i", len(sent)) + sent)
    (note_bytes,) = struct.unpack_from(">h", answer)
    at = 2 + max(0, note_bytes)
    (size,) = struct.unpack_from(">i", answer, at)
    return answer[at + 4 : at + 4 + size].decode()


def _ask(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    """Send one request and return the answer's body after its error code. Raises ValueError when the broker says no."""
    request = struct.pack(">hhih", api, version, 1, -1) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _receive(connection, 4))
    if not 6 <= size <= 65_536:
        raise ValueError("not a Kafka broker")
    answer = _receive(connection, size)
    (error,) = struct.unpack_from(">h", answer, 4)
    if error:
        raise ValueError(f"Kafka error {error}")
    return answer[6:]


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionError("closed")
        received += part
    return received


def _fields(message: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in message.split(",")}  # every SCRAM attribute has a one-letter name


def _sign(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha512")
