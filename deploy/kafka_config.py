"""The broker's configuration files, as text."""

SOCKET_REQUEST_BYTES = 104_857_600  # the broker's own default: the least it gets
NETWORK_THREADS = 2  # of each listener

# A broker for one laptop: few threads, small caches, one copy of everything. After a power cut the controller refuses
# the broker for one session timeout, as it takes the dead one for alive: 5 s rather than the default 9.
_TEMPLATE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENT://127.0.0.1:{port},VANS://{vans_address}:{vans_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port},VANS://{vans_name}:{vans_port}
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
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=12
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
num.network.threads={network_threads}
num.io.threads=4
log.cleaner.dedupe.buffer.size=33554432
"""

LOGGING = """\
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=../logs/kafka-server.log
appender.file.filePattern=../logs/kafka-server.log.%i
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


def properties(
    *,
    port: int,
    controller_port: int,
    vans_address: str,
    vans_name: str,
    vans_port: int,
    vans_keystore: str,
    admin: str,
    admin_password: str,
    controller_password: str,
    data: str,
    max_message_bytes: int,
) -> str:
    """The broker's properties; they hold passwords.

    data: log directory, relative to where the broker runs, as is vans_keystore. vans_address: on which the broker
    listens for vans; vans_name: under which they reach it. Passwords must be URL-safe: nothing is escaped.
    """
    return _TEMPLATE.format(
        port=port,
        controller_port=controller_port,
        vans_address=vans_address,
        vans_name=vans_name,
        vans_port=vans_port,
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
