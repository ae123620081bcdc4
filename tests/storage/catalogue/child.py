"""A worker of the catalogue that is killed: `python -m tests.storage.catalogue.child URL SEED`; a line for each
message.

It puts the whole scene through the stage's own step, in an order of its own, eight messages at a time.
"""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.database import open_database
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.catalog.stage import catalog_stage
from sonovan.stream_apps.stage import Message
from tests.stream_apps.catalog.scene import NoMasks, messages


def main(url: str, seed: int) -> None:
    """Write everything; what the database does not take is tried again."""
    database = open_database(url)
    database.prepare()
    stage = catalog_stage(
        database, lambda *_: None, NoMasks(), CatalogSettings(), lambda: datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    )

    def put(message: Message) -> None:
        store = stage.process(message).store
        while store is not None:
            try:
                store()
                break
            except Transient:
                continue
        sys.stdout.write(f"{message.at.topic} {message.at.offset}\n")  # in one piece, whoever else writes
        sys.stdout.flush()

    said = messages()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, random.Random(seed).sample(said, len(said))))
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
