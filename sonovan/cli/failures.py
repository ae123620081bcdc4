"""What a command ends with: errors become one line on stderr and an exit code."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum

import typer
from typer.core import TyperGroup

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.variables import refuse_unknown_variables


class Exit(IntEnum):
    """The exit codes that users and scripts rely on."""

    DONE = 0
    USAGE = 2
    """Wrong usage, or nothing readable."""
    SOME_REJECTED = 3
    """Done, but some inputs were rejected; each is named with its reason."""
    UNAVAILABLE = 4
    """A service is not available; nothing is lost, try again."""
    FATAL = 5
    """The process could not be trusted and stopped."""
    DEFECT = 70
    """A defect of sonovan itself (EX_SOFTWARE of sysexits)."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def run(command: TyperGroup, arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: the process's) and return its exit code.

    A SONOVAN_ variable that is not known is wrong usage, unless help is asked for.
    With SONOVAN_DEBUG=1 an error's traceback precedes its line.
    """
    _quieten_libraries()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        refuse_unknown_variables()
    except Fatal as error:
        if "--help" not in given:
            return _say(Exit.USAGE, str(error))
    try:
        outcome = command.main(args=given, prog_name="sonovan", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say(Exit.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        # Whoever read our output has left; point stdout elsewhere, or the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    except Exception as error:
        if os.environ.get("SONOVAN_DEBUG") == "1":
            traceback.print_exc()
        return _told(error)
    return outcome if isinstance(outcome, int) else Exit.DONE


def _told(error: Exception) -> int:
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, typer.Abort):
        return _say(Exit.INTERRUPTED, "aborted")
    if isinstance(error, InvalidRecord):
        return _say(Exit.USAGE, f"{error.message} ({error.reason})")
    if isinstance(error, Transient):
        return _say(Exit.UNAVAILABLE, f"{error} (nothing is lost; try again)")
    if isinstance(error, Fatal):
        return _say(Exit.FATAL, str(error))
    kind = type(error).__name__
    return _say(Exit.DEFECT, f"a defect of sonovan: {kind}: {error} (SONOVAN_DEBUG=1 shows where)")


def _usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # typer keeps this class private
        sys.stderr.write(f"{context.get_help() if context else error}\n")
        return Exit.USAGE
    path = context.command_path if context else "sonovan"
    return _say(Exit.USAGE, f"{error.format_message()} Try: {path} --help")


def _say(code: Exit, line: str) -> int:
    sys.stderr.write(f"sonovan: {' '.join(line.split())}\n")
    return code


def _quieten_libraries() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # What goes wrong there is raised and told once; their own lines repeat it at every attempt.
    for name in ("kafka", "urllib3", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
