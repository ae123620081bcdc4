"""kafka-python's errors as the three of this project."""

import pytest
from kafka import errors

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.transport.failures import translating


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (errors.TopicAuthorizationFailedError("frame.captured.v1"), Fatal),
        (errors.ClusterAuthorizationFailedError(), Fatal),
        (
            errors.KafkaError("Unexpected error in InitProducerIdResponse: [Error 31] ClusterAuthorizationFailedError"),
            Fatal,
        ),
        (errors.SaslAuthenticationFailedError(), Fatal),
        (errors.KafkaConfigurationError(), Fatal),
        (errors.MessageSizeTooLargeError(), InvalidRecord),
        (errors.KafkaTimeoutError(), Transient),
        (errors.NotEnoughReplicasError(), Transient),
        (errors.KafkaConnectionError(), Transient),
        (errors.IllegalStateError("closed"), Transient),
        (ConnectionRefusedError(111, "refused"), Transient),
    ],
)
def test_each_kind_becomes_the_error_that_says_what_to_do(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected, match="sending"), translating("sending"):
        raise raised


def test_a_defect_stays_a_defect() -> None:
    with pytest.raises(KeyError), translating("sending"):
        raise KeyError("typo")
