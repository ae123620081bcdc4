"""`sonovan doctor`: what of a centre is well, and what to do about the rest."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption
from sonovan.cli.up import StateOption
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.centre import Centre
    from sonovan.doctor.centre import Reached
    from sonovan.doctor.databases import Kept
    from sonovan.doctor.line import Line
    from sonovan.storage.settings import StoreAccount


def doctor(
    certificates: Annotated[
        Path | None,
        typer.Option(help="Where the certificates of the listener for vans lie, if not in the state folder."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look at disks, programs, ports, certificates, topics, accounts, lag, buckets, databases and weights.

    One line for each, with the remedy where it is not well; exit code 3 where one is not. Nothing is changed. Without
    --state, and where SONOVAN_KAFKA_BOOTSTRAP is set, the centre that this and SONOVAN_S3_ENDPOINT name is looked at;
    its store's accounts too, where SONOVAN_S3_<ACCOUNT>_* tell the keys of all.
    """
    from sonovan.doctor.centre import look

    reached, centre = _reached(state, certificates)
    return show(look(reached, centre), as_json=as_json)


def show(lines: "Iterable[Line]", *, as_json: bool) -> int:
    """Print the lines as they come, or one JSON document at the end; the exit code."""
    found = []
    for line in lines:
        found.append(line)
        if not as_json:
            _print(line)
    ill = [line for line in found if not line.well]
    if as_json:
        sys.stdout.write(json.dumps({"well": not ill, "lines": [line.document() for line in found]}, indent=1) + "\n")
    else:
        typer.echo(f"{len(found)} looked at, {len(ill)} to mend", err=True)
    return int(Exit.SOME_REJECTED if ill else Exit.DONE)


def _print(line: "Line") -> None:
    name = f"{line.about} {line.subject}".strip()
    mark = typer.style("well", fg="green") if line.well else typer.style("mend", fg="red")
    typer.echo(f"{mark}  {name}: {line.found}")
    if not line.well:
        typer.echo(f"      → {line.remedy}")


def _reached(state: Path | None, certificates: Path | None) -> "tuple[Reached, Centre | None]":
    from sonovan.centre import attach
    from sonovan.cli.models import weights_folder
    from sonovan.contracts.broker import BrokerSettings
    from sonovan.contracts.settings import read_settings
    from sonovan.doctor.centre import Reached
    from sonovan.storage.access import ACCOUNTS
    from sonovan.storage.settings import ObjectStoreSettings, StoreAccount
    from sonovan.stream_apps.settings import WorkerSettings

    low_mb = read_settings(WorkerSettings).disk_low_mb
    weights, place = weights_folder(None), state_path(state)
    if state is None and "SONOVAN_KAFKA_BOOTSTRAP" in os.environ:
        root = read_settings(ObjectStoreSettings) if "SONOVAN_S3_ENDPOINT" in os.environ else None
        kept = tuple(each for each in _kept(place) if os.environ.get(each.setting))
        broker, keys = read_settings(BrokerSettings), _keys_told()
        return Reached(broker, root, keys, kept, weights, (Path.cwd(),), low_mb, certificates), None
    centre = attach(place)
    stores = {account: centre.store(account) for account in ACCOUNTS}
    keys = {
        str(account): StoreAccount(access_key=each.access_key, secret_key=each.secret_key)
        for account, each in stores.items()
    }
    folders = (place, centre.state.kafka, centre.state.minio)
    shown = certificates or centre.state.certificates
    return Reached(centre.kafka(), centre.store(), keys, _kept(place), weights, folders, low_mb, shown), centre


def _keys_told() -> "dict[str, StoreAccount]":
    """The keys of all accounts of the object store, where the environment tells them all; else none."""
    from sonovan.contracts.settings import read_settings, variables_of
    from sonovan.storage.settings import ACCOUNT_SETTINGS

    if not all(variables_of(kind) <= os.environ.keys() for kind in ACCOUNT_SETTINGS.values()):
        return {}
    return {str(account): read_settings(kind) for account, kind in ACCOUNT_SETTINGS.items()}


def _kept(place: Path) -> "tuple[Kept, ...]":
    from sonovan.doctor.databases import Kept
    from sonovan.storage.catalogue.database import CURRENT
    from sonovan.storage.catalogue.database import SETTING as CATALOGUE
    from sonovan.storage.catalogue.schema import HEAD as CATALOGUE_HEAD
    from sonovan.storage.console.database import HEAD as CONSOLE_HEAD
    from sonovan.storage.console.database import SCHEMA
    from sonovan.storage.console.database import SETTING as CONSOLE
    from sonovan.storage.outbox_engine import SETTING as OUTBOX
    from sonovan.storage.outbox_engine import sqlite_url

    def of(name: str, file: str, setting: str, schema: str, head: str | None) -> Kept:
        url = os.environ.get(setting) or sqlite_url(place / "apps" / name / file)
        return Kept(name, url, setting, schema, head)

    return (
        of("catalog", "catalog.sqlite", CATALOGUE, CURRENT, CATALOGUE_HEAD),
        of("alert", "outbox.sqlite", OUTBOX, "public", None),
        of("console", "console.sqlite", CONSOLE, SCHEMA, CONSOLE_HEAD),
    )
