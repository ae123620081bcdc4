"""One Kafka broker on this machine: KRaft, broker and controller in one process, with SCRAM, TLS for vans, and ACLs.

Listeners: CLIENT (SASL_PLAINTEXT, SCRAM-SHA-512, on loopback) for everybody inside the centre, the broker itself
included; VANS (SASL_SSL, SCRAM-SHA-256) for vans; and CONTROLLER (SASL_PLAINTEXT, PLAIN), which only the broker uses:
KRaft cannot check SCRAM there before it has read its own log. An account has a password for one mechanism, so that no
van's account is one on CLIENT, nor any other on VANS (docs/decisions/0077).
Who may do what is not decided here: `admin` is the one super user, and the topic table's ACLs come from outside.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from sonovan.deploy import kafka_config
from sonovan.deploy.authority import LISTENER, Authority
from sonovan.deploy.errors import DeployError, ServiceFailed
from sonovan.deploy.files import sync_folder, write_private
from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, read_record
from sonovan.deploy.probes import authenticates, certificate_at
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.state import FOLDERS, StateFolder

NAME = "kafka"
ADMIN = "admin"
ADMIN_CREDENTIAL = "kafka-admin"
CONTROLLER_CREDENTIAL = "kafka-controller"
VANS_PORT = "kafka-vans"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # listened on only where a setting says so
FORMAT_TIMEOUT_S = 120.0

# Every path is relative to the folder kafka/, in which the broker runs: `log.dirs` splits at commas, and a properties
# file reads backslashes and anything beyond Latin-1 as something else. So the state folder may have any name.
DATA, FORMATTING = "data", "data.formatting"
PROPERTIES_FILE, LOGGING_FILE = "server.properties", "log4j2.properties"
VANS_KEYSTORE = f"../{FOLDERS[-1]}/{LISTENER}"


def prepare(
    state: StateFolder,
    java: Path,
    jars: Path,
    *,
    max_message_bytes: int,
    vans: VansListenerSettings,
    progress: Callable[[str], None],
    archive: Path | None = None,
) -> Launch:
    """Write the broker's configuration and certificate, format its log directory once, and return how to launch it.

    max_message_bytes: the largest record batch the broker takes. vans: where they reach it. archive: of classes that
    the JVM has loaded before (`classes.py`). Raises
    DeployError when the log directory belongs to secrets that are gone, ServiceFailed when formatting fails.
    """
    if _formatted(state) and not state.has_secret(ADMIN_CREDENTIAL):
        raise DeployError(
            f"{state.secrets} has lost the secrets of the data in {state.kafka}: restore them, or delete both"
        )
    in_use = is_running(read_record(state, NAME))
    port = state.port(NAME, in_use=in_use)
    controller_port = state.port("kafka-controller", in_use=in_use)
    vans_port = vans.port or state.port(VANS_PORT, in_use=in_use)
    Authority(state.certificates).ensure(vans.names)

    def properties_at(data: str) -> str:
        return kafka_config.properties(
            port=port,
            controller_port=controller_port,
            vans_address=vans.address,
            vans_name=vans.names[0],
            vans_port=vans_port,
            vans_keystore=VANS_KEYSTORE,
            admin=ADMIN,
            admin_password=state.secret(ADMIN_CREDENTIAL),
            controller_password=state.secret(CONTROLLER_CREDENTIAL),
            data=data,
            max_message_bytes=max_message_bytes,
        )

    properties = properties_at(DATA)
    write_private(state.kafka / PROPERTIES_FILE, properties)
    write_private(state.kafka / LOGGING_FILE, kafka_config.LOGGING)
    stored = [] if archive is None else [f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces"]
    if not _formatted(state):
        progress("kafka: formatting its log directory (once)")
        _format(state, java, jars, properties_at(FORMATTING), stored)
    options = ["-Xms256m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", *_LATER]
    return Launch(
        name=NAME,
        argv=(*_java(java, jars, *stored, *options), "kafka.Kafka", PROPERTIES_FILE),
        env=_ENV,
        cwd=str(state.kafka),
        port=port,
        config_sha256=hashlib.sha256(f"{properties}{kafka_config.LOGGING}{vans.names}".encode()).hexdigest(),
    )


def vans_bootstrap(state: StateFolder) -> str:
    """`host:port` at which vans reach the broker that was started last. Raises DeployError where none was."""
    return _property(state, r"^advertised\.listeners=.*VANS://([^\s,]+:\d+)")


def shown_certificates(state: StateFolder) -> set[str | None]:
    """The sha256 (hex) of the certificates that the listener for vans shows now; None stands for no answer.

    Each of the broker's network threads holds a certificate of its own and takes another one when its turn comes;
    connections are shared out to them in turn. So two are opened for each thread.
    """
    address, _, port = _property(state, r"^listeners=.*VANS://([^\s,]+:\d+)").rpartition(":")
    host = "127.0.0.1" if address == ANY_ADDRESS else address
    return {certificate_at(host, int(port)) for _ in range(2 * kafka_config.NETWORK_THREADS)}


def _property(state: StateFolder, pattern: str) -> str:
    try:
        found = re.search(pattern, (state.kafka / PROPERTIES_FILE).read_text(), re.MULTILINE)
    except FileNotFoundError:
        found = None
    if found is None:
        raise DeployError(f"no broker with a listener for vans was ever started in {state.path}: type sonovan up")
    return found[1]


def healthy(state: StateFolder) -> bool:
    """Whether the admin can log in; then the broker has read its metadata and serves requests."""
    port = state.remembered_port(NAME)
    return (
        port is not None
        and state.has_secret(ADMIN_CREDENTIAL)
        and authenticates(port, ADMIN, state.secret(ADMIN_CREDENTIAL))
    )


# A C locale would make java misread a state folder whose path is not ASCII.
_ENV = {"LC_ALL": "C.UTF-8"}


_LATER = (
    "-XX:Tier4InvocationThreshold=200000",
    "-XX:Tier4MinInvocationThreshold=24000",
    "-XX:Tier4CompileThreshold=600000",
    "-XX:Tier4BackEdgeThreshold=1000000",
)
"""Code is optimised thoroughly after 25 to 40 times as many calls as by default: not while the broker starts, which it
slows down, but soon for what it does all day, such as the ciphers of TLS (docs/decisions/0087)."""
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""For a program that runs a second: code that is optimised thoroughly would come too late."""


