"""bytewax: a dataflow of two workers in one process; where to go on stands in files of its own, not at the broker."""

import os
import sys
from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from confluent_kafka import OFFSET_STORED

from benchmarks.peers.step import CAPTURED, Step, consuming, folder, librdkafka, producing

WORKERS = 2
EPOCH = timedelta(seconds=1)
BATCH = 4


def flow() -> Dataflow:
    """Frames to results and receipts."""
    step = Step()
    settings = librdkafka()
    brokers = [settings.pop("bootstrap.servers")]
    made = Dataflow("segment")
    source = KafkaSource(
        brokers, [CAPTURED], starting_offset=OFFSET_STORED, add_config=settings | consuming(), batch_size=BATCH
    )
    frames = op.input("frames", made, source)

    def segmented(message: KafkaSourceMessage[bytes, bytes]) -> list[KafkaSinkMessage[bytes, bytes]]:
        return [
            KafkaSinkMessage(key, value, topic=topic) for topic, key, value in step.records(message.value, message.key)
        ]

    op.output("results", op.flat_map("segment", frames, segmented), KafkaSink(brokers, None, settings | producing()))
    return made


def main() -> int:
    """Run until it is killed: the library has no end of its own for a source that follows."""
    recovery = folder() / "recovery"
    if not recovery.is_dir():
        recovery.mkdir(parents=True)
        init_db_dir(recovery, WORKERS)
    cli_main(
        flow(), workers_per_process=WORKERS, epoch_interval=EPOCH,
        recovery_config=RecoveryConfig(str(recovery), timedelta(0)),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    os.environ.setdefault("BYTEWAX_DATAFLOW_API_ENABLED", "0")
    sys.exit(main())
