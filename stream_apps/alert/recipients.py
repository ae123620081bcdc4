"""Everybody who can be told: the topic, the webhook of the environment, and whom the site's file names."""

import time
from typing import Final

from sonovan.contracts.alerts import SEVERITIES
from sonovan.contracts.errors import Fatal
from sonovan.contracts.results import IntendedUse
from sonovan.stream_apps.alert.ladder import TOPIC, WEBHOOK, Ladder, Rung
from sonovan.stream_apps.alert.mail import Mail
from sonovan.stream_apps.alert.messages import to_topic
from sonovan.stream_apps.alert.rule_file import Recipient, RuleFile
from sonovan.stream_apps.alert.sending import Deliver
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.alert.web_address import host_of
from sonovan.stream_apps.alert.webhook import Webhook
from sonovan.stream_apps.stage import Send

_HOSTS: Final = "SONOVAN_ALERT_WEBHOOK_HOSTS"


def ladder_of(settings: AlertSettings, file: RuleFile | None) -> Ladder:
    """The file's ladder. Where it has none, the webhook, if there is one, is told of everything, and nobody else."""
    if file is not None and file.ladder:
        return file.calls
    quiet = None if file is None else file.quiet_hours
    to_webhook = () if settings.webhook_url is None else (WEBHOOK,)
    return Ladder(rungs=tuple(Rung(severity=each, to=to_webhook) for each in SEVERITIES if to_webhook), quiet=quiet)


def everybody(
    settings: AlertSettings, file: RuleFile | None, send: Send, intended_use: IntendedUse
) -> dict[str, Deliver]:
    """How each is told, by name. Raises Fatal for a webhook of a host that is not allowed, or a way that is not set."""
    told: dict[str, Deliver] = {TOPIC: to_topic(send)}
    if settings.webhook_url is not None:
        told[WEBHOOK] = _webhook(settings, settings.webhook_url.get_secret_value(), intended_use)
    for name, each in ({} if file is None else file.recipients).items():
        told[name] = _told(name, each, settings, intended_use)
    return told


def _told(name: str, each: Recipient, settings: AlertSettings, intended_use: IntendedUse) -> Deliver:
    if each.mail is not None:
        server = settings.mail_server
        if server is None:
            raise Fatal(f"the rules name {name}, who is told by mail, and SONOVAN_ALERT_SMTP_HOST is not set")
        return Mail(server, each.mail, each.language, intended_use, time.time).post
    url = each.webhook or ""
    if host_of(url) not in settings.hosts:
        raise Fatal(f"the rules name {name}, whose host is not in {_HOSTS}")
    if not settings.webhook_secrets:
        raise Fatal(f"the rules name {name}, and SONOVAN_ALERT_WEBHOOK_SECRET, which signs its requests, is not set")
    return _webhook(settings, url, intended_use)


def _webhook(settings: AlertSettings, url: str, intended_use: IntendedUse) -> Deliver:
    return Webhook(url, settings.webhook_secrets, settings.webhook_timeout_s, time.time, intended_use).post
