"""The command `sonovan`: one module per command or group, and one place that turns errors into exit codes.

A group's module holds `app: typer.Typer`, a single command's module a function of the command's name; a module is
imported when its command is typed. Commands return None or an exit code, or raise an error of
`sonovan.contracts.errors`; what they print on stdout is their result, everything else goes to stderr.
"""

import importlib
import os
from types import ModuleType
from typing import Annotated, Any, Final

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # typer does not list what it has there
from typer.core import TyperGroup

from sonovan.cli.failures import run

# name → (module, what `sonovan --help` says of it)
GROUPS: Final = {
    "van": ("van", "The van: enrol, send, simulate, spool."),
    "certificates": (
        "certificates",
        "The certificates of the centre's listener for vans: show, rotate, retire, prepare.",
    ),
    "receipts": ("receipts", "The key by which the centre signs its answers to vans: show, rotate, retire."),
    "consumer": ("consumer", "Who reads topics from outside: enrol, revoke, list."),
    "topics": ("topics", "Kafka's topics: list, create, check, tail, describe."),
    "rejected": ("rejected", "Records that a stage could not use: list, show, retry, follow."),
    "alerts": ("alerts", "Alerts: list, ack, test a file of rules."),
    "audit": ("audit", "Who did what with what is kept: show, verify."),
    "catalog": ("catalog", "The catalogue of results, in SQL: status, rebuild, reader, hold, expire, resolve."),
    "programme": ("programme", "What the programme knows that no screening says: invited."),
    "export": ("export", "Copies of what the centre keeps: report, dataset."),
    "quality": ("quality", "Whether networks and scanners are still right: report."),
    "evaluate": ("evaluate_froc", "The whole path on data whose truth is known: froc."),
    "data": ("data", "Sets of pictures with masks on this disk: import."),
    "review": ("review", "Masks that readers drew elsewhere: import."),
    "labels": ("labels", "Masks of several readers: agree."),
    "console": ("console", "Pages for readers, leads and engineers; user: who may come in."),
    "models": ("models", "The networks: list, verify, export, evaluate, compare, shadow, promote, import."),
}
COMMANDS: Final = {
    "screen": ("screen", "The whole path in this process, no services: files in, report out."),
    "query": ("query", "Ask the catalogue in SQL: a table, CSV, JSON or Parquet."),
    "up": ("up", "Start Kafka, MinIO, the apps and the console on this machine."),
    "down": ("up", "Stop what up started; data stays."),
    "status": ("up", "Show what runs."),
    "doctor": ("doctor", "Look at everything of a centre: well, or what to do about it."),
    "targets": ("targets", "Where Prometheus finds what runs here."),
    "backup": ("backup", "A copy of everything of a centre, of one moment."),
    "restore": ("backup", "A centre from a backup, into an empty place."),
    "worker": ("worker", "Run one app of the centre in the foreground."),
    "skip": ("skip", "Let an app pass a message that ends it again and again."),
    "replay": ("replay", "Stored frames through another network, as a shadow beside live work."),
    "erase": ("erase", "Delete what is kept of a screening, or of all of a woman's."),
    "pack": ("pack", "Frames and masks of finished screenings into few large objects."),
    "completion": ("completion", "Print what makes a shell complete these commands: bash, zsh, fish."),
}


class LazyGroup(TyperGroup):
    """The top of the command line; imports nothing but what is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command and group, in the order of the tables."""
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, its module imported; None where there is none."""
        if cmd_name in GROUPS:
            return typer.main.get_command(_module(GROUPS[cmd_name][0]).app)
        if cmd_name in COMMANDS:
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(cmd_name)(getattr(_module(COMMANDS[cmd_name][0]), cmd_name))
            return typer.main.get_command(alone)
        return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands in the help text, from the tables."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in (COMMANDS | GROUPS).items()])


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sonovan {version('sonovan')}")
        raise typer.Exit


def build() -> TyperGroup:
    """The whole command."""
    completion_init()  # a shell that asks for completions is answered by the same program
    top = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None)

    @top.callback()
    def sonovan(
        version: Annotated[
            bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and leave.")
        ] = False,
    ) -> None:
        """Streaming breast and thyroid ultrasound screening for mobile vans."""

    command = typer.main.get_command(top)
    if not isinstance(command, TyperGroup):
        raise TypeError("the top of the command line is a group of commands")
    return command


def main() -> None:
    """Run the command and end the process with its exit code."""
    os.umask(0o077)  # what a command writes, and every process that it starts, is its owner's alone
    raise SystemExit(run(build()))
