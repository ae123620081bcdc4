"""What every worker is told by its environment; each stage adds a class of its own."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.receipts import ReceiptSigner, key_bytes
from sonovan.contracts.results import IntendedUse


class WorkerSettings(BaseSettings):
    """What all stages share, each with the prefix SONOVAN_.

    data_dir: this worker's own folder, stable over restarts; holds its tables and `health.json`. health_host,
    health_port: where /healthz, /readyz and /metrics answer; nobody is asked who they are, so loopback unless a private
    network is meant. Port 0 takes a free one, which `health.json` names and `sonovan status` shows. stuck_after_s: a
    worker that has work, waits for nothing and finishes nothing for so long is not live. disk_low_mb: with less room
    than so many million bytes a worker takes no more messages and is not ready. disk_folders: folders on whose disks
    that room must be, beside the data folder, parted by colons: those of Kafka and MinIO, where they lie here.
    rejected_share, rejected_vans: a stage stops where so many vans (or all there are) have more than this share of
    their last records rejected (`stream_apps/shares.py`); 1 never stops. quarantine_mib: what is kept of one van's
    rejected bytes in a day. trace_folder: where each worker writes its spans (`stream_apps/spans.py`); None: nowhere.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_", extra="forbid", frozen=True)

    data_dir: Path = Path(".sonovan/worker")
    intended_use: IntendedUse = "research"
    health_host: str = Field(default="127.0.0.1", min_length=1)
    health_port: int = Field(default=0, ge=0, le=65_535)
    rejected_share: float = Field(default=0.5, gt=0, le=1)
    rejected_vans: int = Field(default=3, ge=1)
    quarantine_mib: int = Field(default=256, ge=0)
    stuck_after_s: float = Field(default=180.0, gt=0)
    disk_low_mb: int = Field(default=2_000, ge=0)
    disk_folders: str = ""
    trace_folder: Path | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder on whose disk there must be room."""
        return (self.data_dir, *(Path(each) for each in self.disk_folders.split(":") if each))


def _is_key(key: SecretStr) -> SecretStr:
    if re.fullmatch(r"[A-Za-z0-9_-]{43}", key.get_secret_value()) is None:
        raise ValueError("it is not 32 bytes in URL-safe base64, 43 characters")
    return key


ReceiptKey = Annotated[SecretStr, AfterValidator(_is_key)]


class ReceiptSettings(BaseSettings):
    """SONOVAN_RECEIPTS_KEY and …_NEXT_KEY: Ed25519 private keys, each 32 bytes in URL-safe base64.

    key: the centre signs its answers to vans with it, one key for all workers that answer. next_key: takes over later;
    answers announce its public half, so that vans know it by then.
    """

    model_config = SettingsConfigDict(
        env_prefix="SONOVAN_RECEIPTS_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    key: ReceiptKey | None = None
    next_key: ReceiptKey | None = None

    @property
    def signer(self) -> ReceiptSigner | None:
        """What signs answers; None where no key is set."""
        if self.key is None:
            return None
        following = None if self.next_key is None else key_bytes(self.next_key.get_secret_value())
        return ReceiptSigner(key_bytes(self.key.get_secret_value()), following)
