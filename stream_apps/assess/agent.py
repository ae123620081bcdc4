"""The assess worker: Faust around `handle.py`. Started by `sonovan worker assess`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, get_args

import faust

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import TOPIC_PARTITIONS, Topic, Writer
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.assess.handle import Handler
from sonovan.stream_apps.assess.intake import Arrival
from sonovan.stream_apps.assess.rows import Table
from sonovan.stream_apps.assess.settings import AssessSettings
from sonovan.stream_apps.faust_options import TABLE_OPTIONS, consumer_options, faust_options, sasl_options
from sonovan.stream_apps.kafka_io import coordinates
from sonovan.stream_apps.running import Worker, exit_code, log_to_stderr
from sonovan.stream_apps.settings import WorkerSettings
from sonovan.stream_apps.vans import VanFollower, VanRegistry

log = logging.getLogger(__name__)

READ = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
    Topic.FRAME_SEGMENTED,
    Topic.RECORD_REJECTED,
    Topic.SCREENING_TICKED,
)
"""All topics of the one channel: one event at a time, so that rows are never written by two."""


def run(instance: int) -> int:
    """Run one assess worker until SIGTERM; returns the exit code: 0, 4 no service, 5 must not go on."""
    log_to_stderr(f"assess-{instance}")
    try:
        return asyncio.run(_serve(instance))
    except Exception as error:
        return exit_code(error)


async def _serve(instance: int) -> int:
    broker, worker_settings = read_settings(BrokerSettings), read_settings(WorkerSettings)
    settings = read_settings(AssessSettings)
    store = MinioStore(read_settings(ObjectStoreSettings))
    vans = VanFollower(broker, VanRegistry(), lambda error: worker.fail(error))
    await vans.start()
    app = faust.App(
        **faust_options(broker, Writer.ASSESS, instance, worker_settings.data_dir, tables=True),
        broker_credentials=faust.SASLCredentials(**sasl_options(broker)),
    )
    tables: dict[Table, Any] = {
        name: app.Table(
            name, key_type=bytes, value_type=bytes, partitions=TOPIC_PARTITIONS, options=dict(TABLE_OPTIONS)
        )
        for name in get_args(Table)
    }
    rows_durable = _follow_changelogs(tables.values())
    use = worker_settings.intended_use
    handler = Handler(app, store, vans, tables, rows_durable, consumer_options(broker), settings, use)

    worker = Worker(app, worker_settings.data_dir, handler.forget)
    channel = app.topic(*(topic.value for topic in READ), key_serializer="raw", value_serializer="raw")

    @app.agent(channel, concurrency=1)
    async def assess(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                await handler.handle(event, Arrival(coordinates(event.message), event.key, event.value))
            except Exception as error:
                worker.fail(error)
                raise

    @app.timer(settings.tick_every_s)
    async def tick() -> None:
        try:
            await handler.tick()
        except Transient as error:
            log.warning("no tick this time: %s", error)

    try:
        return await worker.run()
    finally:
        await vans.stop()
        handler.close()


def _follow_changelogs(tables: Iterable[Any]) -> Callable[[], Awaitable[None]]:
    """Waits until the broker has acknowledged every row that was written since it waited last.

    Faust 0.15.3 writes a row and sends its changelog record in the background; one that fails is a line in the log.
    """
    pending: list[Awaitable[Any]] = []

    def follow(table: Any) -> None:
        send = table.send_changelog

        def send_changelog(*arguments: Any, **options: Any) -> Any:
            sending = send(*arguments, **options)
            pending.append(sending)
            return sending

        table.send_changelog = send_changelog

    async def durable() -> None:
        waited_for, pending[:] = list(pending), []
        await asyncio.gather(*waited_for)

    for table in tables:
        follow(table)
    return durable
