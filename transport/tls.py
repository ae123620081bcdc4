"""TLS to the centre's listener for vans: whose certificates count, and what to do where one does not."""

import hashlib
import ssl
from datetime import UTC, datetime
from typing import Final

from kafka.errors import KafkaError

from sonovan.contracts.errors import InvalidRecord

# Codes of OpenSSL, x509_vfy.h.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_ANOTHER_NAME: Final = frozenset({62, 64})


class UntrustedCentre(KafkaError):  # type: ignore[misc]  # kafka-python ships no types
    """Whoever answered at the centre's address showed no certificate that counts; the text says what to do.

    by_clock: whether it would count at another time.
    """

    def __init__(self, told: str, *, by_clock: bool) -> None:
        super().__init__(told)
        self.by_clock = by_clock


def trusting(ca: str) -> ssl.SSLContext:
    """A context that trusts these authorities (PEM) and no others, and checks the name.

    Raises InvalidRecord `option_invalid` for what holds no certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, TypeError, ValueError):  # TypeError: beyond ASCII
        raise InvalidRecord("option_invalid", "the centre's authorities are no certificates in PEM") from None
    return context


def authorities(text: str) -> dict[str, str]:
    """The authorities' certificates in a text, each as PEM by its sha256 (hex).

    Raises InvalidRecord `option_invalid` where there is none.
    """
    found = trusting(text).get_ca_certs(binary_form=True)
    if not found:
        raise InvalidRecord("option_invalid", "the centre's authorities are no certificates in PEM")
    return {hashlib.sha256(each).hexdigest(): ssl.DER_cert_to_PEM_cert(each) for each in found}


def authorities_until(text: str) -> list[datetime]:
    """Until when each of the authorities in a text counts, the first to end first. Raises as `authorities`."""
    authorities(text)
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in trusting(text).get_ca_certs()]
    return [datetime.fromtimestamp(each, UTC) for each in sorted(ends)]


def untrusted(error: ssl.SSLCertVerificationError, host: str) -> UntrustedCentre:
    """What a refused certificate means, in words for whoever has to mend it. host: the name that was asked for."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"  # no time: the same trouble is told once, not each minute
    code = error.verify_code
    if code == _EXPIRED:
        why = (
            f"the centre's certificate has expired by this machine's clock ({today}): set the clock if it is wrong,"
            " else renew it at the centre with: sonovan certificates rotate"
        )
    elif code == _NOT_YET_VALID:
        why = f"the centre's certificate is not valid yet by this machine's clock ({today}): set the clock"
    elif code in _ANOTHER_NAME:
        why = (
            f"the certificate that answers is not for {host}: at the centre, name it in SONOVAN_VANS_NAMES and type"
            " sonovan up, then enrol this van again"
        )
    else:
        why = (
            "the certificate that answers is of no authority that this van trusts: somebody else may answer in the"
            " centre's place. If the centre has another authority, bring its trusted.pem here and type:"
            " sonovan van trust FILE"
        )
    return UntrustedCentre(f"{why} ({error.verify_message})", by_clock=code in (_EXPIRED, _NOT_YET_VALID))
