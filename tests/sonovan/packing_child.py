"""A run of packing in a process of its own, for a test that kills it: python -m tests.sonovan.packing_child FOLDER."""

import sys
from pathlib import Path

from sonovan.packing import Packing
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.folder_store import FolderStore


def main(folder: Path) -> None:
    """Say when it begins, then pack what may be packed, with a short grace."""
    database = open_database(f"sqlite:///{folder / 'catalog.sqlite'}")
    run = Packing(database, FolderStore(folder / "objects"), "me", lambda _: None, grace_s=0.05)
    print("begins", flush=True)
    run.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
