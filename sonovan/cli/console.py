"""`sonovan console`: pages for readers, leads and engineers, and who may come in."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sonovan.cli.up import StateOption, format_table
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.console.settings import ConsoleSettings
    from sonovan.storage.console.accounts import Accounts

app = typer.Typer(help="Pages for readers, leads and engineers.", rich_markup_mode=None)
user = typer.Typer(help="Who may come in.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(user, name="user")

NAME: Final = "console"

Lasting = Annotated[
    bool, typer.Option("--lasting", help="The person may keep this password; else it is replaced at the first login.")
]
Code = Annotated[str, typer.Argument(help="A code of the person, never a name.")]


@app.callback(invoke_without_command=True)
def console(context: typer.Context, state: StateOption = None) -> None:
    """Serve the console in the foreground until SIGTERM; its settings are SONOVAN_CONSOLE_*."""
    if context.invoked_subcommand is not None:
        return
    from sonovan.cli.rejected import object_store
    from sonovan.cli.topics import kafka_settings
    from sonovan.console.opening import opened
    from sonovan.console.serving import serve
    from sonovan.contracts.settings import read_settings
    from sonovan.measuring import exposed
    from sonovan.settings import FaceSettings
    from sonovan.storage.minio_store import MinioStore

    folder = state_path(state)
    images = MinioStore(object_store(state, NAME))
    with opened(
        _settings(folder), state=folder, broker=lambda: kafka_settings(state, NAME), images=images,
        intended_use=read_settings(FaceSettings).intended_use, tell=_tell,
    ) as made:  # fmt: skip
        told, named = made.settings, "SONOVAN_CONSOLE_METRICS_HOST, SONOVAN_CONSOLE_METRICS_PORT"
        measured = exposed(
            lambda: made.measured.text(made.trouble is None), told.metrics_port, named, told.metrics_host
        )
        with measured as metrics:
            serve(made, lambda address: _listens(folder, address, metrics))


@user.command()
def add(
    code: Code,
    role: Annotated[
        list[str],
        typer.Option("--role", help="operator, reader, lead, engineer, auditor, administrator; several are allowed."),
    ],
    site: Annotated[
        list[str] | None, typer.Option("--site", help="Whose women they may see; several are allowed. Default: every.")
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Type the password, instead of having one made.")] = False,
    lasting: Lasting = False,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="No password here: the provider of logins vouches for the person.")
    ] = False,
    state: StateOption = None,
) -> None:
    """Add an account and print its password, which stands nowhere else."""
    from sonovan.console import passwords
    from sonovan.console.people import check_signs_with
    from sonovan.console.roles import Role
    from sonovan.console.world import now_ms
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.noting import note
    from sonovan.storage.console.accounts import Account

    unknown = sorted(set(role) - set(Role))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(Role)}.")
    check_signs_with(code, role)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else passwords.generated()
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        raise InvalidRecord("option_invalid", f"a password has {passwords.SHORTEST} to {passwords.LONGEST} signs")
    folder = state_path(state)
    kept = None if oidc else passwords.hashed(password)
    sites, must_change = frozenset(site) if site else None, not (lasting or oidc)
    account = Account(code, frozenset(role), sites, kept, must_change, made_at=now_ms())
    with _accounts(folder) as accounts:
        accounts.add(account)
        note(
            folder, "account.added", {"account": code, "roles": " ".join(sorted(role)), "sites": " ".join(site or "*")}
        )
    if not ask and not oidc:
        typer.echo(password)


@user.command("list")
def list_accounts(
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show every account."""
    with _accounts(state_path(state)) as accounts:
        rows: list[dict[str, object]] = [
            {
                "code": each.code,
                "roles": " ".join(sorted(each.roles)),
                "sites": "*" if each.sites is None else " ".join(sorted(each.sites)),
                "second_factor": each.totp_secret is not None,
                "disabled": each.disabled_at is not None,
            }
            for each in accounts.all()
        ]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        sys.stdout.write(format_table(rows) if rows else "no account: sonovan console user add\n")


@user.command()
def disable(code: Code, state: StateOption = None) -> None:
    """Let nobody in by an account any more; its sessions end at once."""
    from sonovan.console.world import now_ms
    from sonovan.noting import note

    folder = state_path(state)
    with _accounts(folder) as accounts:
        accounts.disable(code, now_ms())
        note(folder, "account.disabled", {"account": code})


@user.command()
def reset(code: Code, lasting: Lasting = False, state: StateOption = None) -> None:
    """Give an account another password and take its second factor away, for somebody who lost both; prints it."""
    from sonovan.console import passwords
    from sonovan.noting import note

    folder, password = state_path(state), passwords.generated()
    with _accounts(folder) as accounts:
        accounts.set_password(code, passwords.hashed(password), must_change=not lasting)
        accounts.set_second_factor(code, None, 0, ())
        accounts.forget_attempts(code)
        note(folder, "account.reset", {"account": code})
    typer.echo(password)


@contextmanager
def _accounts(folder: Path) -> Iterator["Accounts"]:
    from sonovan.console.settings import ConsoleSettings
    from sonovan.storage.console.accounts import Accounts
    from sonovan.storage.console.database import ConsoleDatabase

    settings: ConsoleSettings = _settings(folder)
    database = ConsoleDatabase(str(settings.database_url))
    try:
        database.prepare()
        yield Accounts(database)
    finally:
        database.close()


def _settings(folder: Path) -> "ConsoleSettings":
    """The settings, with files of the state folder for databases that none names."""
    from sonovan.centre import CATALOGUE
    from sonovan.console.settings import ConsoleSettings
    from sonovan.contracts.settings import read_settings
    from sonovan.storage.outbox_engine import sqlite_url

    found = read_settings(ConsoleSettings)
    apps = folder / "apps"
    catalogue = os.environ.get("SONOVAN_CATALOG_DATABASE_URL") or sqlite_url(apps / "catalog" / CATALOGUE)
    return found.model_copy(
        update={
            "catalogue_url": found.catalogue_url or catalogue,
            "database_url": found.database_url or sqlite_url(apps / NAME / "console.sqlite"),
            "key_file": found.key_file or apps / NAME / "seal.key",
        }
    )


def _listens(folder: Path, address: str, metrics: str) -> None:
    """Tell where the console answers, whoever watches and `sonovan status`; metrics: where Prometheus reads."""
    from sonovan.console_here import HEALTH_FILE

    file = folder / "apps" / NAME / HEALTH_FILE
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"pid": os.getpid(), "address": address, "metrics": metrics}) + "\n", encoding="utf-8")
    beside.replace(file)
    _tell(f"console: {address}")


def _tell(line: str) -> None:
    from sonovan.contracts.log_lines import LogSettings, json_line
    from sonovan.contracts.settings import read_settings

    as_json = read_settings(LogSettings).format == "json"
    typer.echo(json_line(NAME, "INFO", __name__, line, datetime.now(UTC)) if as_json else line, err=True)
