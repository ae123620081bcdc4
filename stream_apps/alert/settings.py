"""What the alert stage may be told: SONOVAN_ALERT_* in the environment."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.stream_apps.alert.mail import MailServer
from sonovan.stream_apps.alert.rule_file import MailAddress
from sonovan.stream_apps.alert.van_faults import USUAL, VanBounds
from sonovan.stream_apps.alert.web_address import host_of, is_this_machine, is_web_address


class AlertSettings(BaseSettings):
    """Where alerts are kept and who is told.

    database_url: any SQLAlchemy URL whose driver is installed (PostgreSQL: `postgresql+psycopg://…`); None keeps them
    in a file of the worker's data folder. Workers of one centre must share it. webhook_url: https, or http on this
    machine, None tells nobody but the topic. webhook_secret signs its requests, and so does webhook_secret_before while
    a receiver still knows the secret before it alone. webhook_timeout_s: for the whole of an attempt. webhook_hosts:
    those that a webhook may be of, separated by commas; the rule file may name no other.
    rules_file: the site's rules, who is told and when (`sonovan.stream_apps.alert.rule_file`); without one the rules
    have their defaults, and the webhook is told of everything at once. smtp_*: how mail leaves, from smtp_from.
    van_*: from where on a van has a fault (`sonovan.stream_apps.alert.van_faults.VanBounds`).
    undelivered_after_s: an alert that a recipient has not taken for so long is a fault that `sonovan status` shows.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_ALERT_", extra="forbid", frozen=True)

    database_url: SecretStr | None = None
    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    webhook_secret_before: SecretStr | None = Field(default=None, min_length=16)
    webhook_timeout_s: float = Field(default=10.0, gt=0, le=120)
    undelivered_after_s: float = Field(default=900.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0, le=86_400)
    webhook_hosts: str = ""
    rules_file: Path | None = None
    van_silent_h: float = Field(default=USUAL.silent_h, gt=0)
    van_oldest_h: float = Field(default=USUAL.oldest_h, gt=0)
    van_waiting_gib: float = Field(default=USUAL.waiting_gib, gt=0)
    van_disk_free_gib: float = Field(default=USUAL.disk_free_gib, ge=0)
    van_clock_s: float = Field(default=USUAL.clock_s, gt=0)
    van_link_kbit_per_s: float = Field(default=USUAL.link_kbit_per_s, ge=0)
    van_rejects: int = Field(default=USUAL.rejects, ge=1)

    @field_validator("rules_file", mode="before")
    @classmethod
    def _empty_is_none(cls, given: object) -> object:
        """compose.yaml can set a variable to nothing, not leave it out."""
        return given or None

    smtp_host: str | None = Field(default=None, min_length=1)
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: MailAddress | None = None
    smtp_timeout_s: float = Field(default=20.0, gt=0, le=120)

    @field_validator("smtp_user", "smtp_password")
    @classmethod
    def _can_log_in(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        said = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
        if not said.isascii():
            raise ValueError("must be ASCII: a login over SMTP has no other letters")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _is_web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_web_address(value.get_secret_value()):
            raise ValueError(
                "must be https://host…; http:// is for a receiver on this machine (127.0.0.1, ::1, localhost)"
            )
        return value

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("a webhook needs SONOVAN_ALERT_WEBHOOK_SECRET, which signs its requests")
        host = None if self.webhook_url is None else host_of(self.webhook_url.get_secret_value())
        if host is not None and self.hosts and host not in self.hosts:
            raise ValueError("the host of SONOVAN_ALERT_WEBHOOK_URL is not in SONOVAN_ALERT_WEBHOOK_HOSTS")
        return self

    @model_validator(mode="after")
    def _mail_is_private(self) -> Self:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ValueError("mail needs both SONOVAN_ALERT_SMTP_HOST and SONOVAN_ALERT_SMTP_FROM")
        if self.smtp_host is not None and self.smtp_security == "none" and not is_this_machine(self.smtp_host):
            raise ValueError("SONOVAN_ALERT_SMTP_SECURITY is none on this machine alone")
        return self

    @property
    def van_bounds(self) -> VanBounds:
        """From where on a van has a fault."""
        return VanBounds(
            self.van_silent_h, self.van_oldest_h, self.van_waiting_gib, self.van_disk_free_gib, self.van_clock_s,
            self.van_link_kbit_per_s, self.van_rejects,
        )  # fmt: skip

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """What signs a request, the secret of now first."""
        secrets = (self.webhook_secret, self.webhook_secret_before)
        return tuple(each.get_secret_value().encode() for each in secrets if each is not None)

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that a webhook may be of; empty where none is named."""
        return frozenset(each.strip().lower() for each in self.webhook_hosts.split(",") if each.strip())

    @property
    def mail_server(self) -> MailServer | None:
        """How mail leaves; None where it does not."""
        if self.smtp_host is None or self.smtp_from is None:
            return None
        return MailServer(
            host=self.smtp_host,
            port=self.smtp_port,
            security=self.smtp_security,
            sender=self.smtp_from,
            timeout_s=self.smtp_timeout_s,
            user=self.smtp_user,
            password=None if self.smtp_password is None else self.smtp_password.get_secret_value(),
        )
