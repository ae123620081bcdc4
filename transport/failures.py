"""Turn what kafka-python raises into one of the three errors of this project."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as kafka_errors

from sonovan.contracts.errors import Fatal, InvalidRecord, SonovanError, Transient
from sonovan.transport.tls import UntrustedCentre

_REFUSED = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
    kafka_errors.SecurityDisabledError,
)
# An account that may write nothing gets no producer id, which kafka-python 3.0.12 tells in words alone.
_REFUSED_WORDS = kafka_errors.ClusterAuthorizationFailedError.__name__
_TOO_LARGE = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
_MISCONFIGURED = (
    kafka_errors.KafkaConfigurationError,
    kafka_errors.UnsupportedVersionError,
    kafka_errors.UnrecognizedBrokerVersion,
    kafka_errors.InvalidTopicError,
    kafka_errors.InvalidConfigurationError,
    kafka_errors.InvalidPartitionsError,
    kafka_errors.InvalidReplicationFactorError,
    kafka_errors.PolicyViolationError,
)


class NoAnswer(Transient):
    """The broker does not answer, or whoever does is not believed."""


class WrongClock(NoAnswer):
    """By this machine's clock the centre's certificate does not count: the clock is wrong, or the certificate old."""


def translated(error: Exception, doing: str) -> SonovanError:
    """The error of this project for one of kafka-python's; `doing` says what was tried, without personal data.

    Refused or misconfigured: Fatal. Too large: InvalidRecord `record_too_large`. Everything else, the broker's
    own troubles and its certificate's included, may pass: NoAnswer, which is Transient.
    """
    told = " ".join(map(str, error.args)) or type(error).__name__
    if isinstance(error, _REFUSED) or _REFUSED_WORDS in told:
        return Fatal(f"{doing}: Kafka refuses this account: {told}")
    if isinstance(error, _TOO_LARGE):
        return InvalidRecord("record_too_large", f"{doing}: {told}")
    if isinstance(error, UntrustedCentre):
        return (WrongClock if error.by_clock else NoAnswer)(f"{doing}: {told}")
    if isinstance(error, _MISCONFIGURED):
        return Fatal(f"{doing}: {told}")
    return NoAnswer(f"{doing}: Kafka is not available: {told}")


@contextmanager
def translating(doing: str) -> Iterator[None]:
    """Let kafka-python's errors, and those of the socket, leave the block as errors of this project."""
    try:
        yield
    except (kafka_errors.KafkaError, OSError) as error:
        raise translated(error, doing) from error
