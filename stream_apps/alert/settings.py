"""What the alert stage may be told: SONOVAN_ALERT_* in the environment."""

from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.clinical.alert_rules import AlertSettings as RuleSettings

_RULE = RuleSettings()


class AlertSettings(BaseSettings):
    """Where alerts are kept and who is told.

    database_url: any SQLAlchemy URL whose driver is installed (PostgreSQL: `postgresql+psycopg://…`); None keeps them
    in a file of the worker's data folder. Workers of one centre must share it. webhook_url: https, or http on this
    machine, None tells nobody but the topic. webhook_secret signs its requests, and so does webhook_secret_before while
    a receiver still knows the secret before it alone. webhook_timeout_s: for the whole of an attempt.
    undelivered_after_s: an alert that a recipient has not taken for so long is a fault that `sonovan status` shows.
    The rules' numbers are those of `sonovan.clinical.alert_rules.AlertSettings`.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_ALERT_", extra="forbid", frozen=True)

    database_url: SecretStr | None = None
    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    webhook_secret_before: SecretStr | None = Field(default=None, min_length=16)
    webhook_timeout_s: float = Field(default=10.0, gt=0, le=120)
    undelivered_after_s: float = Field(default=900.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0, le=86_400)
    min_malignant: float = Field(default=_RULE.min_malignant, ge=0, le=1)
    min_frames: int = Field(default=_RULE.min_frames, ge=1)
    min_area_mm2: float = Field(default=_RULE.min_area_mm2, ge=0)
    min_area_px: int = Field(default=_RULE.min_area_px, ge=0)
    min_score: float = Field(default=_RULE.min_score, ge=0, le=1)

    @field_validator("webhook_url")
    @classmethod
    def _is_web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_web_address(value.get_secret_value()):
            raise ValueError(
                "must be https://host…; http:// is for a receiver on this machine (127.0.0.1, ::1, localhost)"
            )
        return value

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("a webhook needs SONOVAN_ALERT_WEBHOOK_SECRET, which signs its requests")
        return self

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """What signs a request, the secret of now first."""
        secrets = (self.webhook_secret, self.webhook_secret_before)
        return tuple(each.get_secret_value().encode() for each in secrets if each is not None)

    @property
    def rule(self) -> RuleSettings:
        """The rules' numbers."""
        return RuleSettings(
            min_malignant=self.min_malignant,
            min_frames=self.min_frames,
            min_area_mm2=self.min_area_mm2,
            min_area_px=self.min_area_px,
            min_score=self.min_score,
        )


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        return False
    private = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))
    return private and host != "" and not any(letter.isspace() for letter in value)


def _is_this_machine(host: str) -> bool:
    """Whether what is sent there stays on this machine; a name that begins like its address does not count."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
