"""`sonovan completion SHELL`: the lines that make a shell complete the commands and options of `sonovan`."""

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # typer does not list it


class Shell(StrEnum):
    """The shells for which completion is offered."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="the shell that is to complete")]) -> None:
    """Print the lines for a shell. To have them in every new bash: `sonovan completion bash >> ~/.bashrc`."""
    typer.echo(get_completion_script(prog_name="sonovan", complete_var="_SONOVAN_COMPLETE", shell=shell.value))
