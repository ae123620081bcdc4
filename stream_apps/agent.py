"""The Faust app of every stage. Started by `sonovan worker NAME`."""

import asyncio
import importlib
import logging
from functools import partial
from typing import Any

import faust
from faust.exceptions import NotReady

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.limits import MIB
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import TABLES, TOPIC_PARTITIONS, TOPICS, Topic, Writer, van_answered_topic
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.deferred_reader import DeferredReader
from sonovan.stream_apps.faults import Faults, run_faults, worker_id
from sonovan.stream_apps.faust_options import TABLE_OPTIONS, faust_options, sasl_options
from sonovan.stream_apps.feeding import App
from sonovan.stream_apps.handling import Handling, Sign
from sonovan.stream_apps.health import Health
from sonovan.stream_apps.kafka_io import coordinates, deliver, step_of
from sonovan.stream_apps.metrics import Measured
from sonovan.stream_apps.progress import APART_S, STARTING, Progress
from sonovan.stream_apps.quarantine import QuarantineQuota
from sonovan.stream_apps.running import Worker, exit_code, log_to_stderr, own_folder, raise_file_limit
from sonovan.stream_apps.settings import ReceiptSettings, WorkerSettings
from sonovan.stream_apps.shares import RejectedShare
from sonovan.stream_apps.skipping import read_skips
from sonovan.stream_apps.spans import Spans
from sonovan.stream_apps.stage import Given, Message, OpenStage, Stage
from sonovan.stream_apps.tables import ChangelogTables
from sonovan.stream_apps.vans import VanFollower, VanRegistry
from sonovan.stream_apps.watching import Watching

log = logging.getLogger(__name__)

TELL_WITHIN_S = 5.0


def run(name: str, instance: int) -> int:
    """Run one worker of the stage `name` until SIGTERM; returns the exit code: 0, 4 no service, 5 must not go on."""
    log_to_stderr(f"{name}-{instance}")
    raise_file_limit()
    try:
        broker, settings = read_settings(BrokerSettings), read_settings(WorkerSettings)
        with own_folder(settings.data_dir):
            return asyncio.run(_serve(Writer(name), instance, broker, settings))
    except Exception as error:
        return exit_code(error)


async def _serve(name: Writer, instance: int, broker: BrokerSettings, settings: WorkerSettings) -> int:
    store = MinioStore(read_settings(ObjectStoreSettings))
    app = App(
        **faust_options(broker, name, instance, settings.data_dir, tables=name in TABLES),
        broker_credentials=faust.SASLCredentials(**sasl_options(broker)),
    )
    progress = Progress(settings.stuck_after_s)
    measured = Measured(name, instance, {}, clock=progress.brokers_time_s)
    watching = Watching(app, measured, progress, settings.folders, settings.disk_low_mb, NotReady)
    health = Health(settings.data_dir, progress, watching.metrics)
    progress.waits(STARTING, "it is starting")
    # First of all: a stage may wait long for what it opens, and who asks must be told.
    await health.start(settings.health_host, settings.health_port)
    try:
        tables = ChangelogTables({each: _table(app, each) for each in TABLES.get(name, ())})
        registry = VanRegistry()
        open_stage: OpenStage = importlib.import_module(f"sonovan.stream_apps.{name}.stage").open_stage
        given = Given(broker, settings, store, registry, tables, partial(deliver, app), progress)
        stage = await open_stage(given)
        measured.runs(stage.running)
        follows = name in TOPICS[Topic.VAN_ENROLLED].readers
        vans = VanFollower(broker, registry, lambda error: worker.fail(error), progress) if follows else None
        skips = await read_skips(broker, name)
        shares = RejectedShare(name, settings.rejected_share, settings.rejected_vans, registry.count)
        folder = settings.data_dir / f"{name}-{instance}"
        quota = QuarantineQuota(folder / "quarantine.json", settings.quarantine_mib * MIB)
        handling = Handling(
            stage, app, store, tables, vans, lambda error: worker.fail(error), measured, progress,
            skips=skips, shares=shares, quota=quota, sign=_signing(name),
            spans=Spans(name, instance, settings.trace_folder),
        )  # fmt: skip
        worker = Worker(app, progress, handling.move, [topic.value for topic in stage.reads])
        deferred = None
        if stage.defers_to is not None:
            deferred = DeferredReader(broker, stage.defers_to, name, handling, progress)
        _attach(app, stage, handling, worker, deferred)
        progress.has(STARTING)
        watch = asyncio.create_task(_or_fail(watching.run(worker.fail), worker), name="watching")
        faults = Faults(name, instance, worker_id(folder), APART_S, lambda fault: _tell(given, fault))
        tell = asyncio.create_task(_or_fail(run_faults(faults, measured, progress), worker), name="faults")
        try:
            if vans is not None:
                await vans.start()
            return await worker.run()
        finally:
            watch.cancel()
            tell.cancel()
            if vans is not None:
                await vans.stop()
            handling.close()
    finally:
        await health.stop()


def _signing(name: Writer) -> Sign:
    """What signs this stage's answers to vans. A stage that answers, and has no key, says that nothing is signed."""
    if name not in van_answered_topic("any").writers:
        return lambda answer: answer
    signer = read_settings(ReceiptSettings).signer
    if signer is None:
        log.warning("SONOVAN_RECEIPTS_KEY is not set: answers to vans are not signed, and vans that know a key of this"
                    " centre delete nothing on them")  # fmt: skip
        return lambda answer: answer
    return signer.sign


async def _tell(given: Given, fault: FaultAlerted) -> None:
    """Send a fault; what the broker has not taken after a few seconds counts as not sent."""
    try:
        async with asyncio.timeout(TELL_WITHIN_S):
            await given.send(Topic.FAULT_ALERTED, fault.key, fault.encode())
    except TimeoutError:
        raise Transient("the broker does not take a fault") from None


def _attach(app: Any, stage: Stage, handling: Handling, worker: Worker, deferred: DeferredReader | None) -> None:
    """Give the app its one agent over one channel of all topics, its timer and its background task."""
    channel = app.topic(*(topic.value for topic in stage.reads), key_serializer="raw", value_serializer="raw")

    # Raw bytes, one agent, acknowledged by hand: with more agents, or `take()`, Faust commits past unfinished work.
    @app.agent(channel, concurrency=1, name=stage.name)
    async def handle(stream: Any) -> None:
        async for event in stream.noack().events():
            await handling.take(
                event, Message(coordinates(event.message), event.key, event.value or b"", step_of(event.message))
            )

    if stage.tick is not None:

        @app.timer(stage.tick_every_s)
        async def tick() -> None:
            await _or_fail(handling.tick(), worker)

    if deferred is not None:

        @app.task
        async def read_deferred() -> None:
            await _or_fail(deferred.run(), worker)

    if (background := stage.background) is not None:

        @app.task
        async def run_beside() -> None:
            await _or_fail(background(), worker)


async def _or_fail(work: Any, worker: Worker) -> None:
    try:
        await work
    except Exception as error:
        worker.fail(error)
        raise


def _table(app: Any, name: str) -> Any:
    return app.Table(name, key_type=bytes, value_type=bytes, partitions=TOPIC_PARTITIONS, options=dict(TABLE_OPTIONS))
