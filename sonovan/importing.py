"""Where a van's disk is imported: at the centre of a state folder, or at one that settings alone name."""

import os
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from sonovan.centre import attach
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Writer
from sonovan.depot import Importing, centre_key, key_in
from sonovan.settings import DepotAccounts, DepotSettings

NAMED: Final = "SONOVAN_DEPOT_BROKER"
"""The setting that names a centre beside the state folder's."""


def importing(state: Path) -> Importing:
    """The centre that SONOVAN_DEPOT_* name where they are set, else the one of the state folder.

    Raises Transient where neither is there, Fatal that names a setting which is missing or wrong.
    """
    if NAMED not in os.environ:
        centre = attach(state)
        return Importing(
            registrar=centre.kafka(Writer.REGISTRAR),
            reader=centre.kafka(Writer.READER),
            retrier=centre.kafka(Writer.RETRIER),
            key=centre_key(state),
        )
    told, accounts = read_settings(DepotSettings), read_settings(DepotAccounts)

    def inside(account: str, password: SecretStr) -> BrokerSettings:
        return BrokerSettings(bootstrap=told.broker, username=account, password=password, ca=None, proxy=None)

    return Importing(
        registrar=inside(Writer.REGISTRAR, accounts.registrar_password),
        reader=inside(Writer.READER, accounts.reader_password),
        retrier=inside(Writer.RETRIER, accounts.retrier_password),
        key=key_in(told.key_file),
    )


def disk_key(state: Path) -> bytes:
    """The private key for disks of the centre that `importing` gives, without a broker; made at first use."""
    return key_in(read_settings(DepotSettings).key_file) if NAMED in os.environ else centre_key(state)
