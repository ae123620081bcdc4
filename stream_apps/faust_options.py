"""The options of every stage's Faust app; docs/design.md#what-must-hold-in-every-faust-app has the reasons.

No faust here: `agent.py` builds `faust.App(**faust_options(…), broker_credentials=faust.SASLCredentials(
**sasl_options(…)))`.
"""

from pathlib import Path
from typing import Any, Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.contracts.limits import MIB
from sonovan.contracts.topics import APP_IDS, TOPIC_PARTITIONS, Writer

STREAM_BUFFER: Final = 256
"""Messages that wait in an agent's queue, if they are small; the default of 4,096 would hold gigabytes of frames."""

STREAM_BUFFER_BYTES: Final = 32 * MIB
"""Bytes of messages that wait there, or one that is larger (`feeding.Feed`): more than a second of small frames."""

METADATA_MAX_AGE_MS: Final = 10_000
"""How long a worker trusts what the broker told it of topics; one small request for each such span."""

FETCH_BYTES: Final = 2 * 1024 * 1024
"""Per partition and fetch. A broker sends a larger message alone (KIP-74), so this bounds memory, not messages."""

TABLE_OPTIONS: Final[dict[str, Any]] = {
    "driver": "rocksdict",
    "block_cache_size": 8 * 1024 * 1024,
    "write_buffer_size": 4 * 1024 * 1024,
    "max_write_buffer_number": 2,
}
"""For `app.Table(…, options=dict(TABLE_OPTIONS))`: a copy, since Faust takes keys out. Per partition of a table."""


def faust_options(
    broker: BrokerSettings, stage: Writer, instance: int, data_dir: Path, *, tables: bool = False
) -> dict[str, Any]:
    """Keyword arguments of `faust.App` for one worker of `stage`.

    instance: number of the worker on this machine; each has its own folder of tables below `data_dir`.
    tables: whether the stage keeps Faust tables (RocksDB through rocksdict).
    """
    datadir = data_dir / f"{stage.value}-{instance}"
    datadir.mkdir(parents=True, exist_ok=True)
    return {
        "id": APP_IDS[stage],
        "broker": [f"kafka://{address}" for address in broker.bootstrap.split(",")],
        "datadir": str(datadir.absolute()),
        "store": "rocksdb://" if tables else "memory://",
        "key_serializer": "raw",
        "value_serializer": "raw",
        "processing_guarantee": "at_least_once",
        # Topics exist before a worker starts, made from contracts.topics alone.
        "topic_partitions": TOPIC_PARTITIONS,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        # A killed worker keeps its partitions as long as its session; the default is a minute.
        "broker_session_timeout": 10.0,
        "broker_heartbeat_interval": 2.0,
        # A broker that has just started may name a topic without partitions. Whoever joins then is given nothing
        # until the topics are asked for again, by default after five minutes.
        "consumer_metadata_max_age_ms": METADATA_MAX_AGE_MS,
        "broker_request_timeout": 30.0,
        "broker_commit_interval": 1.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": min(FETCH_BYTES, broker.max_message_bytes),
        "broker_max_poll_records": 64,
        "stream_buffer_maxsize": STREAM_BUFFER,
        "stream_wait_empty": False,
        "producer_acks": -1,
        "producer_max_request_size": broker.max_message_bytes,
        "producer_request_timeout": 30.0,
        "producer_compression_type": None,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
    }


def sasl_options(broker: BrokerSettings) -> dict[str, str]:
    """Keyword arguments of `faust.SASLCredentials`: SCRAM over plaintext on loopback."""
    return {
        "mechanism": "SCRAM-SHA-512",
        "username": broker.username,
        "password": broker.password.get_secret_value(),
    }


def consumer_options(broker: BrokerSettings) -> dict[str, Any]:
    """Connection arguments of an `AIOKafkaConsumer` beside the app's own."""
    return {
        "bootstrap_servers": broker.bootstrap.split(","),
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": broker.username,
        "sasl_plain_password": broker.password.get_secret_value(),
    }


def no_answer(broker: BrokerSettings) -> Transient:
    """The error of whoever found no broker in time.

    aiokafka says a refused password at bootstrap like an absent broker; which of the two is in its own log line.
    """
    who = f"{broker.bootstrap} does not answer, or refuses the account {broker.username}"
    return Transient(f"the broker at {who}; mend it, then try again")
