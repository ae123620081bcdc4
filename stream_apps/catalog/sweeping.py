"""What erased screenings leave behind, deleted again and again while the worker runs."""

import asyncio
import logging
from typing import Final

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.erasing import delete_objects, sweep_all
from sonovan.storage.stores import ObjectStore

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0
"""Between two looks: so long may rows or an object stand that came after their screening was erased."""


async def keep_sweeping(database: Database, store: ObjectStore, every_s: float = EVERY_S) -> None:
    """Delete rows and objects of erased screenings until this is cancelled; a service that is away is waited for.

    Raises Fatal where the store or the database refuses it.
    """
    while True:
        try:
            await asyncio.to_thread(sweep_once, database, store)
        except Transient as why:
            log.warning("what erased screenings left behind waits: %s", why)
        await asyncio.sleep(every_s)


def sweep_once(database: Database, store: ObjectStore) -> None:
    """Delete all that may go now. Raises Transient and Fatal; what was not deleted is found again."""
    swept, deleted = sweep_all(database), 0
    while some := delete_objects(database, store):
        deleted += some
    if swept or deleted:
        log.info("erased: the rows of %d screenings, %d folders and objects", swept, deleted)
