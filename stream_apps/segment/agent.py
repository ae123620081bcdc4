"""The segment worker: Faust around `handle.py`. Started by `sonovan worker segment`."""

import asyncio
import sys
from functools import partial
from typing import Any, Final

import faust

from sonovan import models
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.models.errors import ModelError
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.faust_options import faust_options, sasl_options
from sonovan.stream_apps.kafka_io import coordinates
from sonovan.stream_apps.running import Worker, exit_code, log_to_stderr
from sonovan.stream_apps.segment.handle import Handler
from sonovan.stream_apps.segment.in_flight import InFlight
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.step import LoadedNetwork
from sonovan.stream_apps.settings import WorkerSettings
from sonovan.stream_apps.vans import VanFollower, VanRegistry

SWITCH_S: Final = 1e-3
"""A thread that comes back from a runtime waits for the event loop at most so long to go on; Python gives 5 ms."""


def run(instance: int) -> int:
    """Run one segment worker until SIGTERM; returns the exit code: 0, 4 no service, 5 must not go on."""
    sys.setswitchinterval(SWITCH_S)
    log_to_stderr(f"segment-{instance}")
    try:
        return asyncio.run(_serve(instance))
    except Exception as error:
        return exit_code(error)


async def _serve(instance: int) -> int:
    broker, worker_settings = read_settings(BrokerSettings), read_settings(WorkerSettings)
    settings = read_settings(SegmentSettings)
    store = MinioStore(read_settings(ObjectStoreSettings))
    segmenter = _load(settings)
    vans = VanFollower(broker, VanRegistry(), lambda error: worker.fail(error))
    await vans.start()
    app = faust.App(
        **faust_options(broker, Writer.SEGMENT, instance, worker_settings.data_dir),
        broker_credentials=faust.SASLCredentials(**sasl_options(broker)),
    )
    handler = Handler(app, store, segmenter, vans, settings)
    in_flight = InFlight(settings.in_flight, lambda error: worker.fail(error))
    worker = Worker(app, worker_settings.data_dir, in_flight.cancel)

    @app.agent(app.topic(Topic.FRAME_CAPTURED.value, key_serializer="raw", value_serializer="raw"), concurrency=1)
    async def segment(stream: Any) -> None:
        async for event in stream.noack().events():
            at = coordinates(event.message)
            await in_flight.submit(at.partition, partial(handler.handle, event, event.value, event.key, at))

    try:
        return await worker.run()
    finally:
        await vans.stop()
        handler.close()


def _load(settings: SegmentSettings) -> LoadedNetwork:
    try:
        return models.load(settings.model_id)
    except ModelError as error:
        raise Fatal(str(error)) from error
