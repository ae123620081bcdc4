"""The centre's certificate authority: what a van that trusts it takes, and what it is told where it does not."""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.deploy.authority import AUTHORITY, LISTENER, LISTENER_DAYS, RENEWED_WITH_DAYS_LEFT, TRUSTED, Authority
from sonovan.deploy.errors import DeployError
from sonovan.deploy.settings import VansListenerSettings
from sonovan.transport.failures import NoAnswer, WrongClock
from sonovan.transport.tail import Tail
from sonovan.transport.tls import trusting, untrusted
from tests.listening import listening

NAMES = ("127.0.0.1", "centre.example")


def made(folder: Path, names: Sequence[str] = NAMES, days_ago: float = 0) -> Authority:
    authority = at(folder, -days_ago)
    authority.ensure(names)
    return authority


def at(folder: Path, days: float) -> Authority:
    folder.mkdir(exist_ok=True)
    return Authority(folder, lambda: datetime.now(UTC) + timedelta(days=days))


def connect(folder: Path, ca: str, name: str = NAMES[1]) -> str:
    """Shake hands over TLS in memory with a server that has the folder's certificate; what the van is told, or ""."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / LISTENER)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = trusting(ca).wrap_bio(to_client, to_server, server_hostname=name)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return str(untrusted(error, name))
    return ""


def test_what_is_made_is_private_and_stays_until_it_runs_out_or_is_for_other_names(tmp_path: Path) -> None:
    authority = made(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert first.keys() == {AUTHORITY, LISTENER, TRUSTED}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    assert b"PRIVATE KEY" not in first[TRUSTED]
    authority.ensure(NAMES)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    at(tmp_path, LISTENER_DAYS - RENEWED_WITH_DAYS_LEFT - 1).ensure(NAMES)
    assert (tmp_path / LISTENER).read_bytes() == first[LISTENER]
    at(tmp_path, LISTENER_DAYS - RENEWED_WITH_DAYS_LEFT + 1).ensure(NAMES)
    renewed = (tmp_path / LISTENER).read_bytes()
    assert renewed != first[LISTENER]
    authority.ensure(("centre.example",))
    assert (tmp_path / LISTENER).read_bytes() != renewed
    assert (tmp_path / AUTHORITY).read_bytes() == first[AUTHORITY]
    assert authority.described()[-1].names == ("centre.example",)


@pytest.mark.parametrize("name", NAMES)
def test_a_van_takes_the_certificate_for_every_name_that_it_is_for(tmp_path: Path, name: str) -> None:
    assert connect(tmp_path, made(tmp_path).trusted(), name) == ""


def test_another_authority_another_name_and_a_wrong_time_are_told_apart_with_what_to_do(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    trusted = made(here).trusted()
    foreign = connect(here, made(elsewhere).trusted())
    assert "no authority that this van trusts" in foreign
    assert "sonovan van trust FILE" in foreign
    assert "SONOVAN_VANS_NAMES" in connect(here, trusted, "other.example")
    at(here, -LISTENER_DAYS - 1).issue()
    expired = connect(here, trusted)
    assert "has expired by this machine's clock" in expired
    assert "sonovan certificates rotate" in expired
    at(here, 10).issue()
    assert "not valid yet" in connect(here, trusted)
    with pytest.raises(InvalidRecord, match="no certificates"):
        trusting("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def shaking_hands(folder: Path) -> Callable[[socket.socket], None]:
    """What a server does that has the folder's certificate, and ends each connection once hands were shaken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / LISTENER)

    def answer(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            context.wrap_socket(peer, server_side=True).close()

    return answer


@pytest.mark.parametrize(("days", "foreign", "expected"), [(10, False, WrongClock), (0, True, NoAnswer)])
def test_a_van_knows_a_certificate_that_its_clock_alone_refuses(
    tmp_path: Path, days: float, foreign: bool, expected: type[NoAnswer]
) -> None:
    ca = made(tmp_path / "here").trusted()
    at(tmp_path / "here", days).issue()
    if foreign:
        ca = made(tmp_path / "elsewhere").trusted()
    with listening(shaking_hands(tmp_path / "here")) as port:
        kafka = BrokerSettings(
            bootstrap=f"127.0.0.1:{port}", username="van", password=SecretStr("secret"), ca=ca, connect_timeout_s=2
        )
        with pytest.raises(NoAnswer) as caught:
            Tail(kafka, "topic", {})
    assert type(caught.value) is expected


def test_while_two_authorities_count_vans_of_both_are_served_and_then_those_of_the_new_one(tmp_path: Path) -> None:
    authority = made(tmp_path)
    before = authority.trusted()
    authority.renew()
    both = authority.trusted()
    assert [each.what for each in authority.described()] == ["authority", "authority before", "listener"]
    assert both.count("BEGIN CERTIFICATE") == 2
    assert [connect(tmp_path, ca) for ca in (before, both)] == ["", ""]
    with pytest.raises(DeployError, match="retire first"):
        authority.renew()
    authority.issue()
    assert [connect(tmp_path, ca) for ca in (before, both)] == ["", ""]
    assert authority.retire()
    after = authority.trusted()
    assert [connect(tmp_path, ca) for ca in (after, both)] == ["", ""]
    assert "no authority that this van trusts" in connect(tmp_path, before)
    assert not authority.retire()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    authority = made(tmp_path)
    (tmp_path / LISTENER).write_text("nothing")
    with pytest.raises(DeployError, match="type sonovan up"):
        authority.ensure(NAMES)
    (tmp_path / AUTHORITY).write_text("nothing")
    with pytest.raises(DeployError, match="put its copy back"):
        authority.trusted()


def test_names_are_parted_by_commas_and_hosts_alone_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_VANS_NAMES", "centre.example, 10.0.0.7")
    assert VansListenerSettings().names == ("centre.example", "10.0.0.7")
    monkeypatch.setenv("SONOVAN_VANS_NAMES", "centre example\nlisteners=")
    with pytest.raises(ValueError, match="String should match"):
        VansListenerSettings()
