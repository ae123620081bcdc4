"""Open what a van keeps: its vault by the passphrase, and with it its spool, its signing key and its account."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MIB
from sonovan.contracts.settings import read_settings
from sonovan.producers import enrol as enrolment
from sonovan.producers.gateway.settings import read_options
from sonovan.producers.items import Signer
from sonovan.producers.reporting import Reporter
from sonovan.producers.settings import VanSettings
from sonovan.producers.spool import Spool
from sonovan.producers.upload import Uploader
from sonovan.producers.vault import Vault, vault_exists

_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class OpenVan:
    """A van whose vault is open."""

    van_id: str
    vault: Vault
    spool: Spool

    @property
    def signer(self) -> Signer:
        """Its signing key. Raises InvalidRecord `van_not_enrolled`."""
        return enrolment.load_signer(self.vault, self.van_id)

    @property
    def kafka(self) -> BrokerSettings:
        """Its account of Kafka. Raises InvalidRecord `van_not_enrolled`."""
        return enrolment.load_kafka(self.vault, self.van_id)

    @property
    def uploader(self) -> Uploader:
        """What sends its spool, as `[link]` of its van.toml lets it.

        Raises InvalidRecord `van_not_enrolled`, `option_invalid`.
        """
        link = read_options(self.vault.folder, None).link
        return Uploader(self.spool, self.kafka, self.van_id, link=link, reporter=Reporter(self.spool, self.signer))


def the_van(folder: Path, chosen: str | None) -> str:
    """The van to act as. Raises InvalidRecord `van_not_enrolled`."""
    vans = enrolment.enrolled_vans(folder)
    if chosen is not None:
        enrolment.van_folder(folder, chosen)
        if chosen not in vans:
            raise enrolment.not_enrolled(chosen)
        return chosen
    if len(vans) == 1:
        return vans[0]
    if not vans:
        raise InvalidRecord("van_not_enrolled", f"no van is enrolled in {folder}; run: sonovan van enrol NAME")
    raise InvalidRecord("van_not_enrolled", f"several vans are enrolled here ({', '.join(vans)}): say --van NAME")


@contextmanager
def open_van(folder: Path, van_id: str) -> Iterator[OpenVan]:
    """The van with its spool. Raises InvalidRecord `passphrase_missing` or `passphrase_wrong`, as `Vault.unlock`."""
    settings = read_settings(VanSettings)
    vault = open_vault(folder, van_id)
    with Spool(
        vault.folder / "spool",
        vault,
        keep_bytes=settings.keep_mib * MIB,
        earlier_bytes=settings.earlier_mib * MIB,
        earlier_s=settings.earlier_days * 86_400.0,
        least_free_bytes=settings.least_free_mib * MIB,
    ) as spool:
        yield OpenVan(van_id, vault, spool)


def open_vault(folder: Path, van_id: str) -> Vault:
    """The van's vault, made with a new passphrase where there is none. Errors as of `open_van`."""
    place = enrolment.van_folder(folder, van_id)
    return Vault.unlocked(place, passphrase(f"Passphrase of van {van_id}", new=not vault_exists(place)))


def passphrase(prompt: str, *, new: bool) -> str:
    """The van's passphrase: of a setting, of an open file, or typed. new: one is chosen, and typed twice.

    Raises InvalidRecord `passphrase_missing` where there is none and nobody can be asked.
    """
    settings = read_settings(VanSettings)
    if settings.passphrase is not None:
        return settings.passphrase.get_secret_value()
    if settings.passphrase_fd is not None:
        return _first_line(settings.passphrase_fd)
    if sys.stdin.isatty():
        if new:
            typer.echo(
                "Nothing else opens what the van keeps: write the passphrase down where the site keeps such.", err=True
            )
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))
    message = (
        "the van's passphrase is needed and nobody can be asked: set SONOVAN_VAN_PASSPHRASE, or give it as the first"
        " line of an open file and its number as SONOVAN_VAN_PASSPHRASE_FD"
    )
    raise InvalidRecord("passphrase_missing", message)


def ask_new(van_id: str) -> str:
    """Another passphrase for the van: of SONOVAN_VAN_NEW_PASSPHRASE, or typed twice. Errors as of `passphrase`."""
    given = read_settings(VanSettings).new_passphrase
    if given is not None:
        return given.get_secret_value()
    if not sys.stdin.isatty():
        raise InvalidRecord("passphrase_missing", "nobody can be asked: set SONOVAN_VAN_NEW_PASSPHRASE")
    prompt = f"New passphrase of van {van_id}"
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True))


def _first_line(descriptor: int) -> str:
    try:
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as stream:
            data = b""
            while b"\n" not in data and len(data) < _LONGEST_LINE and (more := stream.read(_LONGEST_LINE)):
                data += more
    except OSError as error:
        message = f"SONOVAN_VAN_PASSPHRASE_FD: file descriptor {descriptor} cannot be read ({error.strerror})"
        raise InvalidRecord("passphrase_missing", message) from None
    try:
        line = data.split(b"\n", 1)[0].decode().rstrip("\r")
    except UnicodeDecodeError:
        raise InvalidRecord("passphrase_missing", "SONOVAN_VAN_PASSPHRASE_FD: its first line is not UTF-8") from None
    return line
