import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.errors import Fatal
from sonovan.storage.outbox import Delivery, Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.messages import kept_alert, message_of, version_of
from sonovan.stream_apps.alert.webhook import Webhook
from tests.stream_apps.alert.receiver import Receiver
from tests.stream_apps.alert.scene import RULES, TEST_RULES, TO_WEBHOOK, Stage, blind_revision, revision, take

NOW = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
FROM_THE_FUTURE = b'{"schema":"lesion.alerted/9.0"}'


def test_the_vans_alerts_are_asked_for_only_where_a_rule_is_about_vans() -> None:
    assessed = blind_revision(1)
    assert version_of(assessed, RULES).scopes == {assessed.screening_id}
    assert version_of(assessed, TEST_RULES).scopes == {assessed.screening_id, assessed.van_id}


def test_an_alert_is_kept_whole_under_what_it_is_about_with_its_severity_in_its_keys() -> None:
    for alert in Stage(TEST_RULES).take(blind_revision(1)):
        message = message_of(alert, TO_WEBHOOK, NOW)
        assert kept_alert(message.body) == alert
        assert message.scope == ("van-1" if alert.about.kind == "van" else alert.screening_id)
        assert message.label == f"{alert.severity}.{alert.revision_id[:16]}"


def test_an_alert_that_cannot_be_read_ends_the_worker_and_loses_nothing(tmp_path: Path) -> None:
    """It must never pass for a revision that cannot be read: that would be rejected, and its alerts lost."""
    outbox = Outbox(sqlite_url(tmp_path / "outbox.sqlite"))
    first, second = revision(1, {1: "suspicious"}), revision(2, {1: "gone"})
    (alert,) = Stage().take(first)
    newer = message_of(alert, TO_WEBHOOK, NOW)
    version = version_of(first, RULES)
    outbox.take(version, lambda _known: [replace(newer, body=FROM_THE_FUTURE)], NOW)
    with pytest.raises(Fatal, match="cannot read"):
        take(outbox, second, NOW)
    with pytest.raises(Fatal, match="schema_from_future"):
        asyncio.run(
            Webhook("http://127.0.0.1:9/", (b"s" * 16,), 1.0, lambda: 0.0, "research").post(
                Delivery("key", "webhook", "application/json", FROM_THE_FUTURE, 0)
            )
        )
    assert outbox.owed() == {"topic": 1, "webhook": 1}


def test_what_was_kept_before_the_intended_use_changed_leaves_under_the_new_one(tmp_path: Path) -> None:
    outbox = Outbox(sqlite_url(tmp_path / "outbox.sqlite"))
    take(outbox, blind_revision(1), NOW, TEST_RULES)
    owed = outbox.claim("webhook", NOW, timedelta(minutes=1))
    with Receiver() as receiver:
        for use in ("decision_support", "research"):
            webhook = Webhook(receiver.url, (b"s" * 16,), 5.0, lambda: 0.0, use)  # type: ignore[arg-type]
            asyncio.run(webhook.post(owed[0]))
    shown, withheld = (json.loads(request.body) for request in receiver.received)
    assert (len(shown["because"]), shown["withheld"]) == (1, False)
    assert (withheld["because"], withheld["withheld"]) == ([], True)
    assert LesionAlerted.decode(owed[0].body).because
