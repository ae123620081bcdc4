"""What the van may be told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class VanSettings(BaseSettings):
    """SONOVAN_VAN_PASSPHRASE, …_PASSPHRASE_FD, …_NEW_PASSPHRASE, …_SITE_CODE, …_KEEP_MIB, …_LEAST_FREE_MIB, …_SCREENS,
    …_EARLIER_MIB, …_EARLIER_DAYS.

    passphrase: what opens the van's vault, where nobody is there to type it; passphrase_fd: an open file descriptor
    whose first line it is, which no other program of the machine can see. new_passphrase: what `van passphrase` is to
    set. site_code: opens the file that `van site import` reads. keep_mib: what the centre has stays on the van while
    all of the spool is no larger. earlier_mib: of pictures that are kept for a woman's next visit, and again of
    frames that the centre has and that wait for its report; 0 keeps none. earlier_days: for so long. least_free_mib:
    what the spool leaves free on its disk. screens: a JSON file of what the site knows of its scanners' screens
    (docs/privacy.md).
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_VAN_", extra="forbid", frozen=True)

    passphrase: SecretStr | None = None
    new_passphrase: SecretStr | None = None
    site_code: SecretStr | None = None
    passphrase_fd: int | None = Field(default=None, ge=0)
    keep_mib: int = Field(default=0, ge=0)
    earlier_mib: int = Field(default=1024, ge=0)
    earlier_days: int = Field(default=1100, ge=1, le=3660)
    least_free_mib: int = Field(default=32, ge=1)
    screens: Path | None = None
