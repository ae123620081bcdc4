"""How `make demo` runs commands: each is printed as a user would type it."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.private_files import write_private

VAN: Final = "demo"


def sonovan(path: Path, *words: str, accept: tuple[int, ...] = (0,)) -> str:
    """Run one command of sonovan; its stdout. Raises InvalidRecord where its exit code is not among `accept`."""
    typed(*words)
    ran = subprocess.run(argv(*words), env=environment(path), stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode not in accept:
        raise InvalidRecord("record_invalid", f"`sonovan {' '.join(words)}` ended with {ran.returncode}")
    return ran.stdout


def argv(*words: str) -> list[str]:
    """The command line of a command of sonovan."""
    return [sys.executable, "-m", "sonovan", *words]


def environment(path: Path) -> dict[str, str]:
    """What the demo's commands see: its state folder, and the passphrase of its van."""
    return os.environ | {"SONOVAN_STATE": str(path), "SONOVAN_VAN_PASSPHRASE": _passphrase(path)}


def _passphrase(path: Path) -> str:
    """What opens the demo's van. Nobody types it, so it lies beside what it opens, as a real van's never does."""
    kept = path / "demo" / "passphrase"
    if not kept.exists():
        write_private(kept, secrets.token_hex(16))
    return kept.read_text(encoding="utf-8")


def typed(*words: str) -> None:
    say(f"$ sonovan {' '.join(words)}")


def title(text: str) -> None:
    say(f"\n== {text}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
