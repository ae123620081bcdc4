"""One MinIO server on this machine, on loopback; its root user is only for making buckets and users."""

from pathlib import Path

from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import Launch, read_record
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.state import StateFolder

NAME = "minio"
ROOT_USER = "sonovan"
ROOT_CREDENTIAL = "minio-root"


def prepare(state: StateFolder, binary: Path) -> Launch:
    """Return how to launch MinIO over `minio/data` of the state folder, on its remembered ports."""
    in_use = is_running(read_record(state, NAME))
    port = state.port(NAME, in_use=in_use)
    console_port = state.port("minio-console", in_use=in_use)
    (state.minio / "data").mkdir(exist_ok=True, mode=0o700)
    addresses = ("--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console_port}")
    return Launch(
        name=NAME,
        # Without a certs-dir of its own it would look into ~/.minio, and serve TLS with what it finds there.
        argv=(str(binary), "server", *addresses, "--certs-dir", "certs", "data"),
        env={
            "MINIO_ROOT_USER": ROOT_USER,
            "MINIO_ROOT_PASSWORD": state.secret(ROOT_CREDENTIAL),
            "MINIO_BROWSER": "on",
            "MINIO_UPDATE": "off",
            "MINIO_FS_OSYNC": "on",  # a receipt promises that the frame is stored: a power cut must not take it back
        },
        cwd=str(state.minio),
        port=port,
        health_url=f"http://127.0.0.1:{port}/minio/health/live",
    )


def healthy(state: StateFolder) -> bool:
    """Whether MinIO answers and has finished its own start."""
    port = state.remembered_port(NAME)
    return port is not None and answers_ok(f"http://127.0.0.1:{port}/minio/health/live")
