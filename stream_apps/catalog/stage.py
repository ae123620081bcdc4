"""The catalog stage: every topic that holds a result, into SQL; `sonovan worker catalog`."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import TOPICS, Topic, Writer
from sonovan.storage.catalogue.changes import Change, Place
from sonovan.storage.catalogue.committing import GroupCommit
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.erasing import sweep_all
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.catalog.reading import READS, change_of
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.catalog.sweeping import keep_sweeping
from sonovan.stream_apps.retrying import retry
from sonovan.stream_apps.signed import Verify, or_left_out
from sonovan.stream_apps.stage import Given, Message, Outcome, Stage

DATABASE: Final = "database"
"""The catalogue's, as something that the worker waits for (`progress.Progress.waits`)."""


async def open_stage(given: Given) -> Stage:
    """Open the catalogue, waiting for its database. Raises Fatal where that cannot be used."""
    settings = read_settings(CatalogSettings)
    database = open_database(database_url(settings, given.worker.data_dir))
    await retry(lambda: asyncio.to_thread(database.prepare), told=lambda why: given.progress.waits(DATABASE, str(why)))
    given.progress.has(DATABASE)
    return catalog_stage(database, given.vans.verify, given.store, settings)


def catalog_stage(
    database: Database,
    verify: Verify,
    store: ObjectStore,
    settings: CatalogSettings,
    now: Callable[[], float] = time.time,
) -> Stage:
    """The stage with a catalogue that is prepared.

    What a van sent and cannot be used is left out: `assess` or `alert` rejects it and answers the van. Messages that
    come together are written in one transaction (`GroupCommit`), and none is acknowledged before that is committed.
    Beside them the worker deletes what erased screenings left behind.

    now: seconds since the epoch, by which a record of an unknown van has waited long enough.
    """
    commit = GroupCommit(database)

    def taken(message: Message) -> Outcome:
        at = message.at
        place = Place.of(at.topic, at.partition, at.offset, at.appended_at)
        read = partial(change_of, place, message.key, message.value, at.appended_at, verify, store)
        if TOPICS[Topic(at.topic)].signed:
            return Outcome(store=lambda: commit.store(_signed(read, place, message)))
        if at.topic == Topic.SCREENING_ERASED:
            return Outcome(store=partial(erase, read()))
        if at.topic == Topic.FRAME_REVIEWED:  # it reads masks from the store
            return Outcome(store=lambda: commit.store(read()))
        return Outcome(store=partial(commit.store, read()))

    def erase(change: Change) -> None:
        commit.store(change)
        sweep_all(database)

    def _signed(read: Callable[[], Change], place: Place, message: Message) -> Change:
        def young() -> bool:
            return now() - message.at.appended_at.timestamp() < settings.unknown_van_wait_s

        change = or_left_out(read, message.at, young)
        return Change(place, ()) if change is None else change

    return Stage(
        name=Writer.CATALOG,
        reads=READS,
        process=taken,
        in_flight=settings.in_flight,
        room_messages=settings.in_flight,
        store_threads=settings.in_flight,
        background=partial(keep_sweeping, database, store),
        close=database.close,
    )


def database_url(settings: CatalogSettings, data_dir: Path) -> str:
    """Where the catalogue is: as the setting says, or in a file of this folder."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(data_dir / "catalog.sqlite")


def sqlite_url(path: Path) -> str:
    """The URL of a catalogue in a file."""
    return f"sqlite:///{path.absolute()}"
