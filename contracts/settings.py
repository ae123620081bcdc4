"""Reading settings from the environment, the same way in every room: what is missing or unknown is named."""

import os
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from sonovan.contracts.errors import Fatal

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of class `kind`, read from the environment variables of its prefix.

    Under a prefix of its own (`SONOVAN_KAFKA_`, not `SONOVAN_`) a variable that no field claims is a misspelling.
    Raises Fatal that names each missing, unknown or malformed variable; never its value, which may be a secret.
    """
    prefix = kind.model_config.get("env_prefix", "")
    known = {f"{prefix}{name}".upper() for name in kind.model_fields}
    own_prefix = prefix.count("_") > 1
    unknown = sorted(name for name in os.environ if own_prefix and name.startswith(prefix) and name not in known)
    if unknown:
        raise Fatal(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    try:
        return kind()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        named = [f"{prefix}{'_'.join(map(str, fault['loc']))}".upper() + f": {fault['msg']}" for fault in faults]
        raise Fatal(f"setting {'; '.join(named)}") from None
