"""The certificates of the listener for vans: of a state folder, or of a folder of their own where a broker runs in a
container or by systemd."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sonovan.centre import attach, deploy_errors
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Transient
from sonovan.contracts.settings import read_settings
from sonovan.deploy.authority import Authority, Described
from sonovan.deploy.settings import VansListenerSettings
from sonovan.transport.admin import Administrator


def prepare(folder: Path) -> list[Described]:
    """Make what is missing in a folder of their own, or runs out, for the names of the settings. Raises Transient."""
    with deploy_errors():
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise Transient(f"cannot use {folder}: {error.strerror}") from error
        authority = Authority(folder)
        authority.ensure(read_settings(VansListenerSettings).names)
        return authority.described()


def described(state: Path, folder: Path | None = None) -> list[Described]:
    """What there is, of a folder of their own or of the state folder. Raises Transient."""
    with deploy_errors():
        return Authority(folder or attach(state).state.certificates).described()


@contextmanager
def changing(state: Path, folder: Path | None = None) -> Iterator[Authority]:
    """The authority, to be changed; when it is left the running broker shows what was made.

    folder: of their own; then SONOVAN_KAFKA_* are the admin's, and the broker may take a moment longer.
    Raises Transient, Fatal where the broker refuses.
    """
    if folder is None:
        with attach(state).authority() as authority:
            yield authority
    else:
        settings = read_settings(BrokerSettings)
        with deploy_errors(), Administrator(settings) as administrator:
            yield Authority(folder)
            administrator.reload_certificate()
