"""The options of every kafka-python client, and a client that tells a refused account from an absent broker.

Two faults of kafka-python 3.0.12 hide a refusal behind a timeout. First, a broker that refuses an account sends the
refusal and closes the connection at once, and the transport discards what it received together with the end of a
connection. Second, while the client looks for its first broker it tries again after a refusal: the refusal only fails
`init_future`, while the manager waits for a raised error. A certificate that does not count is hidden in the same way.
"""

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from kafka.errors import AuthorizationError, KafkaConnectionError, SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient

from sonovan.contracts.broker import BrokerSettings
from sonovan.transport.tls import trusting, untrusted


def client_options(settings: BrokerSettings) -> dict[str, Any]:
    """The options of every kafka-python client. They hold the password."""
    return {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": f"sonovan-{settings.username}",
        "security_protocol": "SASL_PLAINTEXT" if settings.ca is None else "SASL_SSL",
        "ssl_context": None if settings.ca is None else trusting(settings.ca),
        "sasl_mechanism": settings.mechanism,
        "sasl_plain_username": settings.username,
        "sasl_plain_password": settings.password.get_secret_value(),
        "bootstrap_timeout_ms": round(settings.connect_timeout_s * 1000),
        "kafka_client": telling_client,
        "proxy_url": settings.proxy,
        "reconnect_backoff_max_ms": 2000,  # the default, 30 s, is how long a van would miss a returned broker
    }


def telling_client(**options: Any) -> Any:
    """A `kafka_client` for KafkaProducer, KafkaConsumer and KafkaAdminClient that raises when it is refused.

    Only while it looks for a first broker: one that restarts may refuse for a moment.
    """
    client = KafkaNetClient(**options)
    manager = client._manager
    connect, build = manager.get_connection, manager._build_transport

    refusals: dict[Any, Exception] = {}

    def get_connection(node_id: Any, *arguments: Any, **more: Any) -> Any:
        if node_id in refusals:
            raise refusals.pop(node_id)
        connection = connect(node_id, *arguments, **more)
        if manager.cluster.is_bootstrap(node_id):
            connection.init_future.add_errback(partial(note, node_id))
        return connection

    def note(node_id: Any, error: Exception) -> None:
        if isinstance(error, SaslAuthenticationFailedError | AuthorizationError):
            refusals[node_id] = error

    async def build_transport(node: Any, *arguments: Any, **more: Any) -> Any:
        try:
            transport = await build(node, *arguments, **more)
        except KafkaConnectionError as error:
            cause = error.__context__
            if isinstance(cause, ssl.SSLCertVerificationError) and manager.cluster.is_bootstrap(node.node_id):
                refusals[node.node_id] = untrusted(cause, node.host)
            raise
        transport._sock_recv = partial(_data_before_its_end, transport._sock_recv)
        return transport

    manager.get_connection, manager._build_transport = get_connection, build_transport
    return client


def _data_before_its_end(
    receive: Callable[[], tuple[bytes, Exception | None]],
) -> tuple[bytes, Exception | None]:
    data, error = receive()
    return (data, None) if data else (data, error)  # the socket tells its end again when it is asked again
