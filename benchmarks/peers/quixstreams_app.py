"""quixstreams: an application of one thread, which commits what it has processed and flushed ("at-least-once")."""

import sys
from typing import Any

from quixstreams import Application
from quixstreams.kafka import ConnectionConfig

from benchmarks.peers.step import CAPTURED, Record, Step, consuming, folder, group, librdkafka, producing

OWN = ("group.id", "auto.offset.reset", "enable.auto.commit")
"""What the library sets itself."""


def main() -> int:
    """Run until SIGTERM, which the library takes."""
    step = Step()
    app = Application(
        broker_address=ConnectionConfig.from_librdkafka_dict(librdkafka()),
        consumer_group=group(),
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_extra_config={name: value for name, value in consuming().items() if name not in OWN},
        producer_extra_config=producing(),
        auto_create_topics=False,
        use_changelog_topics=False,
        consumer_poll_timeout=0.1,
        state_dir=folder() / "state",
        loglevel="WARNING",
    )
    topic = app.topic(CAPTURED, key_deserializer="bytes", value_deserializer="bytes")

    def result(value: bytes, key: Any, timestamp: int, headers: Any) -> list[Record]:
        return step.records(value, key)

    def send(record: Record) -> None:
        name, key, value = record
        app._producer.produce(topic=name, key=key, value=value)  # the library's own: flushed before each commit

    stream = app.dataframe(topic).apply(result, expand=True, metadata=True)
    stream.update(send)
    app.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
