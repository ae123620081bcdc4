"""`sonovan catalog`: where the catalogue stands, made again, who reads it, and what may not be deleted."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.expire import expire
from sonovan.cli.rejected import object_store
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.storage.catalogue.database import Database

app = typer.Typer(help="The catalogue of results, in SQL.", no_args_is_help=True, rich_markup_mode=None)

app.command()(expire)

READER_VARIABLE = "SONOVAN_CATALOG_READER_URL"


@app.command()
def status(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show how many rows there are, how far each topic was read, and whether another catalogue is being made."""
    from sonovan.catalogue import standing

    database = open_catalogue(state)
    try:
        found = standing(database, kafka_settings(state, "catalog"))
    finally:
        database.close()
    if as_json:
        sys.stdout.write(json.dumps(found.document(), indent=1) + "\n")
        return
    sys.stdout.write(format_table([{"table": name, "rows": count} for name, count in found.rows.items()]))
    sys.stdout.write(format_table([{"topic": name, "behind": behind} for name, behind in found.behind.items()]))
    if found.making is not None:
        typer.echo(f"another catalogue is being made, {found.making} messages behind: sonovan catalog rebuild goes on")


@app.command()
def rebuild(
    state: StateOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where one was begun.")] = False,
    processes: Annotated[int, typer.Option(min=1, max=12, help="Readers at once; on PostgreSQL alone.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Make the catalogue again from the topics while the old one answers, and put it in its place.

    What was interrupted goes on where it was. What topics have forgotten is taken over from the old catalogue.
    """
    from sonovan.catalogue import rebuild as make

    done = make(
        catalogue_url(state),
        kafka_settings(state, "catalog"),
        object_store(state, "catalog"),
        fresh=fresh,
        processes=processes,
        say=lambda line: typer.echo(line, err=True),
    )
    if as_json:
        sys.stdout.write(json.dumps(vars(done)) + "\n")
    else:
        told = f"{done.messages} messages, of which {done.left_out} were left out; {done.rows} rows"
        sys.stdout.write(f"the catalogue is made again in {done.seconds:.1f} s: {told}\n")


@app.command()
def reader(state: StateOption = None) -> None:
    """Make PostgreSQL's account that only reads the views, with a new password; `sonovan query` then uses it.

    The file with its address is readable by you alone. SQLite needs none: its file is opened for reading.
    """
    import secrets

    from sonovan.contracts.errors import InvalidRecord
    from sonovan.deploy.files import write_private
    from sonovan.storage.catalogue.asking import make_reader, reader_of

    url = catalogue_url(state)
    if url.startswith("sqlite"):
        raise InvalidRecord("option_invalid", "the catalogue is a file of SQLite, which needs no account for reading")
    password = secrets.token_urlsafe(32)
    make_reader(url, password)
    path = _reader_file(state)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, reader_of(url, password) + "\n")
    sys.stdout.write(f"{path} holds the reader's address; elsewhere set {READER_VARIABLE} to what stands in it\n")


@app.command()
def hold(
    site: Annotated[str, typer.Argument(help="A site's code, `site-7`.")],
    by: Annotated[str, typer.Option("--by", help="Your code at this site, `op-7`: no name.")],
    because: Annotated[str, typer.Option("--because", help="A code: litigation, inspection, inquiry.")] = "litigation",
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
    days: Annotated[int | None, typer.Option(min=1, help="Set for how long its screenings are kept instead.")] = None,
    state: StateOption = None,
) -> None:
    """Put a legal hold on a site, end it, or say for how long its screenings are kept."""
    from sonovan.storage.catalogue.holding import held, keep_for, put_hold

    database = open_catalogue(state)
    try:
        database.prepare()
        if days is not None:
            keep_for(database, site, days)
        else:
            put_hold(database, site, by=by, because=because, release=release)
        rows: list[dict[str, object]] = [vars(each) for each in held(database)]
    finally:
        database.close()
    sys.stdout.write(format_table(rows) if rows else "no site is held and none has a time\n")


@app.command()
def resolve(
    address: Annotated[str, typer.Argument(help="Of an image or a mask: sonovan://frames/…, masks/… or reviews/….")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    state: StateOption = None,
) -> None:
    """Fetch the image or mask that an address of the catalogue names, where she agrees to it, and check its bytes.

    Who fetched which is noted in the audit of this machine.
    """
    from sonovan.contracts.errors import Transient
    from sonovan.noting import note
    from sonovan.storage.catalogue.addresses import fetch, is_address
    from sonovan.storage.minio_store import MinioStore

    database = open_catalogue(state)
    try:
        if is_address(address):  # anything else is refused, and might name somebody
            note(state_path(state), "catalog.resolved", {"address": address})
        data = fetch(database, MinioStore(object_store(state, "reader")), address)
    finally:
        database.close()
    try:
        out.write_bytes(data)
    except OSError as error:
        raise Transient(f"cannot write {out}: {error.strerror}; make room or name another file") from error
    typer.echo(f"{len(data)} bytes in {out}", err=True)


def open_catalogue(state: Path | None) -> "Database":
    """The catalogue as its worker writes it: SONOVAN_CATALOG_DATABASE_URL, else the file of the state folder."""
    from sonovan.storage.catalogue.database import open_database

    return open_database(catalogue_url(state))


def catalogue_url(state: Path | None) -> str:
    """Where the catalogue is. Raises Fatal for a setting that is wrong."""
    from sonovan.contracts.settings import read_settings
    from sonovan.stream_apps.catalog.settings import CatalogSettings
    from sonovan.stream_apps.catalog.stage import database_url

    return database_url(read_settings(CatalogSettings), state_path(state) / "apps" / "catalog")


def reader_url(state: Path | None) -> str:
    """By which address the catalogue is asked: the reader's, or the file of SQLite, which is opened for reading.

    Raises InvalidRecord `option_invalid` where PostgreSQL has no reader's account yet.
    """
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.settings import read_settings
    from sonovan.stream_apps.catalog.settings import CatalogSettings

    if (given := read_settings(CatalogSettings).reader_url) is not None:
        return given.get_secret_value()
    url = catalogue_url(state)
    if url.startswith("sqlite"):
        return url
    path = _reader_file(state)
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    raise InvalidRecord(
        "option_invalid", "the catalogue is asked by an account that only reads: sonovan catalog reader"
    )


def _reader_file(state: Path | None) -> Path:
    return state_path(state) / "catalog" / "reader.url"
