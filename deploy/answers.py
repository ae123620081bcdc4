"""What a worker says of itself, at the address that it wrote into its health file.

As a command, for a container's health: `python -m sonovan.deploy.answers /data/health.json /readyz` prints what the
worker says, and exits with 0 where it answers 200, else with 1.
"""

import json
import sys
from pathlib import Path

from sonovan.deploy.probes import told_by


def answer_of(file: Path, question: str, *, pid: int | None = None) -> tuple[bool, str]:
    """What the worker answers to `question` (`/healthz`, `/readyz`): whether it is a yes, and its words.

    No, without words, where no worker answers there, or where the file is not of the process `pid`: one that died
    leaves its file behind.
    """
    try:
        told = json.loads(file.read_text())
        if pid is not None and told["pid"] != pid:
            return False, ""
        return told_by(f"{told['address']}{question}")
    except (OSError, ValueError, KeyError, TypeError):
        return False, ""


if __name__ == "__main__":
    yes, words = answer_of(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write(f"{words or 'it does not answer'}\n")
    sys.exit(0 if yes else 1)
