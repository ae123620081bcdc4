"""What the console may be told: SONOVAN_CONSOLE_* in the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsoleSettings(BaseSettings):
    """Where the console listens, what it reads, and what people must show.

    host, port: where it listens; 0 takes a free port. It speaks plain HTTP, so that anything but loopback needs a
    server with TLS in front. metrics_host, metrics_port: where /metrics answers, to whoever asks: loopback unless the
    network is private; 0 takes a free port, which `health.json` names. origin: where browsers reach it then,
    `https://console.example`; cookies are for TLS alone where it begins with https. forwarded: the address of a browser
    is read from the last entry of X-Forwarded-For, which the server in front writes.
    catalogue_url: the database that the worker catalog writes, at best by an account that reads. database_url: the
    console's own, for accounts and sessions. Both default to files of the state folder.
    key_file: the key that closes the secrets of second factors; by default a file of the state folder. Consoles that
    share a database share it.
    second_factor: who must show a code beside the password: who reads, leads or makes accounts, everybody, or nobody (a
    demonstration).
    blind_share: of this share of screenings, chosen by their ids, a reader draws frames before seeing outlines.
    suspicious_from, negatives_share, overdue_h, couch_h: what the programme sets of the worklist
    (`storage/catalogue/queues.py:Policy`): the suspicion from which a screening is listed as suspicious, the share of
    negatives that readers see, after how many hours a screening is overdue, and for how many hours one that was not
    closed counts as on the couch.
    invite_breast_months, invite_thyroid_months: after how many months the programme invites a woman again for whom
    routine screening was signed; without it nobody is listed as due for her next screening as usual.
    second_reader: which screenings another reader reads as well. arbitration: whether a third one decides where both
    recommend something else. bi_rads_0, bi_rads_3: what follows these categories (`sonovan.clinical.reading`).
    directions_file: where women are sent, for their own page (TOML, tables [en] and [zh]).
    oidc_issuer, oidc_client, oidc_secret: another provider of logins (OpenID Connect) and what the console is to it;
    `origin` must be set, and `<origin>/oidc/back` known there. oidc_claim: what the provider calls an account's code.
    oidc_roles_claim: a claim that lists the person's roles, which then count from each login on; without it roles stand
    in the accounts here alone.
    idle_min: a session ends when nobody does anything for so long; session_hours: it ends in any case.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_CONSOLE_", extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=0, ge=0, le=65535)
    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    metrics_port: int = Field(default=0, ge=0, le=65535)
    origin: str | None = Field(default=None, pattern=r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?$")
    forwarded: bool = False
    catalogue_url: str | None = None
    database_url: str | None = None
    key_file: Path | None = None
    second_factor: Literal["readers", "everybody", "nobody"] = "readers"
    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    oidc_client: str | None = None
    oidc_secret: SecretStr | None = None
    oidc_claim: str = Field(default="preferred_username", min_length=1)
    oidc_roles_claim: str | None = Field(default=None, min_length=1)
    blind_share: float = Field(default=0.05, ge=0, le=1)
    second_reader: Literal["none", "called_back", "all"] = "none"
    arbitration: bool = True
    bi_rads_0: Literal["further_imaging", "mammography", "scan_again"] = "further_imaging"
    bi_rads_3: Literal["follow_up", "mammography"] = "follow_up"
    directions_file: Path | None = None
    idle_min: float = Field(default=30.0, gt=0, le=24 * 60)
    session_hours: float = Field(default=12.0, gt=0, le=24)
    suspicious_from: float = Field(default=0.1, gt=0, le=1)
    negatives_share: float = Field(default=1.0, ge=0, le=1)
    overdue_h: float = Field(default=48.0, gt=0, le=24 * 365)
    couch_h: float = Field(default=2.0, gt=0, le=24)
    invite_breast_months: int | None = Field(default=None, ge=1, le=120)
    invite_thyroid_months: int | None = Field(default=None, ge=1, le=120)
