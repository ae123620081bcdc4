"""One MinIO server on this machine, on loopback.

Its root user makes buckets, users and policies, and nothing else: each app has an account of its own. Both halves of
root's credentials are random, as a flaw in the server's signature check needs the access key alone.
"""

from pathlib import Path

from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, read_record
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.state import StateFolder

NAME = "minio"
ROOT_KEY_CREDENTIAL = "minio-root-access-key"
ROOT_CREDENTIAL = "minio-root"


def prepare(
    state: StateFolder, binary: Path, *, address: str = "127.0.0.1", port: int | None = None, data: str = "data"
) -> Launch:
    """Return how to launch MinIO over a folder of `minio` in the state folder, or several of them as MinIO writes it
    (`drive-{1...4}`). port: None is the remembered one.
    """
    in_use = is_running(read_record(state, NAME))
    port = port or state.port(NAME, in_use=in_use)
    console_port = state.port("minio-console", in_use=in_use)
    if "{" not in data:
        (state.minio / data).mkdir(exist_ok=True, mode=0o700)
    addresses = ("--address", f"{address}:{port}", "--console-address", f"127.0.0.1:{console_port}")
    return Launch(
        name=NAME,
        # Without a certs-dir of its own it would look into ~/.minio, and serve TLS with what it finds there.
        argv=(str(binary), "server", *addresses, "--certs-dir", "certs", data),
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
