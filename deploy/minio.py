"""MinIO: one server on this machine, on loopback, or one of several processes of a store (`cluster.py`).

Its root user makes buckets, users and policies, and nothing else: each app has an account of its own. Both halves of
root's credentials are random, as a flaw in the server's signature check needs the access key alone.
"""

from collections.abc import Sequence
from pathlib import Path

from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, read_record
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.state import StateFolder

NAME = "minio"
ROOT_KEY_CREDENTIAL = "minio-root-access-key"
ROOT_CREDENTIAL = "minio-root"


def prepare(state: StateFolder, binary: Path) -> Launch:
    """Return how to launch MinIO on loopback over the folder `minio/data` of the state folder."""
    in_use = is_running(read_record(state, NAME))
    port, console_port = state.port(NAME, in_use=in_use), state.port("minio-console", in_use=in_use)
    (state.minio / "data").mkdir(exist_ok=True, mode=0o700)
    return prepare_at(
        state, binary, name=NAME, address="127.0.0.1", port=port, console_port=console_port, drives=["data"]
    )


def prepare_at(
    state: StateFolder,
    binary: Path,
    *,
    name: str,
    address: str,
    port: int,
    console_port: int,
    drives: Sequence[str],
) -> Launch:
    """Return how to launch a process `name` of MinIO that listens at this address.

    drives: all of the store: folders below `minio` in the state folder, or URLs where several processes have them.
    """
    addresses = ("--address", f"{address}:{port}", "--console-address", f"127.0.0.1:{console_port}")
    return Launch(
        name=name,
        # Without a certs-dir of its own it would look into ~/.minio, and serve TLS with what it finds there.
        argv=(str(binary), "server", *addresses, "--certs-dir", "certs", *drives),
        env={
            "MINIO_ROOT_USER": root_access_key(state),
            "MINIO_ROOT_PASSWORD": state.secret(ROOT_CREDENTIAL),
            "MINIO_BROWSER": "on",
            "MINIO_UPDATE": "off",
            "MINIO_FS_OSYNC": "on",  # a receipt promises that the frame is stored: a power cut must not take it back
        },
        cwd=str(state.minio),
        port=port,
        health_url=f"http://{address}:{port}/minio/health/live",
    )


def root_access_key(state: StateFolder) -> str:
    """Root's access key; messages show what stands before the dot."""
    return f"root.{state.secret(ROOT_KEY_CREDENTIAL)}"


def healthy(state: StateFolder) -> bool:
    """Whether MinIO answers and has finished its own start."""
    port = state.remembered_port(NAME)
    return port is not None and answers_ok(f"http://127.0.0.1:{port}/minio/health/live")
