"""Small scripts that stand for programs which a test does not run for real, such as Java, docker and Kafka's own."""

import os
from pathlib import Path
from typing import Final

FORMATS: Final = """if [ "$1" = format ]; then
    mkdir -p "$KAFKA_DATA/formatting" && touch "$KAFKA_DATA/formatting/meta.properties"
else
    echo id
fi"""
"""In the place of `kafka-storage.sh`: it formats the broker's folder, or gives the id of a cluster."""


def install(folder: Path, **scripts: str) -> None:
    """Write programs of the shell into a folder, which is made where it is not there.

    scripts: by the program's name, the lines below `#!/bin/sh`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def install_kafka(folder: Path, *, storage: str = FORMATS, server: str = "echo started") -> dict[str, str]:
    """Write programs in the place of Kafka's own below a folder; the environment in which broker.sh calls them.

    storage, server: the scripts of what formats the broker's folder and of what starts the broker.
    """
    install(folder / "kafka" / "bin", **{"kafka-storage.sh": storage, "kafka-server-start.sh": server})
    return {
        "PATH": os.environ["PATH"],
        "KAFKA_HOME": str(folder / "kafka"),
        "KAFKA_DATA": str(folder / "data"),
        "SONOVAN_KAFKA_MAX_MESSAGE_BYTES": "1000",
        "SONOVAN_KAFKA_ADMIN_PASSWORD": "a" * 43,
    }
