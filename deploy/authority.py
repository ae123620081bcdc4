"""The centre's small certificate authority, and the certificate of the broker's listener for vans.

A folder holds three files. `authority.pem` (0600): the authority's private key and certificate; while two authorities
count, also the certificate of the one before, and the new one's certificate signed by the one before. `vans.pem`
(0600): key and chain as the broker reads them. `trusted.pem`: what a van is given, certificates alone.

While two authorities count, the broker shows the new one's certificate signed by the one before: a van that knows the
one and a van that knows the other both trust it, and nobody has to be there at the same time. The key of the one
before is deleted when the new one is made.

Sources: RFC 5280 (certificates; 3.2 for a new authority signed by the one before), CA/Browser Forum Baseline
Requirements 6.1.5 (P-256). `cryptography` makes all of them.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sonovan.deploy.errors import DeployError
from sonovan.deploy.files import write_private

AUTHORITY, LISTENER, TRUSTED = "authority.pem", "vans.pem", "trusted.pem"
AUTHORITY_DAYS: Final = 3650
LISTENER_DAYS: Final = 397
RENEWED_WITH_DAYS_LEFT: Final = 60
"""With fewer days left `ensure` makes another certificate for the listener."""

_BACKDATED: Final = timedelta(days=2)
"""A van's clock may be behind by so much."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Described:
    """One certificate. what: `authority`, `authority before` or `listener`. sha256: hex, of the certificate (DER)."""

    what: str
    sha256: str
    expires_at: datetime
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Authority:
    key: EllipticCurvePrivateKey
    certificate: x509.Certificate
    before: x509.Certificate | None = None
    link: x509.Certificate | None = None  # this one's, signed by the one before


class Authority:
    """The authority of one folder, which must be there. Errors are DeployError: a file that is damaged, or no room."""

    def __init__(self, folder: Path, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self.folder, self._clock = folder, clock

    def ensure(self, names: Sequence[str]) -> None:
        """Make what is missing, and another certificate for the listener where it runs out or is for other names."""
        if self._read() is None:
            self._write(self._new())
        found = self._listener()
        left = timedelta(0) if found is None else found.not_valid_after_utc - self._clock()
        if found is None or names_of(found) != tuple(names) or left < timedelta(days=RENEWED_WITH_DAYS_LEFT):
            self.issue(names)

    def issue(self, names: Sequence[str] | None = None) -> None:
        """Make another key and certificate for the listener. names: None for those of the one that is there."""
        held, present = self._held(), self._listener()
        if names is None:
            if present is None:
                raise DeployError(f"{self.folder / LISTENER} is not there: type sonovan up")
            names = names_of(present)
        key = generate_private_key(SECP256R1())
        certificate = (
            self._dated(x509.CertificateBuilder(), LISTENER_DAYS)
            .subject_name(_named("sonovan listener for vans"))
            .issuer_name(held.certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(_signer_id(held.key), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(held.key, SHA256())
        )
        chain = [certificate] if held.link is None else [certificate, held.link]
        write_private(self.folder / LISTENER, _key_pem(key) + _pem(*chain))

    def renew(self) -> None:
        """Make another authority, beside which the one before counts on, and a certificate of it for the listener.

        Raises DeployError where one before counts still.
        """
        held = self._held()
        if held.before is not None:
            raise DeployError("two authorities count already: type sonovan certificates retire first")
        new = self._new()
        link = (
            self._unsigned(new.key, new.certificate.subject, path_length=0)
            .issuer_name(held.certificate.subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._clock() - _BACKDATED)
            .not_valid_after(min(held.certificate.not_valid_after_utc, new.certificate.not_valid_after_utc))
            .add_extension(_signer_id(held.key), critical=False)
            .sign(held.key, SHA256())
        )
        self._write(_Authority(new.key, new.certificate, held.certificate, link))
        self.issue()

    def retire(self) -> bool:
        """Let the authority before count no longer; False where there is none."""
        held = self._held()
        if held.before is None:
            return False
        self._write(_Authority(held.key, held.certificate))
        self.issue()
        return True

    def trusted(self) -> str:
        """PEM of the authorities that count, as vans are given it."""
        held = self._held()
        return _pem(held.certificate, *([] if held.before is None else [held.before]))

    def described(self) -> list[Described]:
        """What there is, authorities first; empty where nothing was made yet."""
        held, listener = self._read(), self._listener()
        found = [] if held is None else [("authority", held.certificate), ("authority before", held.before)]
        return [_described(what, each) for what, each in [*found, ("listener", listener)] if each is not None]

    def _new(self) -> _Authority:
        key = generate_private_key(SECP256R1())
        # Each authority has a name of its own, or a client would take the one's signature for the other's.
        name = _named(f"sonovan authority {x509.random_serial_number() % 10**12:012}")
        unsigned = self._dated(self._unsigned(key, name, path_length=1), AUTHORITY_DAYS)
        return _Authority(key, unsigned.issuer_name(name).sign(key, SHA256()))

    def _unsigned(self, key: EllipticCurvePrivateKey, name: x509.Name, *, path_length: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def _dated(self, builder: x509.CertificateBuilder, days: int) -> x509.CertificateBuilder:
        now = self._clock()
        dated = builder.not_valid_before(now - _BACKDATED).not_valid_after(now + timedelta(days=days))
        return dated.serial_number(x509.random_serial_number())

    def _held(self) -> _Authority:
        held = self._read()
        if held is None:
            raise DeployError(f"{self.folder / AUTHORITY} is not there: type sonovan up")
        return held

    def _read(self) -> _Authority | None:
        path = self.folder / AUTHORITY
        try:
            data = path.read_bytes()
            key = load_pem_private_key(data, None)
            certificates = x509.load_pem_x509_certificates(data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DeployError(f"{path} is damaged: put its copy back, or delete it and enrol every van anew") from error
        if not isinstance(key, EllipticCurvePrivateKey) or len(certificates) not in (1, 3):
            raise DeployError(f"{path} is damaged: put its copy back, or delete it and enrol every van anew")
        return _Authority(key, *certificates)

    def _write(self, held: _Authority) -> None:
        kept = [each for each in (held.certificate, held.before, held.link) if each is not None]
        write_private(self.folder / AUTHORITY, _key_pem(held.key) + _pem(*kept))
        write_private(self.folder / TRUSTED, self.trusted())

    def _listener(self) -> x509.Certificate | None:
        path = self.folder / LISTENER
        try:
            return x509.load_pem_x509_certificates(path.read_bytes())[0]
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DeployError(f"{path} is damaged: delete it and type sonovan up") from error


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The hosts and addresses that a certificate is for, in its order."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in found)


def _described(what: str, certificate: x509.Certificate) -> Described:
    sha256 = certificate.fingerprint(SHA256()).hex()
    return Described(what, sha256, certificate.not_valid_after_utc, names_of(certificate))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signer_id(key: EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _pem(*certificates: x509.Certificate) -> str:
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)