def _java(java: Path, jars: Path, *options: str) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={LOGGING_FILE}"
    return [str(java), *options, "-Djava.awt.headless=true", logging, "-cp", f"{jars}/*"]


def _formatted(state: StateFolder) -> bool:
    return (state.kafka / DATA / "meta.properties").is_file()


def _format(state: StateFolder, java: Path, jars: Path, properties: str, stored: Sequence[str]) -> None:
    """Format into a folder beside the final one, then rename: a power cut never leaves half a format behind."""
    shutil.rmtree(state.kafka / FORMATTING, ignore_errors=True)
    write_private(state.kafka / "format.properties", properties)
    # The tool reads arguments from a file after "@", one a line, so the password never stands in a command line.
    credential = f"SCRAM-SHA-512=[name={ADMIN},password={state.secret(ADMIN_CREDENTIAL)}]"
    arguments = ["--config", "format.properties", "--cluster-id", _cluster_id(), "--add-scram", credential]
    write_private(state.kafka / "format.arguments", "\n".join(arguments) + "\n")
    try:
        done = subprocess.run(
            [*_java(java, jars, *stored, *_SHORT_LIVED), "kafka.tools.StorageTool", "format", "@format.arguments"],
            cwd=state.kafka,
            env=os.environ | _ENV,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceFailed(f"formatting {state.kafka} took more than {FORMAT_TIMEOUT_S:.0f} s; try again") from error
    finally:
        for name in ("format.arguments", "format.properties"):
            (state.kafka / name).unlink(missing_ok=True)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise ServiceFailed(f"formatting {state.kafka} failed: {said[-1][:300]}")
    os.sync()
    (state.kafka / FORMATTING).rename(state.kafka / DATA)
    sync_folder(state.kafka)


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in URL-safe base64, never with a leading dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
