"""The alert worker: revisions into the outbox, the outbox to its recipients. Started by `sonovan worker alert`."""

import asyncio
import time
from pathlib import Path
from typing import Any

import faust

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.alert.handle import Handler
from sonovan.stream_apps.alert.messages import to_topic
from sonovan.stream_apps.alert.sending import TOPIC, WEBHOOK, Deliver, Sender
from sonovan.stream_apps.alert.settings import AlertSettings
from sonovan.stream_apps.alert.webhook import Webhook
from sonovan.stream_apps.faust_options import faust_options, sasl_options
from sonovan.stream_apps.kafka_io import coordinates
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.running import Worker, exit_code, log_to_stderr
from sonovan.stream_apps.settings import WorkerSettings

NOTE_S = 10.0
"""How much longer than its attempt a delivery is leased: the note in the database takes time as well."""


def run(instance: int) -> int:
    """Run one alert worker until SIGTERM; returns the exit code: 0, 4 no service, 5 must not go on."""
    log_to_stderr(f"alert-{instance}")
    try:
        return asyncio.run(_serve(instance))
    except Exception as error:
        return exit_code(error)


async def _serve(instance: int) -> int:
    broker, worker_settings = read_settings(BrokerSettings), read_settings(WorkerSettings)
    settings = read_settings(AlertSettings)
    store = MinioStore(read_settings(ObjectStoreSettings))
    app = faust.App(
        **faust_options(broker, Writer.ALERT, instance, worker_settings.data_dir),
        broker_credentials=faust.SASLCredentials(**sasl_options(broker)),
    )
    url = _database_url(settings, worker_settings.data_dir)
    outbox = await retry(lambda: asyncio.to_thread(Outbox, url))
    recipients = _recipients(app, settings, worker_settings)
    sender = Sender(
        outbox,
        recipients,
        lease_s=settings.webhook_timeout_s + NOTE_S,
        longest_pause_s=settings.retry_longest_s,
    )
    handler = Handler(app, store, outbox, settings.rule, tuple(recipients), time.time)
    worker = Worker(app, worker_settings.data_dir, handler.forget)

    @app.agent(app.topic(Topic.SCREENING_ASSESSED.value, key_serializer="raw", value_serializer="raw"), concurrency=1)
    async def alert(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                await handler.handle(event, coordinates(event.message), event.value)
            except Exception as error:
                worker.fail(error)
                raise

    @app.task
    async def send() -> None:
        try:
            await sender.run()
        except Exception as error:
            worker.fail(error)
            raise

    try:
        return await worker.run()
    finally:
        outbox.close()


def _database_url(settings: AlertSettings, data_dir: Path) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(data_dir / "outbox.sqlite")


def _recipients(app: Any, settings: AlertSettings, worker: WorkerSettings) -> dict[str, Deliver]:
    recipients: dict[str, Deliver] = {TOPIC: to_topic(app)}
    if settings.webhook_url is not None and settings.webhook_secret is not None:
        url, secret = settings.webhook_url.get_secret_value(), settings.webhook_secret.get_secret_value().encode()
        webhook = Webhook(url, secret, settings.webhook_timeout_s, time.time, worker.intended_use)
        recipients[WEBHOOK] = webhook.post
    return recipients
