"""A van that scans until it is killed: `python -m tests.producers.spool.scanning FOLDER SCREENING SEQUENCE`.

A process of its own, not a fork of the one that runs tests: libraries that have threads there do not survive a fork.
"""

import sys
from pathlib import Path

from sonovan.producers.spool import Spool
from tests.producers.spool.test_screenings import shot, source
from tests.producers.visits import SIGNER, VISIT, vault_at


def main() -> None:
    """Add frame after frame and name each on standard output once it is acknowledged."""
    folder, screening_id, sequence_id = sys.argv[1:]
    with Spool(Path(folder), vault_at(Path(folder))) as spool:
        screening = spool.open_screening(VISIT, SIGNER, [source()], screening_id=screening_id)
        sequence = screening.begin(source(), sequence_id)
        for index in range(10_000):
            sequence.add(shot(index, seed=index % 9))
            print(f"{sequence_id}/{index:06d}", flush=True)


if __name__ == "__main__":
    main()
