"""The broker's configuration files, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SOCKET_REQUEST_BYTES = 104_857_600  # the broker's own default: the least it gets
NETWORK_THREADS = 2  # of each listener

REPLICAS: Final = 3
IN_SYNC: Final = 2
"""Of what Kafka keeps for itself (offsets of groups, transactions), where there are so many brokers: as many as the
topic table asks for (`contracts/topics.py:TopicSpec`)."""


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where one broker listens. node: its number in the cluster, from 1 on.

    address: for everybody inside the centre, the other brokers among them. vans_address: on which it listens for vans;
    vans_name: under which they reach it.
    """

    port: int
    controller_port: int
    vans_address: str
    vans_name: str
    vans_port: int
    node: int = 1
    address: str = "127.0.0.1"


# A broker for one laptop, or one of three on small machines: few threads, small caches.
_TEMPLATE = """\
process.roles=broker,controller
node.id={place.node}
controller.quorum.voters={voters}
listeners=CLIENT://{place.address}:{place.port},VANS://{place.vans_address}:{place.vans_port},\
CONTROLLER://{place.address}:{place.controller_port}
advertised.listeners=CLIENT://{place.address}:{place.port},VANS://{place.vans_name}:{place.vans_port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,VANS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={scram} required username="{admin}" password="{admin_password}";
listener.name.vans.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.vans.scram-sha-256.sasl.jaas.config={scram} required;
listener.name.vans.ssl.keystore.type=PEM
listener.name.vans.ssl.keystore.location={vans_keystore}
listener.name.vans.ssl.enabled.protocols=TLSv1.3,TLSv1.2
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} required \
username="controller" password="{controller_password}" user_controller="{controller_password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:controller
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
log.dirs={data}
message.max.bytes={max_message_bytes}
replica.fetch.max.bytes={max_message_bytes}
socket.request.max.bytes={socket_bytes}
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=12
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms={heartbeat_ms}
broker.session.timeout.ms={session_ms}
num.network.threads={network_threads}
num.io.threads=4
log.cleaner.dedupe.buffer.size=33554432
"""

LOGGING = """\
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=@LOG@
appender.file.filePattern=@LOG@.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %c{1} %m%n
appender.file.policy.type=SizeBasedTriggeringPolicy
appender.file.policy.size=20MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=3
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
appender.console.filter.threshold.type=ThresholdFilter
appender.console.filter.threshold.level=ERROR
rootLogger.level=INFO
rootLogger.appenderRef.file.ref=file
rootLogger.appenderRef.console.ref=console
"""

_SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"


_ALONE_MS = (1000, 5000)
"""Heartbeat and session of a single broker. After a power cut the controller refuses the broker for one session, as it
takes the dead one for alive: 5 s rather than the default 9."""

_AMONG_OTHERS_MS = (2000, 9000)
"""Those of one of several, Kafka's defaults: a machine that is busy for some seconds keeps its partitions."""


def properties(
    place: BrokerPlace,
    *,
    cluster: Sequence[BrokerPlace] = (),
    vans_keystore: str,
    admin: str,
    admin_password: str,
    controller_password: str,
    data: str,
    max_message_bytes: int,
) -> str:
    """The properties of the broker at `place`; they hold passwords.

    cluster: every broker, this one among them; empty where it is alone. Each is a controller, too. data: log
    directory, relative to where the broker runs, as is vans_keystore. Passwords must be URL-safe: nothing is escaped.
    """
    brokers = cluster or (place,)
    heartbeat_ms, session_ms = _ALONE_MS if len(brokers) == 1 else _AMONG_OTHERS_MS
    return _TEMPLATE.format(
        place=place,
        voters=",".join(f"{each.node}@{each.address}:{each.controller_port}" for each in brokers),
        replicas=min(REPLICAS, len(brokers)),
        in_sync=min(IN_SYNC, len(brokers)),
        heartbeat_ms=heartbeat_ms,
        session_ms=session_ms,
        vans_keystore=vans_keystore,
        network_threads=NETWORK_THREADS,
        scram=_SCRAM_MODULE,
        plain=_PLAIN_MODULE,
        admin=admin,
        admin_password=admin_password,
        controller_password=controller_password,
        data=data,
        max_message_bytes=max_message_bytes,
        socket_bytes=max(SOCKET_REQUEST_BYTES, 2 * max_message_bytes),
    )
