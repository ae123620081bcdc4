"""Reading settings from the environment, the same way in every room: what is missing or unknown is named.

A variable is known if some settings class has a field for it, or if it is one of `ELSEWHERE`. A class is found by
being imported: `sonovan.variables` imports every settings module of the project before it looks.
"""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from sonovan.contracts.errors import Fatal
from sonovan.contracts.topics import STAGES, Writer

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

PREFIX: Final = "SONOVAN_"

ELSEWHERE: Final = frozenset(
    {"SONOVAN_STATE", "SONOVAN_DEBUG", "SONOVAN_SHARED_DATA"}
    | {"SONOVAN_KAFKA_ADMIN_PASSWORD", "SONOVAN_S3_ROOT_ACCESS_KEY", "SONOVAN_S3_ROOT_SECRET_KEY"}
    | {"SONOVAN_KAFKA_DISK_LEAST_MB"}
    | {"SONOVAN_TEST_S3_ENDPOINT", "SONOVAN_TEST_S3_ACCESS_KEY", "SONOVAN_TEST_S3_SECRET_KEY"}
    | {f"SONOVAN_KAFKA_{writer.upper()}_PASSWORD" for writer in Writer if writer is not Writer.VAN}
    | {f"SONOVAN_DATABASE_{account}_PASSWORD" for account in ("CATALOG", "CONSOLE", "READER")}
    | {"SONOVAN_BROKER_PORT", "SONOVAN_CONSOLE_PUBLISHED_PORT", "SONOVAN_STORE_PORT", "SONOVAN_STORE_CONSOLE_PORT"}
    | {f"SONOVAN_METRICS_{each.upper()}_PORT" for each in (*STAGES, "console")}
    | {"SONOVAN_BASE"}
    | {f"SONOVAN_BUILD_{what}" for what in ("AUTHORITIES", "JAVA_AUTHORITIES", "MAVEN", "PIP")}
)
"""Variables that no settings class reads: which state folder, tracebacks, where tests find pictures and another object
store, the secrets of `.env`, which `compose.yaml` hands to the services and to each worker under another name, what the
script of the broker's container reads, the ports under which compose publishes services, and what images are built
from."""


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of class `kind`, read from the environment variables of its prefix.

    Under a prefix of its own (`SONOVAN_KAFKA_`, not `SONOVAN_`) a variable that is not known is a misspelling.
    Raises Fatal that names each missing, unknown or malformed variable; never its value, which may be a secret.
    """
    prefix = kind.model_config.get("env_prefix", "")
    if prefix.count("_") > 1:
        refuse_unknown({name: "" for name in os.environ if name.upper().startswith(prefix)})
    try:
        return kind()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        named = [f"{prefix}{'_'.join(map(str, fault['loc']))}".upper() + f": {fault['msg']}" for fault in faults]
        raise Fatal(f"setting {'; '.join(named)}") from None


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """Raise Fatal that names every SONOVAN_ variable that is not known, and the known one that is most like it."""
    known = known_variables()
    unknown = unknown_in(environment, known)
    if unknown:
        raise Fatal(told_unknown(unknown, known))


def unknown_in(environment: Mapping[str, str], known: frozenset[str]) -> list[str]:
    """The names in `environment` that begin with SONOVAN_, in letters of either case, and are not known."""
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)


def told_unknown(unknown: Iterable[str], known: Iterable[str]) -> str:
    """One line that names unknown variables, each with the known one that is most like it."""
    candidates = sorted(known)
    told = []
    for name in unknown:
        nearest = difflib.get_close_matches(name.upper(), candidates, n=1)
        told.append(f"{name} (did you mean {nearest[0]}?)" if nearest else name)
    return f"unknown setting {', '.join(told)}"


def known_variables() -> frozenset[str]:
    """Every variable that a settings class imported so far has a field for, and those of `ELSEWHERE`."""
    return frozenset(ELSEWHERE.union(*map(variables_of, _classes(BaseSettings))))


def variables_of(kind: type[BaseSettings]) -> set[str]:
    """The environment variables that a settings class reads."""
    prefix = kind.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper() for name in kind.model_fields} if prefix.startswith(PREFIX) else set()


def _classes(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for each in kind.__subclasses__():
        yield each
        yield from _classes(each)
