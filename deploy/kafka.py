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
from sonovan.deploy.kafka_config import BrokerPlace
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
    if _formatted(state.kafka) and not state.has_secret(ADMIN_CREDENTIAL):
        raise DeployError(
            f"{state.secrets} has lost the secrets of the data in {state.kafka}: restore them, or delete both"
        )
    in_use = is_running(read_record(state, NAME))
    port = state.port(NAME, in_use=in_use)
    controller_port = state.port("kafka-controller", in_use=in_use)
    vans_port = vans.port or state.port(VANS_PORT, in_use=in_use)
    Authority(state.certificates).ensure(vans.names)

    place = BrokerPlace(
        port=port,
        controller_port=controller_port,
        vans_address=vans.address,
        vans_name=vans.names[0],
        vans_port=vans_port,
    )
    return prepare_at(
        state, state.kafka, place, java, jars,
        archive=archive, max_message_bytes=max_message_bytes, certified=vans.names, progress=progress,
    )  # fmt: skip


def prepare_at(
    state: StateFolder,
    folder: Path,
    place: BrokerPlace,
    java: Path,
    jars: Path,
    *,
    name: str = NAME,
    cluster: Sequence[BrokerPlace] = (),
    cluster_id: str | None = None,
    archive: Path | None,
    max_message_bytes: int,
    certified: Sequence[str],
    progress: Callable[[str], None],
) -> Launch:
    """Write one broker's configuration into `folder`, format its log directory once, and return how to launch it.

    folder: of this broker alone, below the state folder. cluster: every broker, this one among them, empty where it is
    alone; cluster_id: the one id of all of them. certified: the names in the certificate of the listener for vans.
    Raises ServiceFailed when formatting fails.
    """
    up = "/".join([".."] * len(folder.relative_to(state.path).parts))

    def properties_at(data: str) -> str:
        return kafka_config.properties(
            place,
            cluster=cluster,
            vans_keystore=f"{up}/{FOLDERS[-1]}/{LISTENER}",
            admin=ADMIN,
            admin_password=state.secret(ADMIN_CREDENTIAL),
            controller_password=state.secret(CONTROLLER_CREDENTIAL),
            data=data,
            max_message_bytes=max_message_bytes,
        )

    properties = properties_at(DATA)
    logging = kafka_config.LOGGING.replace("@LOG@", f"{up}/logs/{name}-server.log")
    write_private(folder / PROPERTIES_FILE, properties)
    write_private(folder / LOGGING_FILE, logging)
    stored = [] if archive is None else [f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces"]
    if not _formatted(folder):
        progress(f"{name}: formatting its log directory (once)")
        told = properties_at(FORMATTING)
        _format(folder, java, jars, told, stored, state.secret(ADMIN_CREDENTIAL), cluster_id or new_cluster_id())
    options = ["-Xms256m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", *_LATER]
    return Launch(
        name=name,
        argv=(*_java(java, jars, *stored, *options), "kafka.Kafka", PROPERTIES_FILE),
        env=_ENV,
        cwd=str(folder),
        port=place.port,
        config_sha256=hashlib.sha256(f"{properties}{logging}{tuple(certified)}".encode()).hexdigest(),
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


def _formatted(folder: Path) -> bool:
    return (folder / DATA / "meta.properties").is_file()


def _format(
    folder: Path, java: Path, jars: Path, properties: str, stored: Sequence[str], admin_password: str, cluster_id: str
) -> None:
    """Format into a folder beside the final one, then rename: a power cut never leaves half a format behind."""
    shutil.rmtree(folder / FORMATTING, ignore_errors=True)
    write_private(folder / "format.properties", properties)
    # The tool reads arguments from a file after "@", one a line, so the password never stands in a command line.
    credential = f"SCRAM-SHA-512=[name={ADMIN},password={admin_password}]"
    arguments = ["--config", "format.properties", "--cluster-id", cluster_id, "--add-scram", credential]
    write_private(folder / "format.arguments", "\n".join(arguments) + "\n")
    try:
        done = subprocess.run(
            [*_java(java, jars, *stored, *_SHORT_LIVED), "kafka.tools.StorageTool", "format", "@format.arguments"],
            cwd=folder,
            env=os.environ | _ENV,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceFailed(f"formatting {folder} took more than {FORMAT_TIMEOUT_S:.0f} s; try again") from error
    finally:
        for name in ("format.arguments", "format.properties"):
            (folder / name).unlink(missing_ok=True)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise ServiceFailed(f"formatting {folder} failed: {said[-1][:300]}")
    os.sync()
    (folder / FORMATTING).rename(folder / DATA)
    sync_folder(folder)


def new_cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in URL-safe base64, never with a leading dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
